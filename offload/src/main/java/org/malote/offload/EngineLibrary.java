package org.malote.offload;

import io.netty.handler.ssl.OpenSsl;

/// Which library stands under netty-tcnative in this process: BoringSSL, which is inside of it, or
/// the system's OpenSSL. A process has one of them.
///
/// Both come as a library of the same name, and Netty refuses a class path that has the name twice.
/// So ours for OpenSSL goes by the name that Netty looks for on SUSE ([#OPENSSL_CLASSIFIER]), and
/// Netty is told, before its first class is loaded, whether this is such a host.
public final class EngineLibrary {
    /// Which names Netty tries before the plain one:
    /// `PlatformDependent.normalizedLinuxClassifiers`.
    private static final String CLASSIFIERS = "io.netty.osClassifiers";

    /// The end of our library's name, see pom.xml. Of the three that Netty accepts, `fedora` is
    /// tried on every host.
    private static final String OPENSSL_CLASSIFIER = "suse";

    private EngineLibrary() {}

    /// Chooses, once and for the life of the process. Call it before anything of Netty is touched;
    /// without a call it is BoringSSL.
    public static void choose(Engine engine) {
        System.setProperty(CLASSIFIERS, engine == Engine.OPENSSL ? OPENSSL_CLASSIFIER : "");
    }

    private static boolean isOpenSslChosen() {
        return OPENSSL_CLASSIFIER.equals(System.getProperty(CLASSIFIERS));
    }

    /// Makes sure that the library of an engine is there.
    ///
    /// @return the system's OpenSSL
    /// @throws TlsProblems when it is not, or when the process has another
    static SystemOpenSsl requireOpenSsl() throws TlsProblems {
        SystemOpenSsl system = SystemOpenSsl.load();
        if (!isOpenSslChosen()) {
            throw restart(Engine.OPENSSL);
        }
        String found = OpenSsl.isAvailable() ? OpenSsl.versionString() : null;
        if (found == null || !found.startsWith("OpenSSL ")) {
            throw PemFile.problem(
                    String.format(
                            "engine \"openssl\" does not load here (%s): choose engine \"boringssl\"",
                            found == null
                                    ? PemFile.firstLine(OpenSsl.unavailabilityCause().getMessage())
                                    : "Malote has no library for it on this kind of host"));
        }
        return system;
    }

    /// @throws TlsProblems when the process has the other library
    static void requireBoringSsl() throws TlsProblems {
        if (isOpenSslChosen()
                || (OpenSsl.isAvailable() && !"BoringSSL".equals(OpenSsl.versionString()))) {
            throw restart(Engine.BORINGSSL);
        }
    }

    private static TlsProblems restart(Engine wanted) {
        return PemFile.problem(
                String.format(
                        "engine \"%s\" cannot be had in this process, which began with another:"
                                + " restart the server",
                        wanted.settingName()));
    }
}
