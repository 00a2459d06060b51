package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.Observations.Row;
import org.malote.amtp.Observations.Subject;
import org.malote.amtp.Observations.Tally;
import org.malote.amtp.Shortcoming;

final class ObservedFileTest {
    @TempDir Path state;

    private Path file() {
        return state.resolve(ObservedFile.NAME);
    }

    @Test
    void keepsEveryRowAsItIs() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (HopNetwork network : HopNetwork.values()) {
            rows.add(row(new Subject("mx", network, "p\u0000\"\u202e.example", null)));
            for (Shortcoming shortcoming : Shortcoming.values()) {
                rows.add(row(new Subject("mx", network, "peer.example", shortcoming)));
            }
        }
        assertEquals(List.of(), new ObservedFile(state).load());
        new ObservedFile(state).save(rows);
        assertEquals(rows, new ObservedFile(state).load());
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file())));
        assertFalse(Files.exists(state.resolve(ObservedFile.NAME + ".new")));
    }

    private static Row row(Subject key) {
        return new Row(
                key,
                1_700_000_000_123L,
                1_700_000_099_000L,
                Map.of("com/optin", new Tally(1, 2, 3), "none", new Tally(0, 0, 1L << 50)));
    }

    @Test
    void setsABrokenFileAside() throws IOException {
        for (String broken :
                List.of(
                        "",
                        "{",
                        "[]",
                        "{\"version\":2,\"rows\":[]}",
                        "{\"version\":1,\"rows\":{}}",
                        "{\"version\":1,\"rows\":[7]}",
                        "{\"version\":1,\"rows\":[{\"listener\":\"mx\"}]}",
                        "{\"version\":1,\"rows\":[{\"listener\":\"mx\",\"network\":\"none\","
                                + "\"peer\":\"a\",\"verdict\":\"verified\",\"first\":\"+999999999"
                                + "-12-31T23:59:59Z\",\"last\":\"x\",\"codes\":{}}]}")) {
            Files.writeString(file(), broken);
            ObservedFile observed = new ObservedFile(state);
            assertEquals(List.of(), observed.load(), broken);
            assertFalse(Files.exists(file()), broken);
            assertEquals(
                    broken, Files.readString(state.resolve(ObservedFile.NAME + ".broken")), broken);
        }
    }

    /// A process that was killed has left a half: it is no obstacle.
    @Test
    void aHalfFileIsNoObstacle() throws IOException {
        Files.writeString(state.resolve(ObservedFile.NAME + ".new"), "{\"vers");
        List<Row> rows = List.of(row(new Subject("mx", HopNetwork.PUBLIC, "a.example", null)));
        new ObservedFile(state).save(rows);
        assertEquals(rows, new ObservedFile(state).load());
    }

    @Test
    void whatIsTheSameIsNotWrittenAgain() throws IOException {
        ObservedFile observed = new ObservedFile(state);
        observed.save(List.of());
        assertFalse(Files.exists(file()));
        List<Row> rows = List.of(row(new Subject("mx", HopNetwork.PUBLIC, "a.example", null)));
        observed.save(rows);
        assertTrue(Files.exists(file()));
        Files.delete(file());
        observed.save(List.copyOf(rows));
        assertFalse(Files.exists(file()));
    }
}
