package org.malote.offload;

import io.netty.handler.ssl.util.SimpleKeyManagerFactory;
import java.security.KeyStore;
import javax.net.ssl.KeyManager;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// The form in which an engine takes [ServerKeys] and [HostKeys].
final class KeyManagerForm extends SimpleKeyManagerFactory {
    private final X509ExtendedKeyManager keys;

    KeyManagerForm(X509ExtendedKeyManager keys) {
        this.keys = keys;
    }

    @Override
    protected void engineInit(@Nullable KeyStore keyStore, char @Nullable [] password) {}

    @Override
    protected void engineInit(@Nullable ManagerFactoryParameters parameters) {}

    @Override
    protected KeyManager[] engineGetKeyManagers() {
        return new KeyManager[] {keys};
    }
}
