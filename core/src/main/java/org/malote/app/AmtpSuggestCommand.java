package org.malote.app;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.admin.ObservedJson;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.PolicyDeclaration;
import org.malote.amtp.PolicyDeclarations;
import org.malote.amtp.Suggestion;
import org.malote.config.Settings;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "suggest",
        description = {
            "Reads what was seen of peers, and prints a policy that would have refused nothing that"
                    + " was wanted, with the counts behind each line.",
            "",
            "Wanted is all mail that was accepted and that --unwanted does not name. A code is"
                    + " denied when nobody wanted it and --messages of it were seen, or when it is"
                    + " denied already and nobody wanted it. A listener enforces when --messages were"
                    + " wanted there and none of them fell short. Nothing is denied or enforced anew"
                    + " before --days have been seen.",
            "Nothing is changed: what is printed goes into the configuration by hand."
        },
        footer = {
            "",
            "Examples:",
            "  malote amtp suggest",
            "  malote amtp suggest --unwanted com/optout --unwanted mail.spammer.example",
            "  malote amtp suggest --unwanted '*/optout' --days 30"
        },
        mixinStandardHelpOptions = true)
final class AmtpSuggestCommand extends QueueAsking {
    @Option(
            names = "--unwanted",
            paramLabel = "PEER_OR_CODE",
            description =
                    "Mail that was accepted and is not wanted: a peer as malote amtp peers names it,"
                            + " or a code such as com/optout, with * for all roles or classes. Can be"
                            + " given many times.")
    private List<String> unwanted = new ArrayList<>();

    @Option(
            names = "--messages",
            paramLabel = "N",
            defaultValue = "100",
            description = "Fewer messages prove nothing. Default: ${DEFAULT-VALUE}.")
    private long messages;

    @Option(
            names = "--days",
            paramLabel = "N",
            defaultValue = "7",
            description = "Fewer days prove nothing. Default: ${DEFAULT-VALUE}.")
    private int days;

    @Override
    int run(Screen screen) throws IOException, CommandFailure {
        if (messages < 1 || days < 0) {
            throw wrong("--messages takes a number from 1 on, --days one from 0 on");
        }
        List<Row> rows = new ArrayList<>();
        Counts _ =
                ask(
                        new ControlRequest.Peers(),
                        (kind, value) -> {
                            if (kind.equals("peer")) {
                                rows.add(ObservedJson.read(value));
                            }
                        });
        Settings settings = config().settings();
        Suggestion suggestion =
                Suggestion.of(
                        rows,
                        settings.codes().site(),
                        settings.listeners().stream()
                                .map(
                                        each ->
                                                new Suggestion.ListenerDials(
                                                        each.name(), each.amtp(), each.codes()))
                                .toList(),
                        unwanted(rows),
                        new Suggestion.Minimum(messages, Duration.ofDays(days)));
        for (String line : suggestion.lines()) {
            screen.line(line);
        }
        return 0;
    }

    private Suggestion.Unwanted unwanted(List<Row> rows) throws CommandFailure {
        Set<String> seen = new HashSet<>();
        rows.forEach(row -> seen.add(row.subject().peer()));
        Set<String> peers = new HashSet<>();
        List<PolicyDeclaration> codes = new ArrayList<>();
        for (String text : unwanted) {
            String peer = text.toLowerCase(Locale.ROOT);
            if (seen.contains(peer)) {
                peers.add(peer);
            } else if (PolicyDeclarations.parse("DENY=" + text)
                            instanceof PolicyDeclarations.Parsed.Valid(var denied)
                    && denied.declarations().size() == 1) {
                codes.addAll(denied.declarations());
            } else {
                throw new CommandFailure(
                        "\""
                                + Printable.escape(text)
                                + "\" is neither a peer that was seen nor a code; see malote amtp"
                                + " peers");
            }
        }
        return new Suggestion.Unwanted(peers, codes);
    }
}
