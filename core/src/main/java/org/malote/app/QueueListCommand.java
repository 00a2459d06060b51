package org.malote.app;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.admin.JsonLines;
import org.malote.admin.QueueFilter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "list",
        description = {
            "Lists messages and their recipients.",
            "",
            "Oldest first, and without recipients that are delivered or failed.",
            "With filters: the messages that have a recipient of whom everything is true that they"
                    + " say, and those recipients alone; a finished one when --state asks for it. In"
                    + " addresses and domains * stands for any"
                    + " characters, the case does not matter, and both forms of an international"
                    + " domain are one."
        },
        footer = {
            "",
            "Examples:",
            "  malote queue list --domain isp.example --older-than 2h",
            "  malote queue list --state held --sender '*@shop.example'",
            "  malote queue list --reply 'mailbox full' --count",
            "  malote queue list --json | jq -r .id"
        },
        mixinStandardHelpOptions = true)
final class QueueListCommand extends QueueAsking {
    @Mixin private final FilterOptions filters = new FilterOptions();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "So many messages at most, the oldest.")
    private long limit;

    @Option(names = "--count", description = "Only says how many messages they are.")
    private boolean isCount;

    @Option(
            names = "--json",
            description =
                    "One JSON object a line for each message; with --count one with the numbers.")
    private boolean isJson;

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        if (limit < 0) {
            throw wrong("a limit is a number from 1 on");
        }
        QueueFilter filter;
        try {
            filter = filters.filter();
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
        ControlRequest request = new ControlRequest.ListSome(filter, limit, !isCount);
        QueueRows rows = QueueRows.on(screen, isJson);
        Counts found;
        try (Progress progress = isCount ? Progress.on(screen) : Progress.besideRows(screen)) {
            found = ask(request, rows, "read", progress);
        }
        rows.end();
        if (isCount) {
            screen.line(isJson ? json(found) : String.valueOf(found.messages()));
        } else if (!isJson) {
            screen.line(summary(filter, found));
        }
        return 0;
    }

    private String summary(QueueFilter filter, Counts found) {
        if (found.messages() == 0) {
            return filter.equals(QueueFilter.ALL)
                    ? "the queue is empty"
                    : "no such message is in the queue";
        }
        String text = found.text(filter.namesRecipients());
        return found.messages() == limit ? "the first " + text + ", as limited" : text;
    }

    static String json(Counts counts) {
        return JsonLines.write(
                JsonNodeFactory.instance
                        .objectNode()
                        .put("messages", counts.messages())
                        .put("recipients", counts.recipients()));
    }
}
