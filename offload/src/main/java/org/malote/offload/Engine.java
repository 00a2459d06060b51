package org.malote.offload;

import java.util.Locale;

/// Who does records and handshakes. Where the private keys live is a separate choice: see
/// [OffloadProvider].
public enum Engine {
    /// BoringSSL inside the process: level with plain C. The default.
    BORINGSSL,
    /// The system's OpenSSL, 3.2 or later, with the accelerators of its own configuration.
    /// [EngineLibrary#choose] has to be called first.
    OPENSSL,
    /// The JDK's own engine: dearer by several times, the fallback where the native library does
    /// not load.
    JDK;

    /// The name as the configuration spells it: `boringssl`, `openssl`, `jdk`.
    public String settingName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
