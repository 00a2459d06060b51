package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Reply;

final class ReplyParserTest {
    @Test
    void readsOneLineWithItsEnhancedStatus() {
        Reply reply = one("250 2.1.5 recipient ok\r\n");
        assertEquals(250, reply.code());
        assertEquals(new EnhancedStatus(2, 1, 5), reply.status());
        assertEquals(List.of("recipient ok"), reply.lines());
    }

    @Test
    void readsSeveralLinesAndTakesTheStatusFromEach() {
        assertEquals(
                List.of("no such user", "ask postmaster"),
                one("550-5.1.1 no such user\r\n550 5.1.1 ask postmaster\r\n").lines());
    }

    @Test
    void aStatusOfAnotherClassThanTheCodeIsText() {
        Reply reply = one("450 5.1.1 confused\r\n");
        assertEquals(null, reply.status());
        assertEquals(List.of("5.1.1 confused"), reply.lines());
    }

    @Test
    void aCodeAloneIsAReply() {
        assertEquals(Reply.plain(250, ""), one("250\r\n"));
    }

    @Test
    void aBareLineFeedEndsALine() {
        assertEquals(List.of("a", "b"), one("250-a\n250 b\n").lines());
    }

    @Test
    void repliesThatCameTogetherAreReadInOrder() {
        assertEquals(
                List.of("250 one", "550 two", "354 three"),
                read(List.of("250 one\r\n550 two\r\n354 three\r\n")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "25\r\n",
                "2x0 ok\r\n",
                "199 early\r\n",
                "600 late\r\n",
                "250_ok\r\n",
                "250-one\r\n251 two\r\n",
                "250 nul \0\r\n",
                "250 bare \r cr\r\n",
                "HTTP/1.1 400 Bad Request\r\n",
                "\u0016\u0003\u0001\u0000\r\n"
            })
    void whatIsNoReplyBreaksTheConnection(String octets) {
        List<String> read = read(List.of(octets));
        assertEquals("broken", read.getLast());
    }

    @Test
    void anEndlessLineIsRefusedWhileItComes() {
        ReplyParser parser = new ReplyParser();
        ByteBuf in = Unpooled.buffer();
        ReplyParser.Result result = parser.next(in);
        int fed = 0;
        while (result instanceof ReplyParser.Incomplete) {
            in.writeBytes("250-".repeat(64).getBytes(StandardCharsets.US_ASCII));
            fed += 256;
            result = parser.next(in);
        }
        assertInstanceOf(ReplyParser.Broken.class, result);
        assertTrue(fed <= ReplyParser.LINE_OCTETS_MAX + 256);
    }

    @Test
    void anEndlessContinuationIsRefused() {
        ReplyParser parser = new ReplyParser();
        for (int i = 0; i < ReplyParser.LINES_MAX; i++) {
            assertInstanceOf(ReplyParser.Incomplete.class, parser.next(bytes("250-more\r\n")));
        }
        assertInstanceOf(ReplyParser.Broken.class, parser.next(bytes("250 end\r\n")));
    }

    @Test
    void manyLongLinesAreRefusedBeforeTheyFillTheMemory() {
        ReplyParser parser = new ReplyParser();
        String line = "250-" + "x".repeat(2000) + "\r\n";
        int lines = 1;
        while (parser.next(bytes(line)) instanceof ReplyParser.Incomplete) {
            lines++;
        }
        assertTrue(lines <= ReplyParser.REPLY_OCTETS_MAX / line.length() + 1);
    }

    @Test
    void segmentationNeverMattersAndNoOctetsThrow() {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(23);
        String[] words = {
            "250", "550", "354", "-", " ", "\r\n", "\n", "\r", "2.0.0", "x", "\0", "é"
        };
        for (int round = 0; round < 3000; round++) {
            StringBuilder text = new StringBuilder();
            int count = random.nextInt(14);
            for (int i = 0; i < count; i++) {
                text.append(words[random.nextInt(words.length)]);
            }
            String whole = text.toString();
            List<String> octets = new ArrayList<>();
            for (int i = 0; i < whole.length(); i++) {
                octets.add(whole.substring(i, i + 1));
            }
            assertEquals(read(List.of(whole)), read(octets));
        }
    }

    @Test
    void writtenRepliesReadBack() {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(29);
        for (int round = 0; round < 500; round++) {
            int code = 200 + random.nextInt(400);
            EnhancedStatus status =
                    code / 100 != 3 && random.nextBoolean()
                            ? new EnhancedStatus(code / 100, random.nextInt(8), random.nextInt(20))
                            : null;
            List<String> lines = new ArrayList<>();
            int count = 1 + random.nextInt(4);
            StringBuilder wire = new StringBuilder();
            for (int i = 0; i < count; i++) {
                lines.add("w".repeat(random.nextInt(20)));
                wire.append(code).append(i == count - 1 ? ' ' : '-');
                wire.append(status == null ? "" : status + " ").append(lines.getLast());
                wire.append("\r\n");
            }
            assertEquals(new Reply(code, status, lines), one(wire.toString()));
        }
    }

    private static Reply one(String wire) {
        ByteBuf in = bytes(wire);
        ReplyParser.Result result = new ReplyParser().next(in);
        assertEquals(0, in.readableBytes());
        return assertInstanceOf(ReplyParser.Complete.class, result).reply();
    }

    private static List<String> read(List<String> pieces) {
        ReplyParser parser = new ReplyParser();
        ByteBuf in = Unpooled.buffer();
        List<String> seen = new ArrayList<>();
        for (String piece : pieces) {
            in.writeBytes(piece.getBytes(StandardCharsets.ISO_8859_1));
            boolean goesOn = true;
            while (goesOn) {
                goesOn =
                        switch (parser.next(in)) {
                            case ReplyParser.Complete(Reply reply) -> seen.add(reply.oneLine());
                            case ReplyParser.Incomplete _ -> false;
                            case ReplyParser.Broken _ -> {
                                seen.add("broken");
                                yield false;
                            }
                        };
            }
            if (seen.contains("broken")) {
                return seen;
            }
        }
        return seen;
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
    }
}
