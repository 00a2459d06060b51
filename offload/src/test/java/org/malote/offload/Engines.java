package org.malote.offload;

import java.util.List;
import java.util.Locale;

/// The engines that this process can be tried with. One that begins with OpenSSL has no BoringSSL:
/// [OpenSslFolder] runs the same tests there.
final class Engines {
    private static final String PROPERTY = "malote.test.engine";

    private static final Engine IN_PROCESS =
            Engine.valueOf(
                    System.getProperty(PROPERTY, Engine.BORINGSSL.name()).toUpperCase(Locale.ROOT));

    static {
        EngineLibrary.choose(IN_PROCESS);
    }

    private Engines() {}

    /// The one of native code.
    static Engine inProcess() {
        return IN_PROCESS;
    }

    /// Each one that can be tried here.
    static List<Engine> tried() {
        return IN_PROCESS == Engine.OPENSSL
                ? List.of(Engine.OPENSSL)
                : List.of(IN_PROCESS, Engine.JDK);
    }

    /// The default settings with the engine of this process.
    static TlsSettings settings(List<CertificateSettings> certificates) {
        return TlsSettings.withDefaults(certificates).withEngine(IN_PROCESS);
    }
}
