package org.malote.app;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.List;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.admin.JsonLines;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Commands about destinations to which no attempts are made.
abstract class QueueSuspendCommand extends QueueAsking {
    @Parameters(
            paramLabel = "DOMAIN",
            arity = "1..*",
            description = "In any case, and in either form of an international one; or [ADDRESS].")
    private List<String> domains = List.of();

    abstract ControlRequest request(String domain);

    /// @param isChanged whether it was not so before
    abstract String sentence(String domain, boolean isChanged);

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        for (String domain : domains) {
            Counts changed = ask(request(domain), (_, _) -> {});
            screen.line(sentence(Printable.escape(domain), changed.messages() > 0));
        }
        return 0;
    }

    @Command(
            name = "suspend",
            description = {
                "Makes no attempts for domains until they are resumed.",
                "",
                "Also after a restart. Their mail is taken and waits; attempts under way come to their"
                        + " end.",
                "A suspension ends no waiting: mail expires after its time as ever."
            },
            footer = {"", "Examples:", "  malote queue suspend isp.example"},
            mixinStandardHelpOptions = true)
    static final class Suspend extends QueueSuspendCommand {
        @Override
        ControlRequest request(String domain) {
            return new ControlRequest.Suspend(domain);
        }

        @Override
        String sentence(String domain, boolean isChanged) {
            return isChanged
                    ? domain + " is suspended until malote queue resume " + domain
                    : domain + " was suspended before";
        }
    }

    @Command(
            name = "resume",
            description = {
                "Ends the suspension of domains.",
                "",
                "What was due meanwhile is due now."
            },
            footer = {"", "Examples:", "  malote queue resume isp.example"},
            mixinStandardHelpOptions = true)
    static final class Resume extends QueueSuspendCommand {
        @Override
        ControlRequest request(String domain) {
            return new ControlRequest.Resume(domain);
        }

        @Override
        String sentence(String domain, boolean isChanged) {
            return domain + (isChanged ? " is resumed" : " was not suspended");
        }
    }

    @Command(
            name = "suspended",
            description = "Lists the domains that are suspended.",
            mixinStandardHelpOptions = true)
    static final class Suspended extends QueueAsking {
        @Option(names = "--json", description = "One JSON object a line for each.")
        private boolean isJson;

        @Override
        int run(Screen screen) throws IOException, CommandFailure {
            Counts found =
                    ask(
                            new ControlRequest.Suspended(),
                            (_, destination) ->
                                    screen.line(
                                            isJson
                                                    ? JsonLines.write(
                                                            JsonNodeFactory.instance
                                                                    .objectNode()
                                                                    .set(
                                                                            "destination",
                                                                            destination))
                                                    : Printable.escape(destination.asText())));
            if (found.messages() == 0 && !isJson) {
                screen.line("no domain is suspended");
            }
            return 0;
        }
    }
}
