package org.malote.offload;

import io.netty.handler.ssl.OpenSslCertificateException;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/// Believes the certificates of hosts that a [HostJudge] believes. A resumed handshake shows none.
final class VerifiedCertificate extends X509ExtendedTrustManager {
    private static final X509Certificate[] NO_ISSUERS = {};

    private final HostJudge judge;
    private final boolean asksForName;
    private final List<String> names;
    private final InstantSource clock;
    private final Consumer<SSLEngine> onFullHandshake;

    /// @param asksForName whether the name is verified here
    /// @param names of which one is expected; empty for the one that the engine connects to
    /// @param onFullHandshake told of each engine that is shown a certificate which is believed
    VerifiedCertificate(
            HostJudge judge,
            boolean asksForName,
            List<String> names,
            InstantSource clock,
            Consumer<SSLEngine> onFullHandshake) {
        this.judge = judge;
        this.asksForName = asksForName;
        this.names = names;
        this.clock = clock;
        this.onFullHandshake = onFullHandshake;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        List<String> expected = names.isEmpty() ? List.of(engine.getPeerHost()) : names;
        try {
            judge.judge(List.of(chain), StapledStatus.of(engine), clock.instant());
            if (asksForName) {
                HostJudge.requireName(chain[0], expected);
            }
            onFullHandshake.accept(engine);
        } catch (CertificateRefused e) {
            throw engine instanceof ReferenceCountedOpenSslEngine
                    ? new OpenSslCertificateException(e.getMessage(), e, code(e.reason()))
                    : e;
        }
    }

    /// What BoringSSL makes the alert of (RFC 8446 §6.2), by which the host's operator learns why:
    /// numbers of `x509_vfy.h`, the same in all of OpenSSL's family.
    private static int code(CertificateRefused.Reason reason) {
        return switch (reason) {
            case UNTRUSTED -> 20; // X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
            case EXPIRED -> 10; // X509_V_ERR_CERT_HAS_EXPIRED
            case NOT_YET_VALID -> 9; // X509_V_ERR_CERT_NOT_YET_VALID
            case NAME -> 28; // X509_V_ERR_CERT_REJECTED
            case USE -> 26; // X509_V_ERR_INVALID_PURPOSE
            case REVOKED -> 23; // X509_V_ERR_CERT_REVOKED
            case STATUS -> 28; // X509_V_ERR_CERT_REJECTED
        };
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        throw new CertificateException("without an engine nobody knows which host it is");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType)
            throws CertificateException {
        throw new CertificateException("only hosts are verified here");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return NO_ISSUERS;
    }
}
