package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class EndOfDataScannerTest {
    private static final char[] ALPHABET = {'\r', '\n', '.', 'x'};

    /// P01: every short confusion of line ends and dots there is, each at every split.
    @Test
    void agreesWithTheNaiveScannerOnEveryShortInputAtEverySplit() {
        for (int length = 0; length <= 6; length++) {
            int inputs = (int) Math.pow(ALPHABET.length, length);
            for (int number = 0; number < inputs; number++) {
                String text = text(number, length);
                compare(text, 0);
                compare("x" + text + "\r\n.\r\n", 0);
                for (int split = 1; split < length; split++) {
                    compare(text, split);
                    compare("\r\n" + text + "\r\n.\r\nRSET\r\n", split + 2);
                }
            }
        }
    }

    @Test
    void agreesWithTheNaiveScannerOnLongRandomInputAtRandomSplits() {
        RandomGenerator random = new Random(2003);
        for (int round = 0; round < 2000; round++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(200);
            for (int i = 0; i < length; i++) {
                text.append(
                        random.nextInt(4) == 0
                                ? "\r\n"
                                : String.valueOf(ALPHABET[random.nextInt(4)]));
            }
            compare(text.toString(), random.nextInt(1, 8));
        }
    }

    @Test
    void leavesWhatStandsBehindTheEnd() {
        ByteBuf in = octets("a\r\n.\r\nQUIT\r\n");
        StringBuilder text = new StringBuilder();
        assertTrue(new EndOfDataScanner().scan(in, sink(text)));
        assertEquals("a\r\n", text.toString());
        assertEquals("QUIT\r\n", in.toString(StandardCharsets.ISO_8859_1));
    }

    @Test
    void takesAnEmptyMessage() {
        ByteBuf in = octets(".\r\n");
        StringBuilder text = new StringBuilder();
        assertTrue(new EndOfDataScanner().scan(in, sink(text)));
        assertEquals("", text.toString());
    }

    @Test
    void doesNotEndAtADotBetweenBareLineEnds() {
        for (String smuggled :
                new String[] {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n"}) {
            EndOfDataScanner scanner = new EndOfDataScanner();
            ByteBuf in = octets("x" + smuggled + "MAIL FROM:<a@b.example>\r\n");
            assertFalse(scanner.scan(in, sink(new StringBuilder())), smuggled);
            assertTrue(scanner.hasBareLineEnd(), smuggled);
        }
    }

    /// Cuts the input into pieces of `split` octets; 0 leaves it whole.
    private static void compare(String input, int split) {
        byte[] octets = input.getBytes(StandardCharsets.ISO_8859_1);
        NaiveScanner.Found expected = NaiveScanner.scan(octets);
        EndOfDataScanner scanner = new EndOfDataScanner();
        StringBuilder text = new StringBuilder();
        int consumed = 0;
        boolean isEnded = false;
        int size = split == 0 ? Math.max(1, octets.length) : split;
        while (!isEnded && consumed < octets.length) {
            ByteBuf piece =
                    Unpooled.copiedBuffer(
                            octets, consumed, Math.min(size, octets.length - consumed));
            int before = piece.readableBytes();
            isEnded = scanner.scan(piece, sink(text));
            consumed += before - piece.readableBytes();
            piece.release();
        }
        String shown = input.replace("\r", "\\r").replace("\n", "\\n") + " split at " + split;
        assertEquals(expected.end() >= 0, isEnded, shown);
        assertEquals(expected.hasBareLineEnd(), bare(scanner, octets, isEnded), shown);
        if (isEnded) {
            assertEquals(expected.end(), consumed, shown);
            if (!expected.hasBareLineEnd()) {
                assertEquals(expected.text(), text.toString(), shown);
            }
        }
    }

    /// The scanner knows that a CR was bare when it sees what follows; the twin sees the whole.
    private static boolean bare(EndOfDataScanner scanner, byte[] octets, boolean isEnded) {
        boolean endsInCr = octets.length > 0 && octets[octets.length - 1] == '\r';
        return scanner.hasBareLineEnd() || (!isEnded && endsInCr);
    }

    private static String text(int number, int length) {
        StringBuilder text = new StringBuilder(length);
        int rest = number;
        for (int i = 0; i < length; i++) {
            text.append(ALPHABET[rest % ALPHABET.length]);
            rest /= ALPHABET.length;
        }
        return text.toString();
    }

    private static EndOfDataScanner.Sink sink(StringBuilder text) {
        return (buffer, index, length) ->
                text.append(buffer.toString(index, length, StandardCharsets.ISO_8859_1));
    }

    private static ByteBuf octets(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
    }
}
