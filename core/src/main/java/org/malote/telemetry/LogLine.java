package org.malote.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.List;
import org.slf4j.event.KeyValuePair;

/// Writes one logged event as one line. For one thread. No character that could begin a second
/// line, or move a
/// terminal's cursor, gets through, whoever logged it.
final class LogLine {
    /// Our own loggers, whose events are made of fields.
    private static final String EVENTS = "malote.";

    private static final long MILLIS_OF_SECOND = 1000;

    private static final DateTimeFormatter SECOND =
            new DateTimeFormatterBuilder().appendInstant(0).toFormatter();

    private static final JsonFactory JSON =
            JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();

    private final LogFormat format;
    private final long pid;

    /// The last second that was written, and its text: many lines share it.
    private long second = Long.MIN_VALUE;

    private String secondText = "";

    LogLine(LogFormat format, long pid) {
        this.format = format;
        this.pid = pid;
    }

    /// Appends the event and a line feed.
    void append(ILoggingEvent event, ByteArrayOutputStream out) throws IOException {
        switch (format) {
            case TEXT -> out.writeBytes(text(event).getBytes(StandardCharsets.UTF_8));
            case JSON -> json(event, out);
        }
    }

    /// `2026-11-23T18:36:01.123Z malote/delivery[71]: h7kq: to=<a@b.example>, delay=0.51,
    /// status=sent (250 2.0.0 ok)`
    private String text(ILoggingEvent event) {
        StringBuilder line = new StringBuilder(256);
        appendTime(event.getTimeStamp(), line);
        String logger = event.getLoggerName();
        boolean isEvent = logger.startsWith(EVENTS);
        line.append(" malote");
        if (isEvent) {
            line.append('/').append(logger, EVENTS.length(), logger.length());
        }
        line.append('[').append(pid).append("]:");
        if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
            line.append(event.getLevel() == Level.WARN ? " warning:" : " error:");
        }
        List<KeyValuePair> pairs = pairs(event);
        int first = 0;
        String name = event.getFormattedMessage();
        if (isEvent && !pairs.isEmpty() && isId(pairs.getFirst().key)) {
            line.append(' ').append(pairs.getFirst().value).append(':');
            first = 1;
        }
        // Postfix's line for an attempt has no word for it: tools that read mail logs rely on that.
        String separator = " ";
        if (!name.equals("attempt")) {
            line.append(' ');
            clean(name, line);
            separator = pairs.size() > first ? ": " : "";
        }
        String reply = "";
        for (int i = first; i < pairs.size(); i++) {
            KeyValuePair pair = pairs.get(i);
            String value = String.valueOf(pair.value);
            if (pair.key.equals("reply")) {
                reply = value;
                continue;
            }
            line.append(separator);
            separator = ", ";
            switch (pair.key) {
                case "from", "to" -> {
                    line.append(pair.key).append("=<");
                    clean(value, line);
                    line.append('>');
                }
                default -> {
                    if (pair.key.endsWith("Millis") && pair.value instanceof Long millis) {
                        line.append(pair.key, 0, pair.key.length() - "Millis".length())
                                .append('=')
                                .append(millis / 1000)
                                .append('.')
                                .append((char) ('0' + millis / 100 % 10))
                                .append((char) ('0' + millis / 10 % 10));
                    } else {
                        line.append(pair.key).append('=');
                        clean(value, line);
                    }
                }
            }
        }
        if (!reply.isEmpty()) {
            line.append(" (");
            clean(reply, line);
            line.append(')');
        }
        appendCause(event, line);
        return line.append('\n').toString();
    }

    /// As ISO 8601 has it, in milliseconds.
    private void appendTime(long millis, StringBuilder out) {
        long current = Math.floorDiv(millis, MILLIS_OF_SECOND);
        if (current != second) {
            second = current;
            secondText = SECOND.format(Instant.ofEpochSecond(current)).replace("Z", ".");
        }
        int rest = (int) Math.floorMod(millis, MILLIS_OF_SECOND);
        out.append(secondText)
                .append((char) ('0' + rest / 100))
                .append((char) ('0' + rest / 10 % 10))
                .append((char) ('0' + rest % 10))
                .append('Z');
    }

    private void json(ILoggingEvent event, ByteArrayOutputStream out) throws IOException {
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            var time = new StringBuilder();
            appendTime(event.getTimeStamp(), time);
            json.writeStringField("time", time.toString());
            json.writeStringField("level", word(event.getLevel()));
            String logger = event.getLoggerName();
            boolean isEvent = logger.startsWith(EVENTS);
            json.writeStringField("logger", isEvent ? logger.substring(EVENTS.length()) : logger);
            json.writeStringField(isEvent ? "event" : "message", event.getFormattedMessage());
            for (KeyValuePair pair : pairs(event)) {
                switch (pair.value) {
                    case Long number -> json.writeNumberField(pair.key, number);
                    case Integer number -> json.writeNumberField(pair.key, number);
                    case null, default ->
                            json.writeStringField(pair.key, String.valueOf(pair.value));
                }
            }
            if (event.getThrowableProxy() != null) {
                StringBuilder cause = new StringBuilder();
                appendCause(event, cause);
                json.writeStringField("cause", cause.toString());
            }
            json.writeEndObject();
        }
        out.write('\n');
    }

    private static List<KeyValuePair> pairs(ILoggingEvent event) {
        List<KeyValuePair> pairs = event.getKeyValuePairs();
        return pairs == null ? List.of() : pairs;
    }

    private static boolean isId(String key) {
        return key.equals("session") || key.equals("queue");
    }

    /// What a bug leaves: the chain of causes and where each began, on the same line.
    private static void appendCause(ILoggingEvent event, StringBuilder line) {
        int depth = 0;
        for (IThrowableProxy cause = event.getThrowableProxy();
                cause != null && depth < CAUSES_MAX;
                cause = cause.getCause(), depth++) {
            line.append(" [").append(cause.getClassName()).append(": ");
            clean(String.valueOf(cause.getMessage()), line);
            var trace = cause.getStackTraceElementProxyArray();
            for (int i = 0; i < Math.min(trace.length, FRAMES_MAX); i++) {
                line.append(i == 0 ? " at " : " < ")
                        .append(trace[i].getStackTraceElement().toString());
            }
            line.append(']');
        }
    }

    /// Ours: what identifies a bug, without a screenful for it.
    private static final int CAUSES_MAX = 4;

    private static final int FRAMES_MAX = 8;

    private static String word(Level level) {
        return switch (level.toInt()) {
            case Level.ERROR_INT -> "error";
            case Level.WARN_INT -> "warning";
            case Level.INFO_INT -> "info";
            default -> "debug";
        };
    }

    private static void clean(String text, StringBuilder line) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 0x20 && c != 0x7f && (c < 0x80 || c > 0x9f) && c != 0x2028 && c != 0x2029) {
                line.append(c);
            } else {
                line.append(String.format("\\x%02x", (int) c));
            }
        }
    }
}
