package org.malote.queue.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The end of the journal in memory.
final class TailTest {
    /// More than there are windows.
    private static final int MANY = 100;

    private final Tail tail = new Tail();

    @Test
    void whatWasEndedIsRead() {
        ByteBuffer window = tail.begin(3, 8192);
        window.put(new byte[] {1, 2, 3, 4});
        assertFalse(tail.read(3, 8192, ByteBuffer.allocate(4)), "it is not ended");
        tail.end(3);
        ByteBuffer bytes = ByteBuffer.allocate(2);
        assertTrue(tail.read(3, 8193, bytes));
        assertEquals(2, bytes.position());
        assertArrayEquals(new byte[] {2, 3}, bytes.array());
        assertFalse(tail.read(3, 8192, ByteBuffer.allocate(4)), "the last byte is not ended");
        assertFalse(tail.read(3, 8191, ByteBuffer.allocate(2)), "one byte is before the window");
        assertFalse(tail.read(2, 8192, ByteBuffer.allocate(2)), "another file");
    }

    @Test
    void whatIsOldIsGone() {
        tail.begin(1, 0).put((byte) 1);
        tail.end(1);
        for (int i = 1; i < MANY; i++) {
            tail.begin(1, (long) i * Tail.WINDOW_BYTES);
            tail.end(1);
        }
        assertFalse(tail.read(1, 0, ByteBuffer.allocate(1)));
        assertTrue(tail.read(1, (MANY - 1L) * Tail.WINDOW_BYTES, ByteBuffer.allocate(1)));
    }

    /// Each window is full of its own number: a reader that is overtaken must not see another.
    @Test
    void whatIsUsedAgainMeanwhileIsNotTakenForTheOld() throws InterruptedException {
        int windows = 2000;
        int length = 64 << 10;
        var newest = new AtomicInteger(-1);
        var isWrong = new AtomicBoolean();
        var found = new AtomicInteger();
        Thread reader =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    ByteBuffer bytes = ByteBuffer.allocate(length);
                                    while (newest.get() < windows - 1) {
                                        // The one that is about to be used again.
                                        int number = Math.max(0, newest.get() - 30);
                                        if (tail.read(number, 0, bytes.clear())) {
                                            found.incrementAndGet();
                                            for (byte b : bytes.array()) {
                                                if (b != (byte) number) {
                                                    isWrong.set(true);
                                                }
                                            }
                                        }
                                    }
                                });
        byte[] full = new byte[length];
        for (int number = 0; number < windows; number++) {
            Arrays.fill(full, (byte) number);
            tail.begin(number, 0).put(full);
            tail.end(length);
            newest.set(number);
        }
        reader.join();
        assertFalse(isWrong.get());
        assertTrue(found.get() > 0, "the reader found something");
    }
}
