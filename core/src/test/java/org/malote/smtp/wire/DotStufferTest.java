package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// RFC 5321 §4.5.2 and check P02, over every short string and every split of it.
final class DotStufferTest {
    /// Heap buffers without the leak detector: there are half a million of them.
    private static final UnpooledByteBufAllocator HEAP = new UnpooledByteBufAllocator(false, true);

    private static final char[] ALPHABET = {'\r', '\n', '.', 'x'};

    @Test
    void everyShortMessageIsStuffedAsTheNaiveTwinDoesItHoweverItIsSplit() {
        int refused = 0;
        int sent = 0;
        for (String message : strings(6)) {
            String expected = naive(message);
            for (int mask = 0; mask < 1 << Math.max(0, message.length() - 1); mask++) {
                assertEquals(expected, stuff(pieces(message, mask)), () -> show(message));
            }
            if (expected == null) {
                refused++;
            } else {
                sent++;
                assertNoBareLineEnd(expected);
                assertEquals(endWithCrLf(message), unstuff(expected), () -> show(message));
            }
        }
        assertTrue(refused > 0 && sent > 0);
    }

    @Test
    void longRandomMessagesAgreeWithTheNaiveTwin() {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(17);
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder();
            int lines = random.nextInt(60);
            for (int i = 0; i < lines; i++) {
                text.append(".".repeat(random.nextInt(3)))
                        .append("x".repeat(random.nextInt(70)))
                        .append(random.nextInt(200) == 0 ? "\n" : "\r\n");
            }
            String message = text.toString();
            List<String> pieces = new ArrayList<>();
            for (int at = 0; at < message.length(); ) {
                int end = Math.min(message.length(), at + 1 + random.nextInt(40));
                pieces.add(message.substring(at, end));
                at = end;
            }
            assertEquals(naive(message), stuff(pieces));
        }
    }

    @Test
    void chunksPassUnchangedOrNotAtAll() {
        for (String message : strings(6)) {
            boolean isClean = naive(message) != null;
            for (int mask = 0; mask < 1 << Math.max(0, message.length() - 1); mask++) {
                String sent = run(DotStuffer.forChunks(), pieces(message, mask));
                assertEquals(isClean ? message : null, sent, () -> show(message));
            }
        }
    }

    @Test
    void aMessageWithoutDotsAtLineStartsIsNotCopied() {
        ByteBuf piece = bytes("one\r\ntwo.\r\n");
        assertSame(piece, DotStuffer.forData().consume(piece, HEAP));
        piece.release();
    }

    private static @Nullable String stuff(List<String> pieces) {
        return run(DotStuffer.forData(), pieces);
    }

    private static @Nullable String run(DotStuffer stuffer, List<String> pieces) {
        StringBuilder wire = new StringBuilder();
        for (String piece : pieces) {
            ByteBuf out = stuffer.consume(bytes(piece), HEAP);
            if (out == null) {
                return null;
            }
            wire.append(out.toString(StandardCharsets.US_ASCII));
            out.release();
        }
        ByteBuf end = stuffer.finish();
        return end == null ? null : wire + end.toString(StandardCharsets.US_ASCII);
    }

    /// Line by line, on the whole message.
    private static @Nullable String naive(String message) {
        StringBuilder wire = new StringBuilder();
        for (String line : message.split("\r\n", -1)) {
            if (line.indexOf('\r') >= 0 || line.indexOf('\n') >= 0) {
                return null;
            }
            wire.append(line.startsWith(".") ? "." : "").append(line).append("\r\n");
        }
        if (message.isEmpty() || message.endsWith("\r\n")) {
            wire.setLength(wire.length() - 2);
        }
        return wire.append(".\r\n").toString();
    }

    private static String unstuff(String wire) {
        assertTrue(wire.equals(".\r\n") || wire.endsWith("\r\n.\r\n"));
        StringBuilder message = new StringBuilder();
        for (String line : wire.substring(0, wire.length() - 3).split("\r\n", -1)) {
            assertFalse(line.equals("."), "the end came early");
            message.append(line.startsWith(".") ? line.substring(1) : line).append("\r\n");
        }
        message.setLength(message.length() - 2);
        return message.toString();
    }

    private static String endWithCrLf(String message) {
        return message.isEmpty() || message.endsWith("\r\n") ? message : message + "\r\n";
    }

    private static void assertNoBareLineEnd(String wire) {
        String rest = wire.replace("\r\n", "");
        assertTrue(rest.indexOf('\r') < 0 && rest.indexOf('\n') < 0, () -> show(wire));
    }

    @Test
    void theTwinItselfRefusesBareLineEnds() {
        assertNull(naive("x\ny"));
        assertNull(naive("x\r"));
        assertEquals("..\r\n.\r\n", naive("."));
        assertEquals(".\r\n", naive(""));
    }

    private static List<String> strings(int lengthMax) {
        List<String> all = new ArrayList<>(List.of(""));
        for (int i = 0; i < all.size() && all.get(i).length() < lengthMax; i++) {
            for (char c : ALPHABET) {
                all.add(all.get(i) + c);
            }
        }
        return all;
    }

    /// A set bit cuts behind that character.
    private static List<String> pieces(String message, int mask) {
        List<String> pieces = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < message.length(); i++) {
            if ((mask >> i & 1) != 0 || i == message.length() - 1) {
                pieces.add(message.substring(start, i + 1));
                start = i + 1;
            }
        }
        return pieces;
    }

    private static ByteBuf bytes(String text) {
        return HEAP.heapBuffer().writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String show(String text) {
        return text.replace("\r", "\\r").replace("\n", "\\n");
    }
}
