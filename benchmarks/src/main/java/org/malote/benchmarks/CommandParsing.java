package org.malote.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.malote.smtp.wire.CommandFramer;
import org.malote.smtp.wire.CommandParser;
import org.malote.smtp.wire.Frame;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/// From the octets of a command line to the command, as a session does it: cut, decoded, parsed.
/// With `-prof gc` it says what a command allocates.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class CommandParsing {
    private static final int LINE_OCTETS_MAX = 2048;

    /// What real senders say.
    public enum Line {
        EHLO("EHLO mail-ej1-f41.peer.example"),
        STARTTLS("STARTTLS"),
        MAIL("MAIL FROM:<bounces+1234567-box=isp.example@mail.peer.example>"),
        MAIL_PARAMETERS(
                "MAIL FROM:<ana.silva@peer.example> SIZE=48213 BODY=8BITMIME MPC=per/individual"),
        RCPT("RCPT TO:<joao.souza@isp.example>"),
        RCPT_PARAMETERS(
                "RCPT TO:<joao.souza@isp.example> NOTIFY=FAILURE,DELAY"
                        + " ORCPT=rfc822;joao.souza@isp.example"),
        DATA("DATA"),
        BDAT("BDAT 48213 LAST"),
        QUIT("QUIT"),
        /// Eight commands that come in one piece.
        PIPELINED(
                "MAIL FROM:<ana.silva@peer.example> SIZE=48213\r\n"
                        + "RCPT TO:<joao.souza@isp.example>\r\n".repeat(6)
                        + "DATA");

        private final String text;

        Line(String text) {
            this.text = text;
        }
    }

    @Param Line line;

    private final CommandFramer framer = new CommandFramer(LINE_OCTETS_MAX);
    private ByteBuf input;

    @Setup
    public void make() {
        // Off the heap, as what comes from TLS.
        input =
                Unpooled.directBuffer()
                        .writeBytes((line.text + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    @TearDown
    public void release() {
        input.release();
    }

    @Benchmark
    public void parse(Blackhole commands) {
        input.readerIndex(0);
        while (framer.next(input) instanceof Frame.Line(var text)) {
            commands.consume(CommandParser.parse(text));
        }
        if (input.isReadable()) {
            throw new IllegalStateException("a line was refused");
        }
    }
}
