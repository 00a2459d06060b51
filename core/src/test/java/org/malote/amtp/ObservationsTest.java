package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.malote.amtp.Observations.Outcome;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.Observations.Subject;
import org.malote.amtp.Observations.Tally;

final class ObservationsTest {
    private static final MailPolicyCode CODE =
            new MailPolicyCode(CodeRole.COM, CodeClass.CONFIRMED);

    private final AtomicLong now = new AtomicLong();
    private final Observations observations =
            new Observations(() -> Instant.ofEpochMilli(now.incrementAndGet()));

    @Test
    void countsByListenerPeerVerdictAndCode() throws Exception {
        HopIdentity verified =
                new HopIdentity(
                        HopNetwork.PUBLIC,
                        "out1.peer.example",
                        "CN=Federation",
                        new ReverseDns.Unasked(),
                        null);
        InetAddress client = InetAddress.getByName("192.0.2.77");
        observations.see("amtp", verified, client, CODE, Outcome.ACCEPTED);
        observations.see("amtp", verified, client, CODE, Outcome.WATCHED);
        observations.see("amtp", verified, client, null, Outcome.REFUSED);
        observations.see("mx", HopIdentity.UNKNOWN, client, null, Outcome.ACCEPTED);
        observations.see(
                "mx",
                HopIdentity.UNKNOWN,
                InetAddress.getByName("2001:db8:1:2345::1"),
                null,
                Outcome.ACCEPTED);
        assertEquals(
                List.of(
                        new Row(
                                new Subject("amtp", HopNetwork.PUBLIC, "out1.peer.example", null),
                                1,
                                3,
                                Map.of(
                                        "com/confirmed",
                                        new Tally(1, 1, 0),
                                        "none",
                                        new Tally(0, 0, 1))),
                        unknown("2001:db8:1:2300::/56", 5, new Tally(1, 0, 0)),
                        unknown("192.0.2.0/24", 4, new Tally(1, 0, 0))),
                observations.rows());
    }

    private static Row unknown(String peer, long millis, Tally tally) {
        return new Row(
                new Subject("mx", HopNetwork.NONE, peer, Shortcoming.NO_CERTIFICATE),
                millis,
                millis,
                Map.of("none", tally));
    }

    /// As many peers as like to come take the room of ROWS_MAX, and no count is lost. Who was seen
    /// lately keeps its row.
    @Test
    void manyPeersTakeBoundedRoom() throws Exception {
        int peers = 3 * Observations.ROWS_MAX;
        for (int i = 0; i < peers; i++) {
            see(i);
        }
        List<Row> rows = observations.rows();
        assertTrue(rows.size() <= Observations.ROWS_MAX + 1, "rows: " + rows.size());
        assertEquals(peers, taken(rows));
        assertEquals(network(peers - 1), rows.getFirst().subject().peer());
        assertTrue(rows.stream().anyMatch(row -> row.subject().peer().equals(Observations.OTHERS)));
    }

    /// Many threads, more peers than there is room for: every message is counted once.
    @Test
    void threadsLoseNoCount() throws Exception {
        int each = 20_000;
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            SplittableRandom random = new SplittableRandom(t);
            threads.add(
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        for (int i = 0; i < each; i++) {
                                            see(random.nextInt(2 * Observations.ROWS_MAX));
                                        }
                                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(4L * each, taken(observations.rows()));
        assertTrue(observations.rows().size() <= Observations.ROWS_MAX + 1);
    }

    /// What an earlier process has seen comes back whole, and goes on.
    @Test
    void goesOnWhereAnotherEnded() throws Exception {
        for (int i = 0; i < 3 * Observations.ROWS_MAX; i++) {
            see(i);
        }
        Observations next = new Observations(() -> Instant.ofEpochMilli(1_000_000));
        next.add(observations.rows());
        assertEquals(observations.rows(), next.rows());
        next.add(observations.rows());
        assertEquals(2 * taken(observations.rows()), taken(next.rows()));
    }

    private void see(int peer) {
        try {
            observations.see(
                    "mx",
                    HopIdentity.UNKNOWN,
                    InetAddress.getByAddress(
                            new byte[] {10, (byte) (peer >> 8), (byte) peer, (byte) 1}),
                    CODE,
                    Outcome.ACCEPTED);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static String network(int peer) {
        return "10." + (peer >> 8 & 0xff) + "." + (peer & 0xff) + ".0/24";
    }

    private static long taken(List<Row> rows) {
        return rows.stream().mapToLong(row -> row.total().taken()).sum();
    }
}
