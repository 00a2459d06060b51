package org.malote.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.malote.admin.Ages;
import org.malote.admin.ControlClient;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.admin.JsonLines;
import org.malote.queue.MessageId;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "show",
        description = {
            "Shows everything that is known of one message.",
            "",
            "Its envelope, how each recipient stands, and its header section.",
            "What strangers wrote is escaped: \\x1b stands for the octet 1b."
        },
        footer = {
            "",
            "Examples:",
            "  malote queue show 2b3c4d5f6",
            "  malote queue show --body 2b3c4d5f6 > message.eml"
        },
        mixinStandardHelpOptions = true)
final class QueueShowCommand extends QueueAsking {
    @Parameters(paramLabel = "ID", description = "As malote queue list shows it.")
    private @Nullable String id;

    @Option(
            names = "--body",
            description =
                    "The whole message and nothing else: as it is stored, but escaped on a terminal.")
    private boolean withBody;

    @Option(names = "--raw", description = "With --body: as it is stored, on a terminal too.")
    private boolean isRaw;

    @Option(
            names = "--json",
            description =
                    "One JSON object, with the header section or the body as a text of a character"
                            + " for each octet.")
    private boolean isJson;

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        if (isRaw && (!withBody || isJson)) {
            throw wrong("--raw goes with --body alone");
        }
        MessageId wanted = id(Commands.present(id));
        Output output =
                isJson
                        ? new JsonOutput(screen, withBody)
                        : withBody
                                ? screen.isOutTerminal() && !isRaw
                                        ? new EscapedBody(screen)
                                        : new RawBody(screen)
                                : new Text(screen);
        Counts _ = ask(new ControlRequest.Show(wanted, withBody), output);
        output.end();
        return 0;
    }

    private interface Output extends ControlClient.Listener {
        void end() throws IOException;
    }

    private static byte[] bytes(JsonNode value) throws IOException {
        return value.isTextual() ? value.binaryValue() : new byte[0];
    }

    private record RawBody(Screen screen) implements Output {
        @Override
        public void on(String kind, JsonNode value) throws IOException {
            if (kind.equals("bytes")) {
                screen.write(bytes(value));
            }
        }

        @Override
        public void end() {}
    }

    private record EscapedBody(Screen screen, TerminalText text) implements Output {
        EscapedBody(Screen screen) {
            this(screen, new TerminalText(screen));
        }

        @Override
        public void on(String kind, JsonNode value) throws IOException {
            if (kind.equals("bytes")) {
                text.write(bytes(value));
            }
        }

        @Override
        public void end() throws IOException {
            text.end();
        }
    }

    /// The message as an object, its bytes last, piece by piece.
    private static final class JsonOutput implements Output {
        private final Screen screen;
        private final QueueRows.Json rows;
        private final String field;
        private boolean hasBytes;
        private String cut = "";

        JsonOutput(Screen screen, boolean withBody) {
            this.screen = screen;
            this.rows = new QueueRows.Json(screen);
            this.field = withBody ? "body" : "header";
        }

        @Override
        public void on(String kind, JsonNode value) throws IOException {
            switch (kind) {
                case "message" -> rows.message(value);
                case "recipient" -> rows.recipient(value);
                case "bytes" -> {
                    beginBytes();
                    String quoted =
                            JsonLines.write(
                                    new TextNode(
                                            new String(bytes(value), StandardCharsets.ISO_8859_1)));
                    print(quoted.substring(1, quoted.length() - 1));
                }
                case "cutAt" -> cut = ",\"headerCutAt\":" + value.asLong();
                default -> {}
            }
        }

        private void beginBytes() throws IOException {
            if (!hasBytes) {
                hasBytes = true;
                print("],\"" + field + "\":\"");
            }
        }

        private void print(String text) throws IOException {
            screen.write(text.getBytes(StandardCharsets.US_ASCII));
        }

        @Override
        public void end() throws IOException {
            beginBytes();
            screen.line("\"" + cut + "}");
        }
    }

    /// For people.
    private static final class Text implements Output {
        private final Screen screen;
        private final TerminalText header;
        private boolean hasHeader;

        Text(Screen screen) {
            this.screen = screen;
            this.header = new TerminalText(screen);
        }

        @Override
        public void on(String kind, JsonNode value) throws IOException {
            switch (kind) {
                case "message" -> message(value);
                case "recipient" -> recipient(value);
                case "bytes" -> {
                    if (!hasHeader) {
                        hasHeader = true;
                        screen.line("");
                    }
                    header.write(bytes(value));
                }
                case "cutAt" -> {
                    header.end();
                    screen.line(
                            "(cut after "
                                    + Ages.formatBytes(value.asLong())
                                    + "; --body shows it whole)");
                }
                default -> {}
            }
        }

        @Override
        public void end() throws IOException {
            header.end();
        }

        private void message(JsonNode message) throws IOException {
            field("id", message.path("id").asText());
            field("from", address(message.path("sender")));
            field("size", message.path("size").asText() + " bytes");
            field(
                    "accepted",
                    message.path("accepted").asText()
                            + ", "
                            + Ages.format(message.path("ageSeconds").asLong() * 1000)
                            + " ago");
            for (Map.Entry<String, JsonNode> each : message.path("attributes").properties()) {
                field(each.getKey(), each.getValue().asText());
            }
        }

        private void recipient(JsonNode recipient) throws IOException {
            StringBuilder state = new StringBuilder(recipient.path("state").asText());
            String next = QueueRows.next(recipient, screen.clock());
            if (recipient.has("heldBy")) {
                state.append(' ').append(next);
            } else if (!next.isEmpty()) {
                state.append(
                                switch (next) {
                                    case "suspended" -> ", domain ";
                                    case "bouncing" -> ", ";
                                    default -> ", next ";
                                })
                        .append(next);
            }
            int attempts = recipient.path("attempts").asInt();
            if (attempts > 0) {
                state.append(", ")
                        .append(attempts)
                        .append(attempts == 1 ? " attempt" : " attempts");
            }
            field("to", address(recipient.path("address")));
            line("state", state.toString());
            for (Map.Entry<String, JsonNode> each : recipient.path("attributes").properties()) {
                line(each.getKey(), each.getValue().asText());
            }
            String reply = recipient.path("lastReply").asText();
            if (!reply.isEmpty()) {
                line("reply", reply);
            }
        }

        private void field(String name, String value) throws IOException {
            line("%-9s %s", name, value);
        }

        private void line(String name, String value) throws IOException {
            line("  %-7s %s", name, value);
        }

        private void line(String format, String name, String value) throws IOException {
            screen.line(
                    String.format(
                            format, Printable.escapeWhole(name), Printable.escapeWhole(value)));
        }

        private static String address(JsonNode text) {
            return "<" + text.asText() + ">";
        }
    }
}
