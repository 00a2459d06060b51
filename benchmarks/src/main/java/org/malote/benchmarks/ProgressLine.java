package org.malote.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// One line on the terminal that is rewritten in place. Where standard error is no terminal there
/// is none.
final class ProgressLine implements AutoCloseable {
    private static final String ERASE = "\r\u001b[K";

    private final boolean isOn = isTerminal();

    private static boolean isTerminal() {
        try {
            String to = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return to.startsWith("/dev/pts/") || to.startsWith("/dev/tty");
        } catch (IOException _) {
            return false;
        }
    }

    void show(String text) {
        if (isOn) {
            System.err.print(ERASE + text);
        }
    }

    @Override
    public void close() {
        show("");
    }
}
