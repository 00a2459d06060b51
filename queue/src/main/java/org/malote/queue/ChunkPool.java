package org.malote.queue;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/// The memory of messages on their way in: chunks off the heap, shared by all writers and re-used.
/// A chunk is always given, so that a writer never blocks; above the limit the writers hand their
/// chunks to the disk.
final class ChunkPool {
    /// Most messages fit in one; RFC 5321 §4.5.3.1.7 asks for 64 KiB at least, which is four.
    static final int CHUNK_BYTES = 16 << 10;

    /// What is taken from the system at a time.
    private static final int SLAB_BYTES = 1 << 20;

    private final long limitBytes;
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private long allocatedBytes;
    private volatile long usedBytes;

    ChunkPool(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    synchronized ByteBuffer take() {
        usedBytes += CHUNK_BYTES;
        ByteBuffer chunk = free.poll();
        if (chunk != null) {
            return chunk.clear();
        }
        // Automatic: a writer that nobody ends may outlive the pool.
        if (allocatedBytes >= limitBytes) {
            return Arena.ofAuto().allocate(CHUNK_BYTES).asByteBuffer();
        }
        ByteBuffer slab = Arena.ofAuto().allocate(SLAB_BYTES, Long.BYTES).asByteBuffer();
        allocatedBytes += SLAB_BYTES;
        for (int at = CHUNK_BYTES; at < SLAB_BYTES; at += CHUNK_BYTES) {
            free.add(slab.slice(at, CHUNK_BYTES));
        }
        return slab.slice(0, CHUNK_BYTES);
    }

    synchronized void giveBack(ByteBuffer chunk) {
        usedBytes -= CHUNK_BYTES;
        // Last in, first out: the next writer finds it in the processor's cache.
        if ((long) free.size() * CHUNK_BYTES < limitBytes) {
            free.push(chunk);
        }
    }

    /// Whether writers must give way to the disk.
    boolean isUsedUp() {
        return usedBytes > limitBytes;
    }

    long usedBytes() {
        return usedBytes;
    }
}
