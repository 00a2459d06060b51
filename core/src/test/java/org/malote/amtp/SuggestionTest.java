package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.Observations.Subject;
import org.malote.amtp.Observations.Tally;
import org.malote.amtp.PolicyDeclaration.Keyword;
import org.malote.amtp.Suggestion.ListenerDials;
import org.malote.amtp.Suggestion.Minimum;
import org.malote.amtp.Suggestion.Unwanted;

final class SuggestionTest {
    private static final long DAY = Duration.ofDays(1).toMillis();
    private static final Minimum MINIMUM = new Minimum(100, Duration.ofDays(7));
    private static final Unwanted NOTHING = new Unwanted(Set.of(), List.of());

    @Test
    void deniesWhatNobodyWantedAndEnforcesWhereNothingFallsShort() {
        List<Row> rows =
                List.of(
                        row("amtp", "good.example", null, 10, Map.of("per/individual", 400)),
                        row("amtp", "spam.example", null, 10, Map.of("com/optout", 300)),
                        row(
                                "mx",
                                "192.0.2.0/24",
                                Shortcoming.NO_CERTIFICATE,
                                10,
                                Map.of("none", 50)));
        Suggestion suggestion =
                Suggestion.of(
                        rows,
                        PolicyDeclarations.ALL,
                        List.of(
                                new ListenerDials("amtp", Dial.OBSERVE, Dial.OBSERVE),
                                new ListenerDials("mx", Dial.OBSERVE, Dial.OFF)),
                        new Unwanted(Set.of("spam.example"), List.of()),
                        MINIMUM);
        assertEquals(
                """
                # From 450 wanted, 300 unwanted and 0 refused in 10 days.
                # Wanted is what was accepted and is not named by --unwanted.

                [mpc]
                site = "DENY=com/optout"
                # com/optout: 0 wanted, 300 unwanted, 0 refused

                [[listener]]
                name = "amtp"
                amtp = "enforce" # would refuse none of 400 wanted
                mpc = "enforce" # would refuse none of 400 wanted

                [[listener]]
                name = "mx"
                amtp = "observe" # would refuse 50 of 50 wanted: no certificate 50
                mpc = "observe" # off until now, so that nothing is known
                """,
                String.join("\n", suggestion.lines()));
    }

    @Test
    void saysWhenTooLittleWasSeen() {
        Suggestion suggestion =
                Suggestion.of(
                        List.of(row("mx", "spam.example", null, 2, Map.of("com/optout", 300))),
                        PolicyDeclarations.ALL,
                        List.of(new ListenerDials("mx", Dial.OBSERVE, Dial.ENFORCE)),
                        new Unwanted(Set.of("spam.example"), List.of()),
                        MINIMUM);
        String text = String.join("\n", suggestion.lines());
        assertTrue(text.contains("# Too little was seen"), text);
        assertTrue(text.contains("# com/optout not yet: 0 wanted, 300 unwanted"), text);
        assertEquals(PolicyDeclarations.ALL, suggestion.site());
        assertEquals(
                List.of(new ListenerDials("mx", Dial.OBSERVE, Dial.ENFORCE)),
                suggestion.listeners());
    }

    @Test
    void nothingSeenChangesNothing() {
        PolicyDeclarations site = declarations("DENY=*/optout");
        Suggestion suggestion =
                Suggestion.of(
                        List.of(),
                        site,
                        List.of(new ListenerDials("mx", Dial.ENFORCE, Dial.ENFORCE)),
                        NOTHING,
                        MINIMUM);
        assertEquals(site, suggestion.site());
        assertEquals(
                List.of(new ListenerDials("mx", Dial.ENFORCE, Dial.ENFORCE)),
                suggestion.listeners());
    }

    /// Whatever was seen, is configured and is unwanted: what is printed is a configuration, and a
    /// host that had it from the start would have refused nothing wanted.
    @Test
    void wouldHaveRefusedNothingWanted() throws Exception {
        RandomGenerator random = new SplittableRandom(31);
        int denials = 0;
        int enforced = 0;
        for (int i = 0; i < 20_000; i++) {
            List<Row> rows = rows(random);
            Unwanted unwanted = unwanted(random);
            PolicyDeclarations now =
                    random.nextBoolean()
                            ? PolicyDeclarations.ALL
                            : declarations(random.nextBoolean() ? "DENY=*/*" : "DENY=*/optout");
            Suggestion suggestion =
                    Suggestion.of(
                            rows,
                            now,
                            List.of(
                                    new ListenerDials("mx", dial(random), dial(random)),
                                    new ListenerDials("amtp", dial(random), dial(random))),
                            unwanted,
                            new Minimum(
                                    1 + random.nextInt(30), Duration.ofDays(random.nextInt(4))));
            String toml = String.join("\n", suggestion.lines());
            JsonNode printed = new TomlMapper().readTree(toml);
            PolicyMask site = declarations(printed.path("mpc").path("site").asText()).mask();
            Map<String, JsonNode> listeners = new HashMap<>();
            printed.path("listener").forEach(each -> listeners.put(name(each), each));
            for (Row row : rows) {
                for (Map.Entry<String, Tally> each : row.codes().entrySet()) {
                    if (each.getValue().taken() > 0 && isWanted(row, each.getKey(), unwanted)) {
                        String why =
                                refusal(
                                        row,
                                        each.getKey(),
                                        each.getValue().watched() > 0,
                                        site,
                                        Objects.requireNonNull(
                                                listeners.get(row.subject().listener())));
                        assertEquals("", why, row + "\n" + toml);
                    }
                }
            }
            denials += site.equals(PolicyMask.ALL) ? 0 : 1;
            enforced += toml.contains("enforce\" # would refuse none") ? 1 : 0;
        }
        assertTrue(denials > 1_000 && enforced > 500, denials + " and " + enforced);
    }

    private static String name(JsonNode listener) {
        return listener.path("name").asText();
    }

    /// Why a host with these settings refuses such a message; empty when it takes it.
    private static String refusal(
            Row row, String code, boolean isWatched, PolicyMask site, JsonNode listener) {
        if (listener.path("amtp").asText().equals("enforce")
                && row.subject().shortcoming() != null) {
            return "who it is";
        }
        if (listener.path("mpc").asText().equals("enforce")) {
            if (isWatched) {
                return "a rule that was watched";
            }
            if (MailPolicyCode.parse(code) instanceof MailPolicyCode.Parsed.Known(var known)
                    && !site.allows(known)) {
                return "its code";
            }
        }
        return "";
    }

    private static boolean isWanted(Row row, String code, Unwanted unwanted) {
        return !unwanted.peers().contains(row.subject().peer())
                && unwanted.codes().stream()
                        .noneMatch(
                                each ->
                                        code.matches(
                                                (each.role() + "/" + each.kind())
                                                        .replace("*", "[a-z]+")));
    }

    /// A site's text fits into an EHLO line, whichever codes are denied.
    @Test
    void everySiteFitsIntoALine() {
        RandomGenerator random = new SplittableRandom(32);
        for (int i = 0; i < 5_000; i++) {
            Map<String, Integer> codes = new HashMap<>();
            for (MailPolicyCode code : MailPolicyCode.ALL) {
                if (random.nextBoolean()) {
                    codes.put(code.text(), 100);
                }
            }
            Suggestion suggestion =
                    Suggestion.of(
                            List.of(row("mx", "spam.example", null, 10, codes)),
                            PolicyDeclarations.ALL,
                            List.of(),
                            new Unwanted(Set.of("spam.example"), List.of()),
                            MINIMUM);
            String text = suggestion.site().text();
            PolicyMask mask = declarations(text).mask();
            for (MailPolicyCode code : MailPolicyCode.ALL) {
                assertEquals(
                        !codes.containsKey(code.text())
                                || code.equals(MailPolicyCode.MPC_INDIVIDUAL),
                        mask.allows(code),
                        code + " by " + text);
            }
        }
    }

    private static List<Row> rows(RandomGenerator random) {
        List<Row> rows = new ArrayList<>();
        Set<Subject> keys = new HashSet<>();
        for (int n = random.nextInt(8); n > 0; n--) {
            Shortcoming shortcoming =
                    random.nextInt(4) > 0 ? null : any(random, Shortcoming.values());
            Subject key =
                    new Subject(
                            random.nextBoolean() ? "mx" : "amtp",
                            HopNetwork.PUBLIC,
                            "peer" + random.nextInt(3) + ".example",
                            shortcoming);
            if (keys.add(key)) {
                Map<String, Tally> codes = new HashMap<>();
                for (int m = random.nextInt(5); m > 0; m--) {
                    int code = random.nextInt(10);
                    codes.put(
                            code == 0 ? Observations.NO_CODE : MailPolicyCode.ALL.get(code).text(),
                            new Tally(
                                    random.nextInt(60),
                                    random.nextInt(8) == 0 ? random.nextInt(9) : 0,
                                    random.nextInt(4)));
                }
                long first = random.nextLong(5 * DAY);
                rows.add(new Row(key, first, first + random.nextLong(5 * DAY), codes));
            }
        }
        return rows;
    }

    private static Unwanted unwanted(RandomGenerator random) {
        Set<String> peers = new HashSet<>();
        for (int n = random.nextInt(3); n > 0; n--) {
            peers.add("peer" + random.nextInt(3) + ".example");
        }
        List<PolicyDeclaration> codes = new ArrayList<>();
        for (int n = random.nextInt(3); n > 0; n--) {
            String kind = any(random, CodeClass.values()).word();
            codes.add(
                    new PolicyDeclaration(
                            Keyword.DENY,
                            random.nextBoolean()
                                    ? PolicyDeclaration.ANY
                                    : any(random, CodeRole.values()).word(),
                            random.nextInt(5) == 0 ? PolicyDeclaration.ANY : kind));
        }
        return new Unwanted(peers, codes);
    }

    private static Dial dial(RandomGenerator random) {
        return any(random, Dial.values());
    }

    private static <T> T any(RandomGenerator random, T[] values) {
        return values[random.nextInt(values.length)];
    }

    private static PolicyDeclarations declarations(String text) {
        return assertInstanceOf(
                        PolicyDeclarations.Parsed.Valid.class, PolicyDeclarations.parse(text), text)
                .declarations();
    }

    private static Row row(
            String listener,
            String peer,
            @Nullable Shortcoming shortcoming,
            int days,
            Map<String, Integer> accepted) {
        Map<String, Tally> codes = new HashMap<>();
        accepted.forEach((code, count) -> codes.put(code, new Tally(count, 0, 0)));
        HopNetwork network =
                shortcoming == Shortcoming.NO_CERTIFICATE ? HopNetwork.NONE : HopNetwork.PUBLIC;
        return new Row(
                new Subject(listener, network, peer, shortcoming), DAY, (days + 1) * DAY, codes);
    }
}
