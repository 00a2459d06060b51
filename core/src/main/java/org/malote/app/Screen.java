package org.malote.app;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// Where a command reads and writes, and what of it is a terminal. Unlike a [PrintWriter] it does
/// not go on when nobody reads any more, or when the disk that the output goes to is full.
final class Screen {
    /// For rows that go to a file or another program.
    private static final int BUFFER_BYTES = 64 << 10;

    private final OutputStream out;
    private final OutputStream err;
    private final BufferedReader in;
    private final boolean isOutTerminal;
    private final boolean isErrTerminal;
    private final boolean isInTerminal;
    private final InstantSource clock;
    private final LongSupplier nanoTime;

    /// @param nanoTime a clock that only goes on, in nanoseconds
    Screen(
            InputStream in,
            boolean isInTerminal,
            OutputStream out,
            boolean isOutTerminal,
            OutputStream err,
            boolean isErrTerminal,
            InstantSource clock,
            LongSupplier nanoTime) {
        this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.isInTerminal = isInTerminal;
        this.out = new BufferedOutputStream(out, BUFFER_BYTES);
        this.isOutTerminal = isOutTerminal;
        this.err = err;
        this.isErrTerminal = isErrTerminal;
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    /// The one of this process.
    static Screen ofProcess() {
        return new Screen(
                new FileInputStream(FileDescriptor.in),
                isTerminal(0),
                new FileOutputStream(FileDescriptor.out),
                isTerminal(1),
                new FileOutputStream(FileDescriptor.err),
                isTerminal(2),
                Clock.systemUTC(),
                System::nanoTime);
    }

    /// `System.console()` looks at input and output together; a list into a pager and a question
    /// about a change ask about one of them.
    private static boolean isTerminal(int descriptor) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString()
                    .matches("/dev/(pts/[0-9]+|console|tty.*|hvc[0-9]+)");
        } catch (IOException _) {
            return false;
        }
    }

    /// Nobody reads the output any more, such as `head` that has seen enough: no failure, and
    /// nothing to say.
    static final class ReaderGoneException extends IOException {
        private static final long serialVersionUID = 1L;

        ReaderGoneException(IOException cause) {
            super("nobody reads the output any more", cause);
        }
    }

    boolean isOutTerminal() {
        return isOutTerminal;
    }

    boolean isErrTerminal() {
        return isErrTerminal;
    }

    /// Whether somebody can be asked a question.
    boolean isInteractive() {
        return isInTerminal && isErrTerminal;
    }

    InstantSource clock() {
        return clock;
    }

    long nanoTime() {
        return nanoTime.getAsLong();
    }

    /// @throws IOException as [#write]
    void line(String text) throws IOException {
        write((text + "\n").getBytes(StandardCharsets.UTF_8));
        if (isOutTerminal) {
            flush();
        }
    }

    /// @throws ReaderGoneException when nobody reads it
    /// @throws IOException when it cannot be written, with a sentence for the operator
    void write(byte[] bytes) throws IOException {
        try {
            out.write(bytes);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// @throws IOException as [#write]
    void flush() throws IOException {
        try {
            out.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static IOException failed(IOException cause) {
        return "Broken pipe".equals(cause.getMessage())
                ? new ReaderGoneException(cause)
                : new IOException("the output cannot be written: " + cause.getMessage(), cause);
    }

    /// Writes on standard error; what fails there, fails.
    void note(String text) {
        try {
            err.write(text.getBytes(StandardCharsets.UTF_8));
            err.flush();
        } catch (IOException _) {
            // There is nowhere left to say so.
        }
    }

    /// Asks on the terminal.
    ///
    /// @return whether the answer is yes
    boolean confirms(String question) throws IOException {
        note(question + " [y/N] ");
        String answer = in.readLine();
        if (answer == null) {
            note("\n");
            return false;
        }
        return answer.strip().matches("(?i)y|yes");
    }

    /// Whether somebody types what is read.
    boolean isInTerminal() {
        return isInTerminal;
    }

    /// Reads a line that nobody else should see: on a terminal it is asked for, and not shown.
    ///
    /// @return the line, empty when there is none
    /// @throws IOException when it would be shown, or cannot be read
    String secret(String question) throws IOException {
        if (!isInTerminal) {
            return line();
        }
        note(question);
        try (Echo _ = Echo.off()) {
            return line();
        } finally {
            note("\n");
        }
    }

    private String line() throws IOException {
        String line = in.readLine();
        return line == null ? "" : line;
    }

    /// For picocli: what it prints itself.
    PrintWriter outWriter() {
        return new PrintWriter(out, true, StandardCharsets.UTF_8);
    }

    PrintWriter errWriter() {
        return new PrintWriter(err, true, StandardCharsets.UTF_8);
    }

    /// The screen of the program that a command belongs to.
    static Screen of(@Nullable CommandSpec spec) {
        return ((MaloteCommand) Commands.present(spec).root().userObject()).screen();
    }
}
