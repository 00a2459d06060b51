package org.malote.accept;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class HeaderWatchTest {
    private static final int FLAGS =
            Pattern.CASE_INSENSITIVE | Pattern.MULTILINE | Pattern.UNIX_LINES;
    private static final Pattern RECEIVED = Pattern.compile("^received[ \t]*:", FLAGS);
    private static final Pattern MPC = Pattern.compile("^mpc[ \t]*:", FLAGS);

    /// Whatever the pieces and the cuts, it sees what a reader of the whole header section sees.
    @Test
    void seesWhatAReaderOfTheWholeSees() {
        List<String> pieces =
                List.of(
                        "mpc",
                        "MPC",
                        "Mpc:",
                        "MPC:",
                        "m",
                        "p",
                        "Received",
                        "rec",
                        "RECEIVED:",
                        ":",
                        " ",
                        "\t",
                        "\r\n",
                        "\r\n",
                        "x: y",
                        "\r\n\r\n",
                        "\n",
                        "\r");
        RandomGenerator random = new SplittableRandom(40);
        int seen = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n >= 0; n--) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            String message = text.toString();
            // The section ends at the first empty line, which may be the first of all.
            int end = ("\r\n" + message).indexOf("\r\n\r\n");
            String header = end < 0 ? message : message.substring(0, Math.max(0, end));
            header = header.replace("\r", ""); // hides no name
            HeaderWatch watch = watch(message, random);
            String shown = message.replace("\r", "[CR]").replace("\n", "[LF]");
            assertEquals(RECEIVED.matcher(header).results().count(), watch.received(), shown);
            assertEquals(MPC.matcher(header).find(), watch.hasCode(), shown);
            seen += watch.hasCode() ? 1 : 0;
        }
        assertTrue(seen > 1_000, "messages with the field: " + seen);
    }

    private static HeaderWatch watch(String message, RandomGenerator random) {
        HeaderWatch watch = new HeaderWatch();
        ByteBuf octets = Unpooled.copiedBuffer(message, StandardCharsets.US_ASCII);
        int at = 0;
        while (at < octets.readableBytes()) {
            int length = 1 + random.nextInt(octets.readableBytes() - at);
            watch.inspect(octets, at, length);
            at += length;
        }
        octets.release();
        return watch;
    }
}
