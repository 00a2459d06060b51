package org.malote.benchmarks.history;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/// Beside the table that is in every book.
final class StudentTTest {
    private static final double[][] TWO_SIDED = {
        // degrees, of 0.05, of 0.001
        {1, 12.706, 636.619},
        {2, 4.303, 31.599},
        {3, 3.182, 12.924},
        {10, 2.228, 4.587},
        {30, 2.042, 3.646},
        {120, 1.980, 3.373}
    };

    @Test
    void agreesWithTheTable() {
        for (double[] row : TWO_SIDED) {
            int degrees = (int) row[0];
            assertEquals(0.05, StudentT.chanceBeyond(row[1], degrees), 0.0001, degrees + "");
            assertEquals(0.001, StudentT.chanceBeyond(-row[2], degrees), 0.00001, degrees + "");
            assertEquals(row[1], StudentT.reach(degrees), 0.001, degrees + "");
        }
    }

    @Test
    void nothingFromTheMiddleIsCertain() {
        assertEquals(1, StudentT.chanceBeyond(0, 7), 1e-9);
        assertEquals(0.0455, StudentT.chanceBeyond(2, 100_000), 0.0001);
    }
}
