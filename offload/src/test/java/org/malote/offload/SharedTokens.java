package org.malote.offload;

import java.nio.file.Path;

/// The tokens of the SoftHSM in this process, with a key of each kind on one and another on a
/// second; and the providers that hold the module.
final class SharedTokens {
    private static final SoftHsm HSM =
            new SoftHsm(
                            Path.of("target", "softhsm-" + ProcessHandle.current().pid())
                                    .toAbsolutePath(),
                            "ALL")
                    .inThisProcess();
    private static final OffloadProviders PROVIDERS =
            OffloadProviders.installed(TestCertificates.keyEnvironment());
    static final CertificateSettings P256 = made("first", "p256", "EC", "01");
    static final CertificateSettings P384 = made("first", "p384", "P-384", "06");
    static final CertificateSettings RSA = made("first", "rsa", "RSA", "02");
    static final CertificateSettings OTHER_RSA = made("second", "rsa-too", "RSA", "03");

    /// Alone on its token.
    static final CertificateSettings FRESH = made("fresh", "fresh", "EC", "05");

    private SharedTokens() {}

    private static CertificateSettings made(
            String token, String name, String algorithm, String id) {
        try {
            if (!token.equals("first") || name.equals("p256")) {
                HSM.token(token);
            }
            return HSM.key(token, name, algorithm, id, SoftHsm.MODULE);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    static SoftHsm hsm() {
        return HSM;
    }

    static TlsEnvironment environment() {
        return TestCertificates.environment(PROVIDERS);
    }

    /// The same certificate, without the key in a file.
    static CertificateSettings onTokenAlone(CertificateSettings certificate) {
        return new CertificateSettings(certificate.chain(), certificate.key());
    }
}
