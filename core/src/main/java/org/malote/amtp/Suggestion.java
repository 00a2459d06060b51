package org.malote.amtp;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.Observations.Tally;
import org.malote.amtp.PolicyDeclaration.Keyword;

/// A policy that fits what was seen: it would have refused nothing that was wanted.
///
/// *Wanted* is mail that was accepted and that the operator has not named as [Unwanted]. A code is
/// denied when nobody wanted it and it was seen often enough, or when it is denied already and
/// nobody wanted it. A listener enforces when nothing wanted fell short there.
///
/// @param site what `[mpc] site` would say
/// @param listeners the dials of each
/// @param lines the same in TOML, with the counts behind each line
public record Suggestion(
        PolicyDeclarations site, List<ListenerDials> listeners, List<String> lines) {

    /// How much rules count at a listener.
    ///
    /// @param amtp those about who a peer is
    /// @param codes those about Mail Policy Codes
    public record ListenerDials(String name, Dial amtp, Dial codes) {}

    /// What an operator does not want, though it was accepted.
    ///
    /// @param peers as [Observations.Subject] names them
    /// @param codes as declarations that deny them
    public record Unwanted(Set<String> peers, List<PolicyDeclaration> codes) {
        public Unwanted {
            peers = Set.copyOf(peers);
            codes = List.copyOf(codes);
        }

        /// Whether mail of a row is unwanted.
        ///
        /// @param code as a row has it
        public boolean contains(Row row, String code) {
            return peers.contains(row.subject().peer()) || containsCode(code);
        }

        private boolean containsCode(String code) {
            return MailPolicyCode.parse(code) instanceof MailPolicyCode.Parsed.Known(var known)
                    && codes.stream().anyMatch(each -> (each.bits() & PolicyMask.bit(known)) != 0);
        }
    }

    /// Below it nothing is denied and nothing enforced that is not already.
    ///
    /// @param messages of a code, or taken by a listener
    /// @param span from the first that was seen to the last
    public record Minimum(long messages, Duration span) {}

    public Suggestion {
        listeners = List.copyOf(listeners);
        lines = List.copyOf(lines);
    }

    /// @param now what is configured: the policy of the site and the dials of all listeners
    public static Suggestion of(
            List<Row> rows,
            PolicyDeclarations now,
            List<ListenerDials> listeners,
            Unwanted unwanted,
            Minimum minimum) {
        return new Maker(rows, unwanted, minimum).make(now, listeners);
    }

    /// Wanted and unwanted messages, and what was refused.
    private static final class Sums {
        private long wanted;
        private long wantedWatched;
        private long unwanted;
        private long refused;

        void add(Tally tally, boolean isUnwanted) {
            if (isUnwanted) {
                unwanted += tally.taken();
            } else {
                wanted += tally.taken();
                wantedWatched += tally.watched();
            }
            refused += tally.refused();
        }
    }

    private static final class Maker {
        private final List<Row> rows;
        private final Unwanted unwanted;
        private final Minimum minimum;
        private final Duration span;
        private final List<String> lines = new ArrayList<>();

        Maker(List<Row> rows, Unwanted unwanted, Minimum minimum) {
            this.rows = rows;
            this.unwanted = unwanted;
            this.minimum = minimum;
            this.span = span(rows);
        }

        private static Duration span(List<Row> rows) {
            long first = Long.MAX_VALUE;
            long last = Long.MIN_VALUE;
            for (Row row : rows) {
                first = Math.min(first, row.firstMillis());
                last = Math.max(last, row.lastMillis());
            }
            return rows.isEmpty() ? Duration.ZERO : Duration.ofMillis(last - first);
        }

        Suggestion make(PolicyDeclarations now, List<ListenerDials> listeners) {
            Sums all = new Sums();
            rows.forEach(row -> addAll(row, all));
            lines.add(
                    "# From "
                            + count(all.wanted, "wanted")
                            + ", "
                            + count(all.unwanted, "unwanted")
                            + " and "
                            + count(all.refused, "refused")
                            + " in "
                            + days(span)
                            + ".");
            lines.add("# Wanted is what was accepted and is not named by --unwanted.");
            if (!isLongEnough()) {
                lines.add(
                        "# Too little was seen to deny or enforce more than now: "
                                + days(span)
                                + " of "
                                + days(minimum.span())
                                + ".");
            }
            lines.add("");
            PolicyDeclarations site = site(now);
            List<ListenerDials> dials = new ArrayList<>();
            for (ListenerDials listener : listeners) {
                dials.add(dials(listener));
            }
            return new Suggestion(site, dials, lines);
        }

        private void addAll(Row row, Sums sums) {
            row.codes().forEach((code, tally) -> sums.add(tally, unwanted.contains(row, code)));
        }

        private boolean isLongEnough() {
            return span.compareTo(minimum.span()) >= 0;
        }

        // ---- codes ----

        private PolicyDeclarations site(PolicyDeclarations now) {
            Map<String, Sums> byCode = new TreeMap<>();
            for (Row row : rows) {
                row.codes()
                        .forEach(
                                (code, tally) ->
                                        byCode.computeIfAbsent(code, _ -> new Sums())
                                                .add(tally, unwanted.contains(row, code)));
            }
            PolicyMask mask = now.mask();
            long denied = 0;
            List<String> reasons = new ArrayList<>();
            for (MailPolicyCode code : MailPolicyCode.ALL) {
                Sums sums = byCode.getOrDefault(code.text(), new Sums());
                boolean isDenied = !mask.allows(code);
                if (sums.wanted > 0) {
                    if (isDenied) {
                        reasons.add(code + " no more: " + counts(sums));
                    }
                } else if (isDenied) {
                    denied |= PolicyMask.bit(code);
                    if (sums.unwanted + sums.refused > 0) {
                        reasons.add(code + " as it is: " + counts(sums));
                    }
                } else if (sums.unwanted > 0 && !code.equals(MailPolicyCode.MPC_INDIVIDUAL)) {
                    if (isLongEnough() && sums.unwanted >= minimum.messages()) {
                        denied |= PolicyMask.bit(code);
                        reasons.add(code + ": " + counts(sums));
                    } else {
                        reasons.add(
                                code
                                        + " not yet: "
                                        + counts(sums)
                                        + ", of "
                                        + minimum.messages()
                                        + " that are needed");
                    }
                }
            }
            PolicyDeclarations site =
                    denied == (~mask.bits() & PolicyMask.ALL.bits()) ? now : declarations(denied);
            lines.add("[mpc]");
            lines.add("site = \"" + site.text() + "\"");
            reasons.forEach(reason -> lines.add("# " + reason));
            lines.add("");
            return site;
        }

        /// A role of which most classes are denied is denied whole, and allowed for the others:
        /// never more than three declarations a role, and so no more than an EHLO line holds.
        private static PolicyDeclarations declarations(long denied) {
            List<PolicyDeclaration> declarations = new ArrayList<>();
            for (CodeRole role : CodeRole.values()) {
                List<MailPolicyCode> of =
                        MailPolicyCode.ALL.stream().filter(each -> each.role() == role).toList();
                List<MailPolicyCode> out =
                        of.stream().filter(each -> (PolicyMask.bit(each) & denied) != 0).toList();
                if (out.size() * 2 <= of.size()) {
                    out.forEach(each -> declarations.add(declaration(Keyword.DENY, each)));
                } else {
                    declarations.add(
                            new PolicyDeclaration(
                                    Keyword.DENY, role.word(), PolicyDeclaration.ANY));
                    of.stream()
                            .filter(each -> !out.contains(each))
                            .forEach(each -> declarations.add(declaration(Keyword.ALLOW, each)));
                }
            }
            return declarations.isEmpty()
                    ? PolicyDeclarations.ALL
                    : new PolicyDeclarations(declarations);
        }

        private static PolicyDeclaration declaration(Keyword keyword, MailPolicyCode code) {
            return new PolicyDeclaration(keyword, code.role().word(), code.kind().word());
        }

        // ---- listeners ----

        private ListenerDials dials(ListenerDials now) {
            Sums all = new Sums();
            Map<String, Long> shortOf = new LinkedHashMap<>();
            long missing = 0;
            for (Row row : rows) {
                if (row.subject().listener().equals(now.name())) {
                    addAll(row, all);
                    Sums own = new Sums();
                    addAll(row, own);
                    if (row.subject().shortcoming() != null && own.wanted > 0) {
                        missing += own.wanted;
                        shortOf.merge(row.subject().verdict(), own.wanted, Long::sum);
                    }
                }
            }
            lines.add("[[listener]]");
            lines.add("name = \"" + now.name() + "\"");
            List<String> parts = new ArrayList<>();
            shortOf.forEach((verdict, count) -> parts.add(verdict + " " + count));
            Dial amtp = dial("amtp", now.amtp(), all, missing, String.join(", ", parts));
            Dial codes =
                    dial("mpc", now.codes(), all, all.wantedWatched, "the log says \"watched\"");
            lines.add("");
            return new ListenerDials(now.name(), amtp, codes);
        }

        private Dial dial(String key, Dial now, Sums seen, long hit, String how) {
            Dial dial;
            String reason;
            if (now == Dial.OFF) {
                dial = Dial.OBSERVE;
                reason = "off until now, so that nothing is known";
            } else if (hit > 0) {
                dial = Dial.OBSERVE;
                reason = "would refuse " + hit + " of " + seen.wanted + " wanted: " + how;
            } else if (!isLongEnough() || seen.wanted < minimum.messages()) {
                dial = now;
                reason = "as it is: " + seen.wanted + " wanted, of " + minimum.messages();
            } else {
                dial = Dial.ENFORCE;
                reason = "would refuse none of " + seen.wanted + " wanted";
            }
            lines.add(key + " = \"" + dial.name().toLowerCase(Locale.ROOT) + "\" # " + reason);
            return dial;
        }

        // ---- words ----

        private static String counts(Sums sums) {
            return sums.wanted
                    + " wanted, "
                    + sums.unwanted
                    + " unwanted, "
                    + sums.refused
                    + " refused";
        }

        private static String count(long count, String what) {
            return count + " " + what;
        }

        private static String days(Duration span) {
            long days = span.toDays();
            return days == 1 ? "1 day" : days + " days";
        }
    }
}
