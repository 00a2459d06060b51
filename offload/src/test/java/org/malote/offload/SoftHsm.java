package org.malote.offload;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// SoftHSM: tokens in files, reached like cards. The one in this process is shared by all tests,
/// since a module is one for a process.
final class SoftHsm {
    static final String MODULE =
            Files.exists(Path.of("/usr/lib/softhsm/libsofthsm2.so"))
                    ? "/usr/lib/softhsm/libsofthsm2.so"
                    : "/usr/lib64/softhsm/libsofthsm.so";
    static final String PIN = "1234";
    private static final long WAIT_SECONDS_MAX = 20;

    private final Path directory;
    private final Path configuration;
    private final Path pinFile;
    private final TestCertificates certificates;

    /// @param mechanisms as in softhsm2.conf(5): `ALL`, or `-` and those that are not there
    SoftHsm(Path directory, String mechanisms) {
        try {
            this.directory = Files.createDirectories(directory);
            this.configuration =
                    Files.writeString(
                            directory.resolve("softhsm2.conf"),
                            """
                            directories.tokendir = %s
                            objectstore.backend = file
                            log.level = ERROR
                            slots.mechanisms = %s
                            """
                                    .formatted(
                                            Files.createDirectories(directory.resolve("tokens")),
                                            mechanisms));
            this.certificates = new TestCertificates(directory);
            this.pinFile = certificates.writePrivate("pin", PIN + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Makes the environment of this process name this one's configuration.
    SoftHsm inThisProcess() {
        setEnvironment("SOFTHSM2_CONF", configuration.toString());
        return this;
    }

    Path configuration() {
        return configuration;
    }

    Path pinFile() {
        return pinFile;
    }

    SoftHsm token(String label) throws Exception {
        run(
                "softhsm2-util",
                "--init-token",
                "--free",
                "--label",
                label,
                "--pin",
                PIN,
                "--so-pin",
                "5678");
        return this;
    }

    /// Makes a key with a certificate, and puts it on a token too, under the name of both.
    ///
    /// @param algorithm `EC` for P-256, `P-384` or `RSA`
    /// @param module that reaches the token
    /// @return the certificate, with its key on the token
    CertificateSettings key(String token, String name, String algorithm, String id, String module)
            throws Exception {
        KeyPair pair =
                switch (algorithm) {
                    case "EC" -> certificates.pair("EC", 256);
                    case "P-384" -> certificates.pair("EC", 384);
                    default -> certificates.pair("RSA", 2048);
                };
        CertificateSettings inFile =
                certificates.write(name, pair, TestCertificates.NOW.plus(Duration.ofDays(90)));
        run(
                "softhsm2-util",
                "--import",
                inFile.key(),
                "--token",
                token,
                "--label",
                name,
                "--id",
                id,
                "--pin",
                PIN);
        return new CertificateSettings(inFile.chain(), uri(token, name, module), inFile.key());
    }

    String uri(String token, String object, String module) {
        return "pkcs11:token=%s;object=%s?module-path=%s&pin-source=file:%s"
                .formatted(token, object, module, pinFile);
    }

    String run(String... command) throws Exception {
        Process process = start(List.of(command));
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        process.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    /// Starts a program that sees these tokens.
    Process start(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command));
        builder.environment().put("SOFTHSM2_CONF", configuration.toString());
        return builder.directory(directory.toFile()).redirectErrorStream(true).start();
    }

    /// setenv(3): what modules of this process read, and Java does not.
    @SuppressWarnings("restricted")
    static void setEnvironment(String name, String value) {
        try (Arena arena = Arena.ofConfined()) {
            int result =
                    (int)
                            Linker.nativeLinker()
                                    .downcallHandle(
                                            Linker.nativeLinker()
                                                    .defaultLookup()
                                                    .find("setenv")
                                                    .orElseThrow(),
                                            FunctionDescriptor.of(
                                                    ValueLayout.JAVA_INT,
                                                    ValueLayout.ADDRESS,
                                                    ValueLayout.ADDRESS,
                                                    ValueLayout.JAVA_INT))
                                    .invokeExact(
                                            arena.allocateFrom(name), arena.allocateFrom(value), 1);
            assertEquals(0, result);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
