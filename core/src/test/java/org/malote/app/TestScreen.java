package org.malote.app;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.Set;

/// A screen that remembers. Each look at its monotonic clock is a second later than the last.
final class TestScreen {
    enum Terminal {
        IN,
        OUT,
        ERR
    }

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final InstantSource clock;
    private Set<Terminal> terminals = EnumSet.noneOf(Terminal.class);
    private String typed = "";
    private OutputStream broken = out;
    private long nowNanos;

    TestScreen(InstantSource clock) {
        this.clock = clock;
    }

    TestScreen with(Terminal... those) {
        terminals = Set.of(those);
        return this;
    }

    /// Somebody types this.
    TestScreen typing(String text) {
        typed = text;
        return this;
    }

    /// The output goes elsewhere.
    TestScreen into(OutputStream stream) {
        broken = stream;
        return this;
    }

    Screen screen() {
        return new Screen(
                new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8)),
                terminals.contains(Terminal.IN),
                broken,
                terminals.contains(Terminal.OUT),
                err,
                terminals.contains(Terminal.ERR),
                clock,
                () -> nowNanos += 1_000_000_000);
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    byte[] outBytes() {
        return out.toByteArray();
    }

    String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /// Runs a command.
    ///
    /// @return the exit status
    int run(String... arguments) {
        return Main.commandLine(screen()).execute(arguments);
    }
}
