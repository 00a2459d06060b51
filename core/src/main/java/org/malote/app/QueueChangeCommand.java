package org.malote.app;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.malote.admin.ControlRequest;
import org.malote.admin.ControlRequest.Choice;
import org.malote.admin.ControlRequest.Mode;
import org.malote.admin.ControlRequest.Verb;
import org.malote.admin.Counts;
import org.malote.admin.QueueFilter;
import org.malote.queue.MessageId;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A command that changes messages.
abstract class QueueChangeCommand extends QueueAsking {
    private static final String WHOM_1 =
            "Name messages by their ids, or all with --all: they are changed whole. Or say with"
                    + " filters which, as malote queue list does: --sender, --older-than and"
                    + " --younger-than change whole messages; with --recipient, --domain, --state or"
                    + " --reply only those recipients are changed of whom everything is true that"
                    + " the filters say.";

    private static final String WHOM_2 =
            "Interrupted, it stops; what was changed by then stays so.";

    @Parameters(paramLabel = "ID", arity = "0..*", description = "As malote queue list shows them.")
    private List<String> ids = List.of();

    @Option(names = "--all", description = "Every message in the queue.")
    private boolean isAll;

    @Mixin private final FilterOptions filters = new FilterOptions();

    @Option(names = "--dry-run", description = "Changes nothing, and lists what would be changed.")
    private boolean isDry;

    @Option(
            names = "--json",
            description = "One JSON object with the numbers; of a dry run, as malote queue list.")
    private boolean isJson;

    private final Verb verb;
    private final String done;

    /// @param done what was done then, as in "held"
    QueueChangeCommand(Verb verb, String done) {
        this.verb = verb;
        this.done = done;
    }

    /// What is to be asked before; empty for what can be undone.
    String warning() {
        return "";
    }

    /// Whether nothing is to be asked.
    boolean isConfirmed() {
        return true;
    }

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        Choice choice = choice();
        if (isDry) {
            return dryRun(choice, screen);
        }
        if (choice instanceof Choice.Matching && !isConfirmed() && !confirms(choice, screen)) {
            screen.line("nothing was " + done);
            return 1;
        }
        Counts changed;
        try (Progress progress = Progress.on(screen)) {
            changed =
                    ask(
                            new ControlRequest.Change(verb, choice, Mode.ACT),
                            (kind, value) -> show(kind, value, "went through", progress));
        }
        if (choice instanceof Choice.Ids(Set<MessageId> named)
                && changed.messages() < named.size()) {
            throw new CommandFailure(
                    done
                            + " "
                            + changed.messages()
                            + " of "
                            + named.size()
                            + (named.size() == 1 ? " message" : " messages")
                            + "; the others are not in the queue, or there was nothing to change;"
                            + " see malote queue list");
        }
        screen.line(
                isJson ? QueueListCommand.json(changed) : sentence(changed, choice, "was ", ""));
        return 0;
    }

    private int dryRun(Choice choice, Screen screen) throws IOException, CommandFailure {
        QueueRows rows = QueueRows.on(screen, isJson);
        Counts found;
        try (Progress progress = Progress.besideRows(screen)) {
            found = ask(new ControlRequest.Change(verb, choice, Mode.LIST), rows, "read", progress);
        }
        rows.end();
        if (!isJson) {
            screen.line(sentence(found, choice, "would be ", "would be "));
        }
        return 0;
    }

    private String sentence(Counts counts, Choice choice, String whenNone, String whenSome) {
        return counts.messages() == 0
                ? "nothing " + whenNone + done
                : whenSome
                        + done
                        + (whenSome.isEmpty() ? " " : ": ")
                        + counts.text(choice.isOfRecipients());
    }

    private Choice choice() {
        QueueFilter filter;
        try {
            filter = filters.filter();
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
        boolean isFiltered = !filter.equals(QueueFilter.ALL);
        if ((isAll ? 1 : 0) + (isFiltered ? 1 : 0) + (ids.isEmpty() ? 0 : 1) != 1) {
            throw wrong("name messages by their ids, or with filters, or all of them with --all");
        }
        if (ids.isEmpty()) {
            return new Choice.Matching(filter);
        }
        Set<MessageId> chosen = new LinkedHashSet<>();
        for (String text : ids) {
            chosen.add(id(text));
        }
        return new Choice.Ids(chosen);
    }

    private boolean confirms(Choice choice, Screen screen) throws IOException, CommandFailure {
        if (!screen.isInteractive()) {
            throw wrong(
                    "to "
                            + verb.word()
                            + " without ids takes --yes, or --dry-run to see what it would do");
        }
        Counts found;
        try (Progress progress = Progress.on(screen)) {
            found =
                    ask(
                            new ControlRequest.Change(verb, choice, Mode.COUNT),
                            (kind, value) -> show(kind, value, "read", progress));
        }
        return found.messages() == 0
                || screen.confirms(
                        String.format(
                                Locale.ROOT,
                                "%s %s? %s",
                                verb.word(),
                                found.text(choice.isOfRecipients()),
                                warning()));
    }

    @Command(
            name = "retry",
            description = {
                "Makes recipients that wait due now.",
                "",
                WHOM_1,
                WHOM_2,
            },
            footer = {
                "",
                "Examples:",
                "  malote queue retry --all",
                "  malote queue retry --domain isp.example --reply 'try again'"
            },
            mixinStandardHelpOptions = true)
    static final class Retry extends QueueChangeCommand {
        Retry() {
            super(Verb.RETRY, "made due");
        }
    }

    @Command(
            name = "hold",
            description = {
                "Holds recipients until they are released.",
                "",
                "One that is attempted at this moment is held when the attempt has failed.",
                "",
                WHOM_1,
                WHOM_2,
            },
            footer = {
                "",
                "Examples:",
                "  malote queue hold 2b3c4d5f6",
                "  malote queue hold --domain isp.example --dry-run"
            },
            mixinStandardHelpOptions = true)
    static final class Hold extends QueueChangeCommand {
        Hold() {
            super(Verb.HOLD, "held");
        }
    }

    @Command(
            name = "release",
            description = {
                "Makes recipients due now that are held.",
                "",
                "By an operator or by their route.",
                "",
                WHOM_1,
                WHOM_2,
            },
            footer = {
                "",
                "Examples:",
                "  malote queue release --sender '*@shop.example' --older-than 1d"
            },
            mixinStandardHelpOptions = true)
    static final class Release extends QueueChangeCommand {
        Release() {
            super(Verb.RELEASE, "released");
        }
    }

    /// One that cannot be undone.
    abstract static class Final extends QueueChangeCommand {
        @Option(names = "--yes", description = "Without asking first.")
        private boolean isYes;

        Final(Verb verb, String done) {
            super(verb, done);
        }

        @Override
        final boolean isConfirmed() {
            return isYes;
        }
    }

    @Command(
            name = "remove",
            description = {
                "Removes messages, or recipients, for good; nobody is told.",
                "",
                "A message whose last recipient is removed leaves the queue. An attempt under way goes"
                        + " on, and counts no more.",
                "With --all or filters it asks first; where nobody can be asked it needs --yes.",
                "",
                WHOM_1,
                WHOM_2,
            },
            footer = {
                "",
                "Examples:",
                "  malote queue remove 2b3c4d5f6",
                "  malote queue remove --sender spam@there.example --dry-run"
            },
            mixinStandardHelpOptions = true)
    static final class Remove extends Final {
        Remove() {
            super(Verb.REMOVE, "removed");
        }

        @Override
        String warning() {
            return "This cannot be undone, and nobody is told.";
        }
    }

    @Command(
            name = "bounce",
            description = {
                "Fails recipients now, and tells their senders.",
                "",
                "As if their hosts had refused them; also those that are held, or whose domain is"
                        + " suspended.",
                "With --all or filters it asks first; where nobody can be asked it needs --yes.",
                "",
                WHOM_1,
                WHOM_2,
            },
            footer = {
                "",
                "Examples:",
                "  malote queue bounce --domain gone.example --older-than 1d --yes"
            },
            mixinStandardHelpOptions = true)
    static final class Bounce extends Final {
        Bounce() {
            super(Verb.BOUNCE, "bounced");
        }

        @Override
        String warning() {
            return "This cannot be undone; their senders are told.";
        }
    }
}
