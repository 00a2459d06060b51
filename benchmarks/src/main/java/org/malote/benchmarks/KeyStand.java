package org.malote.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.malote.offload.CertificateSettings;
import org.malote.offload.Engine;
import org.malote.offload.TlsSettings;

/// Where a server has its TLS from, as a benchmark's parameter spells it: engine and provider,
/// `boringssl/native`. The product says which go together.
record KeyStand(Engine engine, String provider) {
    private static final String MODULE = "/usr/lib/softhsm/libsofthsm2.so";
    private static final String TOKEN = "bench";
    private static final String PIN = "1234";

    static KeyStand parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException(
                    text + ": give an engine and a provider, such as boringssl/native");
        }
        return new KeyStand(
                Engine.valueOf(text.substring(0, slash).toUpperCase(Locale.ROOT)),
                text.substring(slash + 1));
    }

    /// Makes a certificate for a name, and its key where the provider wants it.
    ///
    /// @param kind `P-256` or `RSA-2048`
    /// @param folder stays until its last use
    TlsSettings settings(Path folder, String kind, String name) throws IOException {
        Path chain = folder.resolve("mx.pem");
        Path key = folder.resolve("mx.key");
        List<String> command = new ArrayList<>(List.of("openssl", "req", "-x509", "-nodes"));
        command.addAll(
                switch (kind) {
                    case "P-256" ->
                            List.of("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1");
                    case "RSA-2048" -> List.of("-newkey", "rsa:2048");
                    default -> throw new IllegalArgumentException(kind + " is no kind of key here");
                });
        command.addAll(List.of("-subj", "/CN=" + name, "-keyout", key.toString()));
        command.addAll(List.of("-out", chain.toString()));
        run(command);
        boolean isEc = kind.equals("P-256");
        String location =
                switch (provider) {
                    case "jca" -> "jca:" + (isEc ? "SunEC" : "SunRsaSign") + "?key=" + key;
                    case "pkcs11" -> onToken(folder, key);
                    default -> key.toString();
                };
        return TlsSettings.withDefaults(List.of(new CertificateSettings(chain, location)))
                .withEngine(engine)
                .withProvider(provider);
    }

    /// SoftHSM: a token in files, reached like a card.
    private static String onToken(Path folder, Path key) throws IOException {
        if (!Files.exists(Path.of(MODULE))) {
            throw new IllegalStateException(
                    MODULE + " is missing: apt-get install softhsm2, or leave pkcs11 out by -p");
        }
        Path tokens = Files.createDirectories(folder.resolve("tokens"));
        Path configuration =
                Files.writeString(
                        folder.resolve("softhsm2.conf"),
                        """
                        directories.tokendir = %s
                        objectstore.backend = file
                        log.level = ERROR
                        """
                                .formatted(tokens));
        setEnvironment("SOFTHSM2_CONF", configuration.toString());
        String tool = "softhsm2-util";
        run(
                List.of(
                        tool,
                        "--init-token",
                        "--free",
                        "--label",
                        TOKEN,
                        "--pin",
                        PIN,
                        "--so-pin",
                        "5678"),
                configuration);
        run(
                List.of(
                        tool,
                        "--import",
                        key.toString(),
                        "--token",
                        TOKEN,
                        "--label",
                        "mx",
                        "--id",
                        "a1",
                        "--pin",
                        PIN),
                configuration);
        Path pin = Scratch.privateFile(folder.resolve("pin"), PIN + "\n");
        return "pkcs11:token=%s;object=mx?module-path=%s&pin-source=file:%s"
                .formatted(TOKEN, MODULE, pin);
    }

    private static void run(List<String> command) throws IOException {
        run(command, Path.of("/dev/null"));
    }

    private static void run(List<String> command, Path softHsm) throws IOException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("SOFTHSM2_CONF", softHsm.toString());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(command.getFirst() + " failed: " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException(e));
        }
    }

    /// setenv(3): what modules of this process read, and Java does not.
    @SuppressWarnings("restricted")
    private static void setEnvironment(String name, String value) {
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
            if (result != 0) {
                throw new IllegalStateException("setenv: " + result);
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
