package org.malote.app;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// One line on the terminal that says how far a long command is, rewritten in place. Where standard
/// error is no terminal there is none.
final class Progress implements AutoCloseable {
    /// What is done sooner needs none.
    private static final long DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /// Often enough to look alive.
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final int BAR_CELLS = 30;

    private static final String ERASE = "\r\u001b[K";

    private final Screen screen;
    private final boolean isOn;
    private long nextNanos;
    private boolean isShown;

    private Progress(Screen screen, boolean isOn) {
        this.screen = screen;
        this.isOn = isOn;
        this.nextNanos = screen.nanoTime() + DELAY_NANOS;
    }

    /// For a command that prints when it has ended.
    static Progress on(Screen screen) {
        return new Progress(screen, screen.isErrTerminal());
    }

    /// For a command that prints meanwhile: rows on the same terminal are progress enough.
    static Progress besideRows(Screen screen) {
        return new Progress(screen, screen.isErrTerminal() && !screen.isOutTerminal());
    }

    /// Says how far it is.
    ///
    /// @param of 0 when that is not known
    void show(String what, long seen, long of) {
        if (!isOn || screen.nanoTime() - nextNanos < 0) {
            return;
        }
        nextNanos = screen.nanoTime() + INTERVAL_NANOS;
        isShown = true;
        screen.note(
                ERASE
                        + what
                        + " "
                        + String.format("%,d", seen)
                        + (of > 0 ? String.format(" of %,d, %d %%", of, seen * 100 / of) : ""));
    }

    /// Shows a bar, for a command whose time is known.
    ///
    /// @param share what is done, 0 to 1
    void bar(String what, double share) {
        if (!isOn || screen.nanoTime() - nextNanos < 0) {
            return;
        }
        nextNanos = screen.nanoTime() + INTERVAL_NANOS;
        isShown = true;
        double done = Math.clamp(share, 0, 1);
        int full = (int) (done * BAR_CELLS);
        screen.note(
                String.format(
                        Locale.ROOT,
                        "%s[%s%s] %3d %% %s",
                        ERASE,
                        "#".repeat(full),
                        ".".repeat(BAR_CELLS - full),
                        (int) (done * 100),
                        what));
    }

    /// Takes the line away.
    @Override
    public void close() {
        if (isShown) {
            isShown = false;
            screen.note(ERASE);
        }
    }
}
