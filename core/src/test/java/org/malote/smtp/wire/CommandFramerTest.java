package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CommandFramerTest {
    private static final int LINE_MAX = 512;

    @Test
    void cutsLinesWhateverTheSplit() {
        String input = "EHLO a\r\n\r\nbad\nworse\r\rx\r\nNOOP\r\n";
        List<Frame> whole = frames(input, input.length());
        assertEquals(
                List.of(
                        new Frame.Line("EHLO a"),
                        new Frame.Line(""),
                        new Frame.Refused(LineFault.BARE_LINE_END),
                        new Frame.Refused(LineFault.BARE_LINE_END),
                        new Frame.Line("NOOP")),
                whole);
        for (int size = 1; size < input.length(); size++) {
            assertEquals(whole, frames(input, size), "pieces of " + size);
        }
    }

    /// P06, RFC 5321 §4.5.3.1.4: the limit counts the CRLF.
    @Test
    void takesALineUpToTheLimitAndRefusesOneMore() {
        for (int size : new int[] {1, 7, 2000}) {
            assertEquals(
                    List.of(new Frame.Line("x".repeat(LINE_MAX - 3))),
                    frames("x".repeat(LINE_MAX - 3) + "\r\n", size));
            assertEquals(
                    List.of(new Frame.Line("x".repeat(LINE_MAX - 2))),
                    frames("x".repeat(LINE_MAX - 2) + "\r\n", size));
            assertEquals(
                    List.of(new Frame.Refused(LineFault.TOO_LONG), new Frame.Line("NOOP")),
                    frames("x".repeat(LINE_MAX - 1) + "\r\nNOOP\r\n", size));
        }
    }

    @Test
    void givesUpOnALineThatDoesNotEndAndKeepsNothingOfIt() {
        CommandFramer framer = new CommandFramer(LINE_MAX);
        ByteBuf in = Unpooled.buffer(1024);
        boolean isEndless = false;
        for (int sent = 0; sent < 2 * CommandFramer.ENDLESS_OCTETS && !isEndless; sent += 1000) {
            in.clear();
            in.writeZero(1000).setZero(0, 1000);
            for (int i = 0; i < 1000; i++) {
                in.setByte(i, 'x');
            }
            isEndless = framer.next(in).equals(new Frame.Refused(LineFault.ENDLESS));
            assertTrue(in.readableBytes() <= LINE_MAX || isEndless);
            if (in.isReadable()) {
                in.readerIndex(in.writerIndex());
            }
        }
        assertTrue(isEndless);
    }

    /// P07: no control, NUL or broken UTF-8 gets past the framer; UTF-8 does (RFC 6531).
    @Test
    void refusesWhatIsNoText() {
        for (byte[] octets :
                new byte[][] {
                    {'a', 0, '\r', '\n'},
                    {'a', '\t', '\r', '\n'},
                    {'a', 0x7f, '\r', '\n'},
                    {'a', (byte) 0xff, '\r', '\n'},
                    {'a', (byte) 0xc3, '\r', '\n'},
                    {(byte) 0xc2, (byte) 0x85, '\r', '\n'},
                    {0x16, 3, 1, 0, 5, '\r', '\n'},
                }) {
            assertEquals(
                    new Frame.Refused(LineFault.NOT_TEXT),
                    new CommandFramer(LINE_MAX).next(Unpooled.wrappedBuffer(octets)));
        }
        assertEquals(List.of(new Frame.Line("π")), frames("π\r\n", 1));
    }

    private static List<Frame> frames(String input, int size) {
        CommandFramer framer = new CommandFramer(LINE_MAX);
        byte[] octets = input.getBytes(StandardCharsets.UTF_8);
        List<Frame> frames = new ArrayList<>();
        ByteBuf in = Unpooled.buffer();
        for (int i = 0; i < octets.length; i += size) {
            in.writeBytes(octets, i, Math.min(size, octets.length - i));
            while (true) {
                Frame frame = framer.next(in);
                if (frame instanceof Frame.Incomplete) {
                    break;
                }
                frames.add(frame);
            }
        }
        return frames;
    }
}
