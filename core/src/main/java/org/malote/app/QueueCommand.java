package org.malote.app;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.admin.Ages;
import org.malote.admin.ControlClient;
import org.malote.admin.ControlRequest;
import org.malote.admin.QueueFilter;
import org.malote.admin.QueueShape;
import org.malote.config.Units;
import org.malote.queue.MessageId;
import org.malote.queue.Selection;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "queue",
        description = "Looks at the queue of the running server, and changes it.",
        mixinStandardHelpOptions = true,
        subcommands = {
            QueueCommand.ListAll.class,
            QueueCommand.Shape.class,
            QueueCommand.Show.class,
            QueueCommand.Retry.class,
            QueueCommand.Hold.class,
            QueueCommand.Release.class,
            QueueCommand.Remove.class
        })
final class QueueCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                Commands.present(spec).commandLine(), "say what to do, such as malote queue list");
    }

    /// What every one of them does.
    abstract static class Asking implements Callable<Integer> {
        @Spec private @Nullable CommandSpec spec;

        @Mixin private final ConfigOption config = new ConfigOption();

        long ask(ControlRequest request, Consumer<JsonNode> each) throws CommandFailure {
            try {
                return new ControlClient(config.settings().controlSocket()).ask(request, each);
            } catch (IOException e) {
                throw new CommandFailure(String.valueOf(e.getMessage()), e);
            }
        }

        PrintWriter out() {
            return Commands.present(spec).commandLine().getOut();
        }

        MessageId id(String text) {
            try {
                return MessageId.parse(text);
            } catch (IllegalArgumentException e) {
                throw wrong(String.valueOf(e.getMessage()));
            }
        }

        ParameterException wrong(String sentence) {
            return new ParameterException(Commands.present(spec).commandLine(), sentence);
        }
    }

    @Command(
            name = "list",
            description = {
                "Lists the messages in the queue, oldest first: all, or those that have a recipient of"
                        + " whom everything is true that the options say. In addresses * stands for"
                        + " any characters, and the case does not matter."
            },
            mixinStandardHelpOptions = true)
    static final class ListAll extends Asking {
        @Option(names = "--json", description = "One JSON object a line.")
        private boolean isJson;

        @Option(names = "--sender", paramLabel = "ADDRESS", description = "\"\" for bounces.")
        private @Nullable String sender;

        @Option(names = "--recipient", paramLabel = "ADDRESS")
        private @Nullable String recipient;

        @Option(names = "--domain", paramLabel = "DOMAIN", description = "Of the recipient.")
        private @Nullable String domain;

        @Option(
                names = "--state",
                paramLabel = "STATE",
                description = "waiting, active, held, failed or delivered.")
        private @Nullable String state;

        @Option(names = "--older-than", paramLabel = "AGE", description = "Such as 90s, 2h, 3d.")
        private @Nullable String olderThan;

        @Option(names = "--younger-than", paramLabel = "AGE")
        private @Nullable String youngerThan;

        @Option(
                names = "--reply",
                paramLabel = "TEXT",
                description = "Somewhere in the recipient's last reply.")
        private @Nullable String reply;

        private QueueFilter filter() {
            try {
                return new QueueFilter(
                        sender,
                        recipient,
                        domain,
                        state == null ? null : QueueFilter.state(state),
                        millis(olderThan),
                        millis(youngerThan),
                        reply);
            } catch (IllegalArgumentException e) {
                throw wrong(String.valueOf(e.getMessage()));
            }
        }

        private static @Nullable Long millis(@Nullable String text) {
            if (text == null) {
                return null;
            }
            Duration age = Units.parseDuration(text);
            if (age == null) {
                throw new IllegalArgumentException(
                        "an age is written as 90s, 15m, 2h or 3d, not \""
                                + Printable.escape(text)
                                + "\"");
            }
            return age.toMillis();
        }

        @Override
        public Integer call() throws CommandFailure {
            PrintWriter out = out();
            if (isJson) {
                ask(new ControlRequest.ListSome(filter()), out::println);
                return 0;
            }
            boolean[] hasHeader = {false};
            long count =
                    ask(
                            new ControlRequest.ListSome(filter()),
                            message -> {
                                if (!hasHeader[0]) {
                                    hasHeader[0] = true;
                                    out.println(
                                            row("ID", "SIZE", "AGE", "STATE", "NEXT", "FROM, TO"));
                                }
                                list(message, out, Clock.systemUTC());
                            });
            out.println(
                    count > 0
                            ? count + (count == 1 ? " message" : " messages")
                            : filter().equals(QueueFilter.ALL)
                                    ? "the queue is empty"
                                    : "no such message is in the queue");
            return 0;
        }
    }

    @Command(
            name = "shape",
            description =
                    "Counts the recipients that wait, by destination and by the age of their message"
                            + " in minutes. The largest destinations come first.",
            mixinStandardHelpOptions = true)
    static final class Shape extends Asking {
        @Option(names = "--json", description = "One JSON object a line, for every destination.")
        private boolean isJson;

        @Option(
                names = "--rows",
                paramLabel = "N",
                defaultValue = "40",
                description = "How many destinations to show. Default: ${DEFAULT-VALUE}.")
        private int rows;

        @Override
        public Integer call() throws CommandFailure {
            PrintWriter out = out();
            if (isJson) {
                ask(new ControlRequest.Shape(), out::println);
                return 0;
            }
            List<JsonNode> lines = new ArrayList<>();
            long[] totals = new long[QueueShape.bucketMinutes().size() + 2];
            ask(
                    new ControlRequest.Shape(),
                    line -> {
                        totals[0] += line.path("total").asLong();
                        for (int i = 1; i < totals.length; i++) {
                            totals[i] += line.path("ages").path(i - 1).asLong();
                        }
                        if (lines.size() < rows) {
                            lines.add(line);
                        }
                    });
            StringBuilder header = new StringBuilder(String.format("%-40s %7s", "", "TOTAL"));
            int last = 0;
            for (int minutes : QueueShape.bucketMinutes()) {
                header.append(String.format(" %6s", "<" + minutes));
                last = minutes;
            }
            out.println(header.append(String.format(" %6s", last + "+")));
            StringBuilder sums = new StringBuilder(String.format("%-40s %7d", "TOTAL", totals[0]));
            for (int i = 1; i < totals.length; i++) {
                sums.append(String.format(" %6d", totals[i]));
            }
            out.println(sums);
            for (JsonNode line : lines) {
                StringBuilder row =
                        new StringBuilder(
                                String.format(
                                        "%-40s %7d",
                                        Printable.escape(line.path("destination").asText()),
                                        line.path("total").asLong()));
                for (JsonNode count : line.path("ages")) {
                    row.append(String.format(" %6d", count.asLong()));
                }
                out.println(row);
            }
            return 0;
        }
    }

    @Command(
            name = "show",
            description = "Shows everything that is known of one message.",
            mixinStandardHelpOptions = true)
    static final class Show extends Asking {
        @Parameters(paramLabel = "ID", description = "As malote queue list shows it.")
        private @Nullable String id;

        @Option(names = "--json", description = "As one JSON object.")
        private boolean isJson;

        @Option(names = "--body", description = "The message itself, as it is stored.")
        private boolean withBody;

        @Override
        public Integer call() throws CommandFailure {
            PrintWriter out = out();
            long _ =
                    ask(
                            new ControlRequest.Show(id(Commands.present(id)), withBody),
                            message -> {
                                if (isJson) {
                                    out.println(message);
                                } else if (withBody) {
                                    out.flush();
                                    byte[] body =
                                            message.path("body")
                                                    .asText()
                                                    .getBytes(StandardCharsets.ISO_8859_1);
                                    System.out.write(body, 0, body.length);
                                    System.out.flush();
                                } else {
                                    show(message, out, Clock.systemUTC());
                                }
                            });
            return 0;
        }
    }

    /// A command that changes messages.
    abstract static class Changing extends Asking {
        @Parameters(
                paramLabel = "ID",
                arity = "0..*",
                description = "As malote queue list shows them.")
        private List<String> ids = List.of();

        @Option(names = "--all", description = "Every message in the queue.")
        private boolean isAll;

        int change(ControlRequest.Verb verb, String done) throws CommandFailure {
            if (isAll == !ids.isEmpty()) {
                throw wrong("name messages by their ids, or all of them with --all");
            }
            Set<MessageId> chosen = new LinkedHashSet<>();
            for (String text : ids) {
                chosen.add(id(text));
            }
            Selection selection = isAll ? Selection.all() : new Selection.Ids(chosen);
            long count = ask(new ControlRequest.Change(verb, selection), _ -> {});
            if (!isAll && count < chosen.size()) {
                throw new CommandFailure(
                        count
                                + " of "
                                + chosen.size()
                                + (chosen.size() == 1 ? " message " : " messages ")
                                + done
                                + "; the others are not in the queue, or there was nothing to"
                                + " change; see malote queue list");
            }
            out().println(count + (count == 1 ? " message " : " messages ") + done);
            return 0;
        }
    }

    @Command(
            name = "retry",
            description = "Makes messages due now.",
            mixinStandardHelpOptions = true)
    static final class Retry extends Changing {
        @Override
        public Integer call() throws CommandFailure {
            return change(ControlRequest.Verb.RETRY, "due now");
        }
    }

    @Command(
            name = "hold",
            description = "Holds messages until they are released.",
            mixinStandardHelpOptions = true)
    static final class Hold extends Changing {
        @Override
        public Integer call() throws CommandFailure {
            return change(ControlRequest.Verb.HOLD, "held");
        }
    }

    @Command(
            name = "release",
            description = "Releases messages that are held, by an operator or by their route.",
            mixinStandardHelpOptions = true)
    static final class Release extends Changing {
        @Override
        public Integer call() throws CommandFailure {
            return change(ControlRequest.Verb.RELEASE, "released");
        }
    }

    @Command(
            name = "remove",
            description = "Removes messages for good. Nobody is told.",
            mixinStandardHelpOptions = true)
    static final class Remove extends Changing {
        @Override
        public Integer call() throws CommandFailure {
            return change(ControlRequest.Verb.REMOVE, "removed");
        }
    }

    /// A line for the message and its sender, then one for each recipient that is not done.
    static void list(JsonNode message, PrintWriter out, InstantSource clock) {
        out.println(
                row(
                        message.path("id").asText(),
                        Ages.formatBytes(message.path("size").asLong()),
                        Ages.format(message.path("ageSeconds").asLong() * 1000),
                        "",
                        "",
                        address(message.path("sender"))));
        for (JsonNode recipient : message.path("recipients")) {
            String state = recipient.path("state").asText();
            if (state.equals("delivered")) {
                continue;
            }
            out.println(
                    row(
                            "",
                            "",
                            "",
                            state,
                            next(recipient, clock),
                            "  " + address(recipient.path("address"))));
            if (recipient.has("lastReply")) {
                out.println(
                        row(
                                "",
                                "",
                                "",
                                "",
                                "",
                                "  ("
                                        + Printable.escape(recipient.path("lastReply").asText())
                                        + ")"));
            }
        }
    }

    private static void show(JsonNode message, PrintWriter out, InstantSource clock) {
        field(out, "id", message.path("id").asText());
        field(out, "from", address(message.path("sender")));
        field(out, "size", message.path("size").asText() + " bytes");
        field(
                out,
                "accepted",
                message.path("accepted").asText()
                        + ", "
                        + Ages.format(message.path("ageSeconds").asLong() * 1000)
                        + " ago");
        message.path("attributes")
                .properties()
                .forEach(
                        entry ->
                                field(
                                        out,
                                        Printable.escape(entry.getKey()),
                                        Printable.escape(entry.getValue().asText())));
        for (JsonNode recipient : message.path("recipients")) {
            StringBuilder text = new StringBuilder(address(recipient.path("address")));
            text.append(": ").append(recipient.path("state").asText());
            if (recipient.has("heldBy")) {
                text.append(" by ").append(recipient.path("heldBy").asText());
            }
            int attempts = recipient.path("attempts").asInt();
            if (attempts > 0) {
                text.append(", ").append(attempts).append(attempts == 1 ? " attempt" : " attempts");
            }
            String next = next(recipient, clock);
            if (!next.isEmpty()) {
                text.append(", next ").append(next);
            }
            if (recipient.has("lastReply")) {
                text.append(" (")
                        .append(Printable.escape(recipient.path("lastReply").asText()))
                        .append(')');
            }
            field(out, "to", text.toString());
        }
    }

    private static void field(PrintWriter out, String name, String value) {
        out.println(String.format("%-10s %s", name, value));
    }

    private static String address(JsonNode text) {
        return "<" + Printable.escape(text.asText()) + ">";
    }

    private static String next(JsonNode recipient, InstantSource clock) {
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

    private static String row(
            String id, String size, String age, String state, String next, String rest) {
        return String.format("%-12s %9s %7s  %-8s %-9s %s", id, size, age, state, next, rest)
                .stripTrailing();
    }
}
