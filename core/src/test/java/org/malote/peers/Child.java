package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A process that a test started. What it prints goes to a file in `target/peers`.
final class Child implements AutoCloseable {
    private static final Path LOGS = Path.of("target", "peers").toAbsolutePath();

    private final Process process;
    private final Path log;

    private Child(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /// @param name of its log file
    /// @param folder where it runs
    static Child start(String name, Path folder, List<String> command) {
        try {
            Files.createDirectories(LOGS);
            Path log = Files.createTempFile(LOGS, name + "-", ".log");
            Process process =
                    new ProcessBuilder(command)
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .redirectInput(
                                    ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                            .start();
            return new Child(process, log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Runs a program to its end.
    ///
    /// @return what it printed
    static String run(String name, Path folder, Duration limit, List<String> command) {
        try (Child child = start(name, folder, command)) {
            int status = child.await(limit);
            if (status != 0) {
                throw new AssertionError(
                        String.join(" ", command)
                                + " ended with "
                                + status
                                + ":\n"
                                + child.output());
            }
            return child.output();
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// What it has printed so far.
    String output() {
        try {
            return Files.readString(log, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits for its end.
    ///
    /// @return its exit status
    int await(Duration limit) {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still running after " + limit + ":\n" + output());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// SIGTERM.
    void terminate() {
        process.destroy();
    }

    /// SIGKILL; it is gone when this returns.
    void kill() {
        process.destroyForcibly();
        await(Duration.ofSeconds(30));
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            kill();
        }
    }
}
