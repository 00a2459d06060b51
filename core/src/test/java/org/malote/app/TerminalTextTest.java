package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class TerminalTextTest {
    @Test
    void showsLinesTabsAndUtf8AsTheyAre() throws IOException {
        assertEquals(
                "Subject: \u00e9\u65e5\n\tfolded\nend\n",
                shown("Subject: \u00e9\u65e5\r\n\tfolded\nend"));
        assertEquals("", shown(""));
        assertEquals("\n", shown("\r\n"));
    }

    @Test
    void showsNothingElseThatATerminalWouldObey() throws IOException {
        assertEquals(
                "\\x1b]0;owned\\x07\\x1b[2J\\x00\\x08\\x7f\\x5c\n",
                shown("\u001b]0;owned\u0007\u001b[2J\0\b\u007f\\"));
        // C1 controls in UTF-8 and as single octets, direction overrides, line separators.
        assertEquals("\\x9b2J\n", shown("\u009b2J"));
        assertEquals("\\x9b2J\n", shown(new byte[] {(byte) 0x9b, '2', 'J'}));
        assertEquals("\\u202e\\u2028\\ufeff\n", shown("\u202e\u2028\ufeff"));
        assertEquals("a\\x0db\\x0d\\x0d\nc\\x0d\n", shown("a\rb\r\r\r\nc\r"));
    }

    @Test
    void showsWhatIsNotUtf8AsItsOctets() throws IOException {
        assertEquals("\\xe9t\\xe9\n", shown(new byte[] {(byte) 0xe9, 't', (byte) 0xe9}));
        assertEquals(
                "\\xc0\\xaf\\xff\n", shown(new byte[] {(byte) 0xc0, (byte) 0xaf, (byte) 0xff}));
        assertEquals("\\xe6\\x97a\n", shown(new byte[] {(byte) 0xe6, (byte) 0x97, 'a'}));
        assertEquals(
                "\\xe6\\x97\n\\x80\n",
                shown(new byte[] {(byte) 0xe6, (byte) 0x97, '\n', (byte) 0x80}));
    }

    @Test
    void itDoesNotMatterHowTheMessageIsCut() throws IOException {
        RandomGenerator random = new Random(20_261_125);
        byte[] alphabet =
                "a\r\n\t\u001b\u00e9\u65e5\ud83d\ude00\u009b".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 500; i++) {
            byte[] message = new byte[random.nextInt(30)];
            for (int j = 0; j < message.length; j++) {
                message[j] = alphabet[random.nextInt(alphabet.length)];
            }
            String whole = shown(message);
            TestScreen screen = new TestScreen(() -> Instant.EPOCH);
            TerminalText text = new TerminalText(screen.screen());
            for (byte each : message) {
                text.write(new byte[] {each});
            }
            text.end();
            assertEquals(whole, screen.out(), Arrays.toString(message));
            assertEquals(
                    0,
                    whole.chars()
                            .filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t')
                            .count());
        }
    }

    private static String shown(String message) throws IOException {
        return shown(message.getBytes(StandardCharsets.UTF_8));
    }

    private static String shown(byte[] message) throws IOException {
        TestScreen screen = new TestScreen(() -> Instant.EPOCH);
        TerminalText text = new TerminalText(screen.screen());
        text.write(message);
        text.end();
        return screen.out();
    }
}
