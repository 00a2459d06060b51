package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Reply;

final class ReplyWriterTest {
    @Test
    void putsTheStatusOnEachLineAndAHyphenOnAllButTheLast() {
        assertEquals(
                "214-2.0.0 one\r\n214 2.0.0 two\r\n",
                written(new Reply(214, new EnhancedStatus(2, 0, 0), List.of("one", "two"))));
        assertEquals("220 mx.example ESMTP\r\n", written(Reply.plain(220, "mx.example ESMTP")));
    }

    /// P17: what a peer sent and we repeat can start no line of its own.
    @Test
    void escapesControlsAndWhatIsNotAscii() {
        assertEquals(
                "550 5.1.1 \\x1b[2J \\u03c0\r\n", written(Reply.of(550, "5.1.1", "\u001b[2J π")));
        assertThrows(IllegalArgumentException.class, () -> Reply.of(550, "5.1.1", "a\r\n250 b"));
    }

    /// RFC 5321 §4.5.3.1.5.
    @Test
    void cutsALineAt512Octets() {
        for (String text : new String[] {"x".repeat(2000), "π".repeat(2000), "xπ".repeat(500)}) {
            String written = written(Reply.of(550, "5.1.1", text));
            assertTrue(written.length() <= 512, text);
            assertTrue(written.endsWith("\r\n"));
        }
    }

    private static String written(Reply reply) {
        ByteBuf out = Unpooled.buffer();
        ReplyWriter.write(reply, out);
        return out.toString(StandardCharsets.ISO_8859_1);
    }
}
