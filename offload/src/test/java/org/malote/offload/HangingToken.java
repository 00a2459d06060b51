package org.malote.offload;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A module of several tokens, of which one can be made to hang while the others go on: a SoftHSM
/// behind `hanging-token.c`, which is compiled for it.
final class HangingToken implements AutoCloseable {
    private static final long WAIT_SECONDS_MAX = 60;

    private final Path module;
    private final Path hanging;

    /// @param directory of its own
    HangingToken(Path directory, SoftHsm hsm) throws Exception {
        this.module = directory.resolve("hanging-token.so");
        this.hanging = directory.resolve("hanging");
        Path behind = directory.resolve("behind.so");
        Files.copy(Path.of(SoftHsm.MODULE), behind);
        Process compiler =
                new ProcessBuilder(
                                List.of(
                                        "gcc",
                                        "-shared",
                                        "-fPIC",
                                        "-Wall",
                                        define("HANGING", hanging),
                                        define("BEHIND", behind),
                                        define("CONFIGURATION", hsm.configuration()),
                                        "-o",
                                        module.toString(),
                                        "src/test/c/hanging-token.c",
                                        "-ldl"))
                        .redirectErrorStream(true)
                        .start();
        String output = new String(compiler.getInputStream().readAllBytes(), UTF_8);
        compiler.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
        assertEquals("", output);
        assertEquals(0, compiler.exitValue());
    }

    private static String define(String name, Path value) {
        return "-D" + name + "=\"" + value + "\"";
    }

    String module() {
        return module.toString();
    }

    /// @param word what happens to calls beside signatures, which hang: `hang` or `fail`
    void hang(String label, String word) throws Exception {
        Path written = hanging.resolveSibling("next");
        Files.writeString(written, label + " " + word);
        Files.move(written, hanging); // at once: it is read by others
    }

    void wake() throws IOException {
        Files.deleteIfExists(hanging);
    }

    @Override
    public void close() throws IOException {
        wake();
    }
}
