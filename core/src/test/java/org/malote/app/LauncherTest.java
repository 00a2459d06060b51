package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `./malote` in a copy of the checkout that has never been built.
@Tag("peers")
final class LauncherTest {
    private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

    /// A build on a busy host with two processors.
    private static final long MINUTES_MAX = 8;

    @TempDir Path directory;

    @Test
    void buildsOnceAndRunsFromAnywhere() throws Exception {
        Path copy = directory.resolve("a checkout");
        copySources(copy);
        Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        Path link = Files.createSymbolicLink(elsewhere.resolve("m"), copy.resolve("malote"));

        // Two first runs at one time, one of them over a link.
        Running first = start(elsewhere, List.of(link.toString(), "--version"));
        Running second = start(elsewhere, List.of(copy.resolve("malote").toString(), "--version"));
        assertEquals(0, first.status(), first.errors());
        assertEquals(0, second.status(), second.errors());
        assertTrue(first.output().matches("malote [0-9.]+ \\(Java .*\\)\n"), first.output());
        assertEquals(first.output(), second.output());
        String both = first.errors() + second.errors();
        assertEquals("malote: building; this takes a minute or two the first time\n", both);

        Running third = start(elsewhere, List.of(link.toString(), "serve", "--confg"));
        assertEquals(2, third.status());
        assertEquals("malote: unknown option: '--confg'; did you mean --config?\n", third.errors());

        Files.setLastModifiedTime(
                copy.resolve("core/src/main/java/org/malote/app/Main.java"),
                FileTime.from(Instant.now().plusSeconds(5)));
        Path script = Files.writeString(directory.resolve("mvn"), "#!/bin/sh\nexit 1\n");
        assertTrue(script.toFile().setExecutable(true));
        Running stale = start(elsewhere, List.of(link.toString(), "--version"), directory);
        assertEquals(1, stale.status(), "newer sources are built, and here the build fails");
        assertTrue(
                stale.errors()
                        .endsWith(
                                "malote: the build failed; its output is in "
                                        + copy
                                        + "/core/target/launcher/build.log\n"),
                stale.errors());
    }

    private record Running(Process process, Path out, Path err) {
        int status() throws InterruptedException {
            if (!process.waitFor(MINUTES_MAX, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new AssertionError("not done after " + MINUTES_MAX + " minutes");
            }
            return process.exitValue();
        }

        String output() throws IOException {
            return Files.readString(out);
        }

        String errors() {
            try {
                return Files.readString(err);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private Running start(Path where, List<String> command, Path... firstInPath)
            throws IOException {
        Path out = Files.createTempFile(directory, "out", "");
        Path err = Files.createTempFile(directory, "err", "");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(where.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        for (Path path : firstInPath) {
            builder.environment().merge("PATH", "", (old, _) -> path + ":" + old);
        }
        builder.environment().remove("MALOTE_BUILD");
        return new Running(builder.start(), out, err);
    }

    /// What a clone has of the program.
    private static void copySources(Path to) throws IOException {
        Set<String> left = Set.of("target", ".git", "var");
        try (Stream<Path> files = Files.walk(CHECKOUT)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path relative = CHECKOUT.relativize(file);
                boolean isLeft = false;
                for (Path part : relative) {
                    isLeft |= left.contains(part.toString());
                }
                if (isLeft) {
                    continue;
                }
                Path target = to.resolve(relative.toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else if (Files.isRegularFile(file)) {
                    Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }
}
