package org.malote.offload;

import io.netty.handler.ssl.util.SimpleKeyManagerFactory;
import java.security.KeyStore;
import javax.net.ssl.KeyManager;
import javax.net.ssl.ManagerFactoryParameters;
import org.jspecify.annotations.Nullable;

/// The form in which an engine takes [ServerKeys].
final class ServerKeysFactory extends SimpleKeyManagerFactory {
    private final ServerKeys keys;

    ServerKeysFactory(ServerKeys keys) {
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
