package org.malote.offload;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/// Shows our certificate to a host that asks for one. Which authorities the host names is not
/// looked
/// at: there is one identity for each way to it, and a host that does not believe it says so.
final class HostKeys extends X509ExtendedKeyManager {
    private final List<ServedCertificate> own;

    /// @param own in the order of the settings
    HostKeys(List<ServedCertificate> own) {
        this.own = List.copyOf(own);
    }

    /// @param keyTypes those that the host verifies: `EC`, `RSA` and others. BoringSSL names all
    ///     that there are when it does not know
    @Override
    public @Nullable String chooseEngineClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        // P-256 before RSA: its signature is cheaper for both.
        for (SignatureScheme.Family family :
                List.of(SignatureScheme.Family.EC, SignatureScheme.Family.RSA)) {
            if (find(family.name()) != null && List.of(keyTypes).contains(family.name())) {
                return family.name();
            }
        }
        return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(@Nullable String alias) {
        ServedCertificate one = find(alias);
        return one == null ? null : one.chainArray();
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(@Nullable String alias) {
        ServedCertificate one = find(alias);
        if (one == null) {
            return null;
        }
        return switch (one.key()) {
            case OpenedKey.InProcess(var privateKey) -> privateKey;
            case OpenedKey.Inline _, OpenedKey.Offloaded _ -> null;
        };
    }

    private @Nullable ServedCertificate find(@Nullable String alias) {
        for (ServedCertificate one : own) {
            if (one.family().name().equals(alias)) {
                return one;
            }
        }
        return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null; // asked by nobody: engines ask chooseEngineClientAlias
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null; // only for sockets
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null; // not a server
    }

    @Override
    public @Nullable String chooseServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null; // not a server
    }
}
