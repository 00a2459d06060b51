package org.malote.offload;

import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/// Believes every certificate, for opportunistic TLS: RFC 7435 §3 and RFC 3207 §4.1 leave it to the
/// sender, and a sender that would fall back to clear text gains nothing by refusing one.
final class AnyCertificate extends X509ExtendedTrustManager {
    private static final X509Certificate[] NO_ISSUERS = {};

    private final Consumer<SSLEngine> onFullHandshake;

    /// @param onFullHandshake told of each engine that is shown a certificate, which a resumed
    ///     handshake is not
    AnyCertificate(Consumer<SSLEngine> onFullHandshake) {
        this.onFullHandshake = onFullHandshake;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {
        onFullHandshake.accept(engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
