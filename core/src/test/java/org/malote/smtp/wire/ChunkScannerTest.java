package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class ChunkScannerTest {
    @Test
    void findsBareLineEndsOverEverySplit() {
        for (String text :
                new String[] {
                    "",
                    "x",
                    "a\r\nb\r\n",
                    "\r\n",
                    "\r",
                    "\n",
                    "a\rb",
                    "a\nb",
                    "\r\r\n",
                    "\r\n\n",
                    "a\r\n\r\n.\r\n",
                    "\n\r\n"
                }) {
            String withoutPairs = text.replace("\r\n", "");
            boolean bare = withoutPairs.indexOf('\r') >= 0 || withoutPairs.indexOf('\n') >= 0;
            ByteBuf octets = Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
            for (int split = 0; split <= text.length(); split++) {
                ChunkScanner scanner = new ChunkScanner();
                scanner.inspect(octets, 0, split);
                scanner.inspect(octets, split, text.length() - split);
                assertEquals(bare, scanner.hasBareLineEnd(true), text + " at " + split);
            }
        }
    }

    @Test
    void waitsForTheNextChunkWhenOneEndsBetweenCrAndLf() {
        ChunkScanner scanner = new ChunkScanner();
        scanner.inspect(Unpooled.copiedBuffer("a\r", StandardCharsets.ISO_8859_1), 0, 2);
        assertEquals(false, scanner.hasBareLineEnd(false));
        assertEquals(true, scanner.hasBareLineEnd(true));
    }
}
