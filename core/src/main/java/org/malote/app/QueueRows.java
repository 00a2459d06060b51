package org.malote.app;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import org.malote.admin.Ages;
import org.malote.admin.JsonLines;
import org.malote.smtp.Printable;

/// Prints messages and their recipients as they come, and keeps none of them.
sealed interface QueueRows {
    void message(JsonNode message) throws IOException;

    /// A recipient of the last message.
    void recipient(JsonNode recipient) throws IOException;

    /// There are no more.
    void end() throws IOException;

    static QueueRows on(Screen screen, boolean isJson) {
        return isJson ? new Json(screen) : new Table(screen);
    }

    /// When a recipient is due, for people.
    static String next(JsonNode recipient, InstantSource clock) {
        if (recipient.path("bouncing").asBoolean()) {
            return "bouncing";
        }
        if (recipient.path("suspended").asBoolean()) {
            return "suspended";
        }
        if (recipient.has("heldBy")) {
            return "by " + recipient.path("heldBy").asText();
        }
        if (!recipient.has("nextAttempt")) {
            return "";
        }
        try {
            long millis =
                    Instant.parse(recipient.path("nextAttempt").asText()).toEpochMilli()
                            - clock.millis();
            return millis <= 0 ? "now" : "in " + Ages.format(millis);
        } catch (DateTimeParseException _) {
            return "";
        }
    }

    /// One JSON object a message, its recipients last in it.
    final class Json implements QueueRows {
        private final Screen screen;
        private boolean isOpen;
        private boolean hasRecipients;

        Json(Screen screen) {
            this.screen = screen;
        }

        @Override
        public void message(JsonNode message) throws IOException {
            end();
            String whole = JsonLines.write(message);
            print(whole.substring(0, whole.length() - 1) + ",\"recipients\":[");
            isOpen = true;
            hasRecipients = false;
        }

        @Override
        public void recipient(JsonNode recipient) throws IOException {
            print((hasRecipients ? "," : "") + JsonLines.write(recipient));
            hasRecipients = true;
        }

        @Override
        public void end() throws IOException {
            if (isOpen) {
                isOpen = false;
                screen.line("]}");
            }
        }

        private void print(String text) throws IOException {
            screen.write(text.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /// A line for the message and its sender, then one for each recipient, and its last reply.
    final class Table implements QueueRows {
        /// What a terminal has as a rule. Replies alone are longer as a rule; they are broken
        /// between words, and elsewhere than on a terminal left whole, for those who search.
        private static final int COLUMNS = 80;

        /// Where addresses begin.
        private static final int ADDRESS_COLUMN = 28;

        private final Screen screen;
        private boolean hasHeader;

        Table(Screen screen) {
            this.screen = screen;
        }

        @Override
        public void message(JsonNode message) throws IOException {
            if (!hasHeader) {
                hasHeader = true;
                screen.line(messageRow("ID", "SIZE", "AGE", "FROM"));
                screen.line(recipientRow("STATE", "NEXT", "TO"));
            }
            screen.line(
                    messageRow(
                            message.path("id").asText(),
                            Ages.formatBytes(message.path("size").asLong()),
                            Ages.format(message.path("ageSeconds").asLong() * 1000),
                            address(message.path("sender"))));
        }

        @Override
        public void recipient(JsonNode recipient) throws IOException {
            screen.line(
                    recipientRow(
                            recipient.path("state").asText(),
                            next(recipient, screen.clock()),
                            address(recipient.path("address"))));
            String reply = recipient.path("lastReply").asText();
            if (!reply.isEmpty()) {
                screen.line(
                        wrapped(
                                "(" + Printable.escape(reply) + ")",
                                ADDRESS_COLUMN + 2,
                                screen.isOutTerminal()));
            }
        }

        @Override
        public void end() {}

        private static String address(JsonNode text) {
            return "<" + Printable.escape(text.asText()) + ">";
        }

        private static String messageRow(String id, String size, String age, String from) {
            return String.format(Locale.ROOT, "%-10s %8s %6s  %s", id, size, age, from);
        }

        private static String recipientRow(String state, String next, String to) {
            return String.format(Locale.ROOT, "  %-9s %-14s  %s", state, next, to);
        }

        /// @param indent columns before each line
        /// @param isBroken whether lines end before the terminal does
        static String wrapped(String text, int indent, boolean isBroken) {
            StringBuilder lines = new StringBuilder();
            int from = 0;
            while (isBroken && text.length() - from > COLUMNS - indent) {
                int to = text.lastIndexOf(' ', from + COLUMNS - indent);
                if (to <= from) {
                    to = text.indexOf(' ', from);
                    if (to < 0) {
                        break;
                    }
                }
                lines.append(" ".repeat(indent)).append(text, from, to).append('\n');
                from = to + 1;
            }
            return lines.append(" ".repeat(indent)).append(text, from, text.length()).toString();
        }
    }
}
