package org.malote.app;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// Turns off what a terminal shows of what is typed, and on again in any case: `System.console()`
/// could do it only while the output goes to the terminal too, and not to a file.
final class Echo implements AutoCloseable {
    /// stty(1) asks the kernel, and nobody else.
    private static final long STTY_SECONDS = 5;

    /// Of an end by a signal, such as Ctrl-C at the prompt.
    private final Thread atExit = new Thread(Echo::on);

    private Echo() {}

    /// @throws IOException when it cannot be turned off
    static Echo off() throws IOException {
        Echo echo = new Echo();
        Runtime.getRuntime().addShutdownHook(echo.atExit);
        if (!stty("-echo")) {
            echo.close();
            throw new IOException(
                    "the terminal would show the password; give it on standard input instead");
        }
        return echo;
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        on();
    }

    private static void on() {
        var _ = stty("echo");
    }

    private static boolean stty(String argument) {
        try {
            Process process =
                    new ProcessBuilder("stty", argument)
                            .redirectInput(ProcessBuilder.Redirect.INHERIT)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            return process.waitFor(STTY_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
