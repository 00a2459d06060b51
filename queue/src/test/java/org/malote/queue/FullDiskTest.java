package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// A disk that holds no more than a part of one journal file.
final class FullDiskTest {
    private static final int CAPACITY_BYTES = 40 << 20;
    private static final int RESERVE_BYTES = 8 << 20;
    private static final int BODY_BYTES = 20_000;

    private long nowNanos = 1_000_000_000_000_000_000L;

    private MailQueue open(SimulatedDisk disk) throws IOException {
        Path spool = Path.of("/spool");
        disk.makeDirectories(spool);
        QueueSettings usual = QueueSettings.standard(spool);
        return MailQueue.open(
                usual.withLimits(usual.limits().withFreeSpaceReserveBytes(RESERVE_BYTES)),
                new QueueEnvironment(
                        () -> Instant.ofEpochMilli(nowNanos / 1_000_000),
                        () -> nowNanos,
                        new Random(1),
                        task ->
                                new Thread(task) {
                                    @Override
                                    public void start() {} // this test has its steps done
                                },
                        Runnable::run,
                        (_, _) -> {}),
                disk,
                () -> {});
    }

    /// Half of a second passes, in which the disk is asked again how full it is.
    private void pass() {
        nowNanos += 500_000_000;
    }

    private List<MessageId> fill(MailQueue queue) {
        var taken = new ArrayList<MessageId>();
        byte[] body = Mail.random(1, BODY_BYTES);
        while (queue.admission(BODY_BYTES) == null) {
            MessageWriter writer = queue.begin();
            writer.write(ByteBuffer.wrap(body));
            MessageId id = writer.id();
            writer.seal(
                    Mail.to("x@b.example"),
                    result -> {
                        if (result instanceof CommitResult.Committed) {
                            taken.add(id);
                        }
                    });
            assertTrue(queue.committer().step());
            pass();
        }
        assertEquals(Refusal.NO_SPACE, queue.admission(BODY_BYTES));
        return taken;
    }

    private void deliver(MailQueue queue, int count) {
        for (int i = 0; i < count; i++) {
            Claim claim = queue.claim(nowNanos / 1_000_000);
            assertNotNull(claim);
            claim.settle(Mail.delivered(claim));
            while (queue.committer().step()) {}
            pass();
        }
    }

    @Test
    void takesMailAgainWhenItIsDrained() throws IOException {
        try (MailQueue queue = open(new SimulatedDisk(new Random(1), CAPACITY_BYTES))) {
            for (int round = 0; round < 5; round++) {
                List<MessageId> taken = fill(queue);
                assertTrue(taken.size() > 50, taken.size() + " taken in round " + round);
                deliver(queue, taken.size());
                assertEquals(0, queue.stats().messages());
                assertNull(queue.admission(BODY_BYTES), "round " + round);
            }
        }
    }
}
