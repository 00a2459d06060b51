package org.malote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The watch over all other tests would see something.
final class LeakWatchTest {
    @Test
    void seesABufferThatWasLost() {
        assertEquals(ResourceLeakDetector.Level.PARANOID, ResourceLeakDetector.getLevel());
        lose();
        List<String> reports = new ArrayList<>();
        for (int i = 0; i < 20 && reports.isEmpty(); i++) {
            LeakWatch.reportLost();
            reports.addAll(LeakWatch.takeReports());
        }
        assertTrue(reports.getFirst().contains("LEAK"), reports.toString());
    }

    private static void lose() {
        var _ = ByteBufAllocator.DEFAULT.buffer(8);
    }
}
