package org.malote.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

final class LogLineTest {
    private static final Instant WHEN = Instant.parse("2026-11-23T18:36:01.123Z");

    @Test
    void showsAnAttemptAsPostfixDoes() throws IOException {
        assertEquals(
                "2026-11-23T18:36:01.123Z malote/delivery[71]: h7kq: to=<a@b.example>,"
                        + " relay=mx.b.example[192.0.2.1]:25, delay=62.51, dsn=2.0.0, status=sent"
                        + " (250 2.0.0 ok)\n",
                text(attempt(LogFormat.TEXT, "250 2.0.0 ok")));
    }

    @Test
    void showsAnAttemptAsJson() throws IOException {
        assertEquals(
                "{\"time\":\"2026-11-23T18:36:01.123Z\",\"level\":\"info\",\"logger\":\"delivery\","
                        + "\"event\":\"attempt\",\"queue\":\"h7kq\",\"to\":\"a@b.example\","
                        + "\"relay\":\"mx.b.example[192.0.2.1]:25\",\"delayMillis\":62512,"
                        + "\"dsn\":\"2.0.0\",\"status\":\"sent\",\"reply\":\"250 \\\"ok\\\"\"}\n",
                text(attempt(LogFormat.JSON, "250 \"ok\"")));
    }

    @Test
    void namesOtherEvents() throws IOException {
        assertEquals(
                "2026-11-23T18:36:01.123Z malote/session[71]: s1: rejected: peer=192.0.2.1,"
                        + " stage=RCPT (550 5.7.1 no)\n",
                text(
                        line(
                                LogFormat.TEXT,
                                "malote.session",
                                Level.INFO,
                                "rejected",
                                null,
                                new KeyValuePair("session", "s1"),
                                new KeyValuePair("peer", "192.0.2.1"),
                                new KeyValuePair("stage", "RCPT"),
                                new KeyValuePair("reply", "550 5.7.1 no"))));
    }

    @Test
    void keepsEveryEventOnOneLine() throws IOException {
        for (LogFormat format : LogFormat.values()) {
            String line =
                    text(
                            line(
                                    format,
                                    "org.example.Library",
                                    Level.WARN,
                                    "a\nb\rc\u0000d\u001b[2Je\u0085f\u2028g",
                                    new IllegalStateException("x\ny"),
                                    new KeyValuePair("to", "x>\r\nmalote: forged")));
            assertEquals(1, line.chars().filter(c -> c == '\n').count(), line);
            assertEquals(0, line.chars().filter(c -> c < 0x20 && c != '\n').count(), line);
        }
    }

    private static ByteArrayOutputStream attempt(LogFormat format, String reply)
            throws IOException {
        return line(
                format,
                "malote.delivery",
                Level.INFO,
                "attempt",
                null,
                new KeyValuePair("queue", "h7kq"),
                new KeyValuePair("to", "a@b.example"),
                new KeyValuePair("relay", "mx.b.example[192.0.2.1]:25"),
                new KeyValuePair("delayMillis", 62_512L),
                new KeyValuePair("dsn", "2.0.0"),
                new KeyValuePair("status", "sent"),
                new KeyValuePair("reply", reply));
    }

    private static ByteArrayOutputStream line(
            LogFormat format,
            String logger,
            Level level,
            String message,
            @Nullable Throwable thrown,
            KeyValuePair... pairs)
            throws IOException {
        LoggingEvent event =
                new LoggingEvent(
                        "", new LoggerContext().getLogger(logger), level, message, thrown, null);
        event.setInstant(WHEN);
        for (KeyValuePair pair : pairs) {
            event.addKeyValuePair(pair);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new LogLine(format, 71).append(event, out);
        return out;
    }

    private static String text(ByteArrayOutputStream out) {
        return out.toString(StandardCharsets.UTF_8);
    }
}
