package org.malote.amtp;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.IpAddresses;

/// Which peers were seen, where, and what became of their messages: counts by code, for an operator
/// who wants to know whom to complain to (draft-weinman-amtp-03 §2), and whom rules would hit. For
/// any thread.
///
/// What is counted takes a lock that only those share who count the same peer, for a few additions.
/// Of more than [#ROWS_MAX] peers, those that were not seen for the longest time are added up under
/// [#OTHERS], by listener and verdict; no count is lost.
public final class Observations {
    /// Rows with a name of their own. Ours: 2 MB, and more than one reads; most mail of a host is
    /// from some hundred operators.
    public static final int ROWS_MAX = 2000;

    /// Rows without one: so many listeners, networks and verdicts are in use nowhere. Ours.
    public static final int OTHERS_MAX = 1000;

    /// The peer of a row of others. No peer has this name: it is no domain.
    public static final String OTHERS = "(others)";

    /// The code of messages that have none.
    public static final String NO_CODE = "none";

    /// What goes at one time when room is made: so that it is seldom made.
    private static final int ROWS_OUT = ROWS_MAX / 8;

    // RFC 6177 §2, and what it is for IPv4: what one customer or one small site gets.
    private static final int IPV4_BITS = 24;
    private static final int IPV6_BITS = 56;

    /// What became of a message, or of one of its commands.
    public enum Outcome {
        ACCEPTED(0),
        /// Accepted, though a rule about codes that is only watched would have refused it.
        WATCHED(1),
        /// Refused for good: the sender, a recipient, or the message.
        REFUSED(2);

        private final int place;

        Outcome(int place) {
            this.place = place;
        }
    }

    /// What a row is about.
    ///
    /// @param peer the operator; where there is none, the client's network; or [#OTHERS]
    /// @param shortcoming as of [HopIdentity]; null for a verified peer
    public record Subject(
            String listener, HopNetwork network, String peer, @Nullable Shortcoming shortcoming) {
        /// The shortcoming in words, or `verified`.
        public String verdict() {
            return HopIdentity.verdict(shortcoming);
        }
    }

    /// How often each outcome was.
    public record Tally(long accepted, long watched, long refused) {
        public Tally {
            if (accepted < 0 || watched < 0 || refused < 0) {
                throw new IllegalArgumentException("counts are from 0 on");
            }
        }

        /// Messages that were taken.
        public long taken() {
            return accepted + watched;
        }

        Tally plus(Tally other) {
            return new Tally(
                    accepted + other.accepted, watched + other.watched, refused + other.refused);
        }
    }

    /// What was seen of one key.
    ///
    /// @param firstMillis when first, in milliseconds since 1970
    /// @param lastMillis when last
    /// @param codes by the code's text, or [#NO_CODE]
    public record Row(
            Subject subject, long firstMillis, long lastMillis, Map<String, Tally> codes) {
        public Row {
            codes = Map.copyOf(codes);
        }

        /// All codes together.
        public Tally total() {
            Tally total = new Tally(0, 0, 0);
            for (Tally each : codes.values()) {
                total = total.plus(each);
            }
            return total;
        }
    }

    /// The counts of a row. Changed under its lock in the map.
    private static final class Counts {
        private static final int CODES = MailPolicyCode.ALL.size() + 1;
        private static final int OUTCOMES = Outcome.values().length;

        private final long firstMillis;
        private volatile long lastMillis;

        /// By outcome, and by the index of the code; the last one is for none.
        private final long[] counts = new long[OUTCOMES * CODES];

        Counts(long nowMillis) {
            firstMillis = nowMillis;
            lastMillis = nowMillis;
        }

        private Counts(long firstMillis, long lastMillis) {
            this.firstMillis = firstMillis;
            this.lastMillis = lastMillis;
        }

        static Counts of(Row row) {
            Counts counts = new Counts(row.firstMillis(), row.lastMillis());
            row.codes()
                    .forEach(
                            (code, tally) -> {
                                int index = index(code);
                                if (index >= 0) {
                                    counts.add(index, Outcome.ACCEPTED, tally.accepted());
                                    counts.add(index, Outcome.WATCHED, tally.watched());
                                    counts.add(index, Outcome.REFUSED, tally.refused());
                                }
                            });
            return counts;
        }

        /// @return negative for a code that this version does not know
        private static int index(String code) {
            if (code.equals(NO_CODE)) {
                return CODES - 1;
            }
            return MailPolicyCode.parse(code) instanceof MailPolicyCode.Parsed.Known(var known)
                    ? known.index()
                    : -1;
        }

        void see(@Nullable MailPolicyCode code, Outcome outcome, long nowMillis) {
            lastMillis = nowMillis;
            add(code == null ? CODES - 1 : code.index(), outcome, 1);
        }

        private void add(int code, Outcome outcome, long count) {
            counts[outcome.place * CODES + code] += count;
        }

        Counts plus(Counts other) {
            Counts sum =
                    new Counts(
                            Math.min(firstMillis, other.firstMillis),
                            Math.max(lastMillis, other.lastMillis));
            Arrays.setAll(sum.counts, i -> counts[i] + other.counts[i]);
            return sum;
        }

        Row row(Subject key) {
            Map<String, Tally> codes = new LinkedHashMap<>();
            for (int code = 0; code < CODES; code++) {
                Tally tally =
                        new Tally(
                                counts[code],
                                counts[Outcome.WATCHED.place * CODES + code],
                                counts[Outcome.REFUSED.place * CODES + code]);
                if (tally.taken() + tally.refused() > 0) {
                    codes.put(
                            code == CODES - 1 ? NO_CODE : MailPolicyCode.ALL.get(code).text(),
                            tally);
                }
            }
            return new Row(key, firstMillis, lastMillis, codes);
        }
    }

    private final InstantSource clock;
    private final ConcurrentHashMap<Subject, Counts> rows = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Subject, Counts> others = new ConcurrentHashMap<>();
    private final Semaphore free = new Semaphore(ROWS_MAX);
    private final AtomicBoolean isMakingRoom = new AtomicBoolean();

    public Observations(InstantSource clock) {
        this.clock = clock;
    }

    /// Adds what an earlier process has seen, as far as there is room.
    public void add(List<Row> seen) {
        for (Row row : seen) {
            Counts counts = Counts.of(row);
            if (row.subject().peer().equals(OTHERS)) {
                addToOthers(row.subject(), counts);
            } else if (!addIfRoom(row.subject(), counts)) {
                addToOthers(row.subject(), counts);
            }
        }
    }

    private boolean addIfRoom(Subject key, Counts counts) {
        return rows.compute(
                        key,
                        (_, known) ->
                                known != null
                                        ? known.plus(counts)
                                        : free.tryAcquire() ? counts : null)
                != null;
    }

    private void addToOthers(Subject key, Counts counts) {
        Subject those = new Subject(key.listener(), key.network(), OTHERS, key.shortcoming());
        if (others.size() < OTHERS_MAX || others.containsKey(those)) {
            others.merge(those, counts, Counts::plus);
        }
    }

    /// Something became of a message. Never waits for more than another count.
    ///
    /// @param client the peer's address
    /// @param code of the message; null when it has none
    public void see(
            String listener,
            HopIdentity identity,
            InetAddress client,
            @Nullable MailPolicyCode code,
            Outcome outcome) {
        boolean isNamed = identity.network() != HopNetwork.NONE && !identity.operator().isEmpty();
        Subject key =
                new Subject(
                        listener,
                        identity.network(),
                        isNamed ? identity.operator() : network(client),
                        identity.shortcoming());
        long now = clock.millis();
        if (!seeIfRoom(key, code, outcome, now)) {
            makeRoom();
            if (!seeIfRoom(key, code, outcome, now)) {
                // Another thread makes it.
                Counts one = new Counts(now);
                one.see(code, outcome, now);
                addToOthers(key, one);
            }
        }
    }

    private boolean seeIfRoom(
            Subject key, @Nullable MailPolicyCode code, Outcome outcome, long nowMillis) {
        return rows.compute(
                        key,
                        (_, known) -> {
                            Counts counts = known;
                            if (counts == null) {
                                if (!free.tryAcquire()) {
                                    return null;
                                }
                                counts = new Counts(nowMillis);
                            }
                            counts.see(code, outcome, nowMillis);
                            return counts;
                        })
                != null;
    }

    /// Adds those to the others that were not seen for the longest time.
    private void makeRoom() {
        if (!isMakingRoom.compareAndSet(false, true)) {
            return;
        }
        try {
            record Age(Subject subject, long lastMillis) {}
            List<Age> ages = new ArrayList<>(ROWS_MAX);
            rows.forEach((key, counts) -> ages.add(new Age(key, counts.lastMillis)));
            ages.sort(Comparator.comparingLong(Age::lastMillis));
            for (Age age : ages.subList(0, Math.min(ROWS_OUT, ages.size()))) {
                Counts gone = rows.remove(age.subject());
                if (gone != null) {
                    addToOthers(age.subject(), gone);
                    free.release();
                }
            }
        } finally {
            isMakingRoom.set(false);
        }
    }

    /// What was seen until now: by listener, those who were seen last first.
    public List<Row> rows() {
        List<Row> seen = new ArrayList<>();
        for (ConcurrentHashMap<Subject, Counts> map : List.of(rows, others)) {
            for (Subject key : map.keySet()) {
                map.computeIfPresent(
                        key,
                        (_, counts) -> {
                            seen.add(counts.row(key));
                            return counts;
                        });
            }
        }
        seen.sort(
                Comparator.comparing((Row row) -> row.subject().listener())
                        .thenComparing(Row::lastMillis, Comparator.reverseOrder()));
        return seen;
    }

    /// `192.0.2.0/24`, `2001:db8:1::/56`.
    private static String network(InetAddress client) {
        byte[] octets = client.getAddress();
        int bits = octets.length == 4 ? IPV4_BITS : IPV6_BITS;
        Arrays.fill(octets, bits / 8, octets.length, (byte) 0);
        try {
            return IpAddresses.format(InetAddress.getByAddress(octets)) + "/" + bits;
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has the length of an address", e);
        }
    }
}
