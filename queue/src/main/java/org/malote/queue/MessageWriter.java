package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// One message on its way in, before it is committed. Used by one thread at a time, its owner. The
/// bytes are kept off the heap; those of a large message, and those of any message when memory is
/// short, go to a file of its own on the queue's I/O executor. A writer ends by [#seal(Envelope,
/// Consumer)] or [#abandon()].
public final class MessageWriter {
    private final MessageId id;
    private final MailQueue queue;
    private final ChunkPool pool;
    private final CRC32C crc = new CRC32C();
    private long size;
    private boolean isEnded;

    /// In the journal's case all of the body, in the file's what was not yet handed to the I/O
    /// executor. The last one has room; those before are full.
    private final List<ByteBuffer> chunks = new ArrayList<>();

    /// Set when the first bytes go to a file.
    private @Nullable Spill spill;

    MessageWriter(MessageId id, MailQueue queue, ChunkPool pool) {
        this.id = id;
        this.queue = queue;
        this.pool = pool;
    }

    /// The name that the message will have.
    public MessageId id() {
        return id;
    }

    /// Copies all that remains in the buffer; never blocks and never refuses. When it returns, ask
    /// [#isWritable()] before reading more from the peer.
    ///
    /// @throws IllegalStateException when the message was sealed or abandoned
    public void write(ByteBuffer bytes) {
        requireOpen();
        while (bytes.hasRemaining()) {
            ByteBuffer chunk = chunks.isEmpty() ? null : chunks.getLast();
            if (chunk == null || !chunk.hasRemaining()) {
                chunk = pool.take();
                chunks.add(chunk);
            }
            int start = chunk.position();
            int limit = bytes.limit();
            int count = Math.min(chunk.remaining(), bytes.remaining());
            bytes.limit(bytes.position() + count);
            chunk.put(bytes);
            bytes.limit(limit);
            chunk.position(start).limit(start + count);
            crc.update(chunk);
            chunk.limit(chunk.capacity());
            size += count;
        }
        boolean isShort = pool.isUsedUp();
        if (spill == null && (size > queue.limits().bodyFileThresholdBytes() || isShort)) {
            spill = new Spill();
        }
        if (spill != null) {
            handOver(spill, isShort);
        }
    }

    /// Gives the full chunks to the file, and the last one too when memory is short.
    private void handOver(Spill target, boolean all) {
        int keep = all || chunks.isEmpty() || !chunks.getLast().hasRemaining() ? 0 : 1;
        if (chunks.size() > keep) {
            List<ByteBuffer> full = chunks.subList(0, chunks.size() - keep);
            target.add(full);
            full.clear();
        }
    }

    /// Whether the owner may go on writing: false while too much waits for the disk.
    public boolean isWritable() {
        return spill == null || spill.isWritable();
    }

    /// Sets what to run, on any thread, when the writer has become writable again. Kept until
    /// replaced; runs at once when the writer is writable.
    public void onWritable(Runnable signal) {
        if (spill == null || spill.setSignal(signal)) {
            signal.run();
        }
    }

    /// Bytes written so far.
    public long size() {
        return size;
    }

    /// Ends the message and asks for its commit.
    ///
    /// @param done told once, on the committer's or an I/O thread, how it ended; it must return at
    ///     once
    /// @throws IllegalStateException when the message was sealed or abandoned
    /// @throws IllegalArgumentException when the envelope is too large to be recorded; the message
    ///     is then abandoned
    public void seal(Envelope envelope, Consumer<CommitResult> done) {
        requireOpen();
        Spill file = spill;
        var acceptance =
                new Acceptance(queue, id, size, (int) crc.getValue(), file != null, envelope, done);
        try {
            acceptance.encodeHead();
        } catch (IllegalArgumentException e) {
            abandon();
            throw e;
        }
        isEnded = true;
        Refusal refusal = queue.sealing(envelope, file != null);
        if (refusal != null) {
            discard();
            queue.onIo(() -> acceptance.refuseUncounted(refusal));
        } else if (file == null) {
            for (ByteBuffer chunk : chunks) {
                chunk.flip();
            }
            acceptance.submit(chunks, this::giveBackChunks);
        } else {
            handOver(file, true);
            file.seal(acceptance);
        }
    }

    /// Forgets the message, its memory and its file. Does nothing after the first time, or after
    /// the message was sealed.
    public void abandon() {
        if (!isEnded) {
            isEnded = true;
            discard();
        }
    }

    private void discard() {
        giveBackChunks();
        if (spill != null) {
            spill.abandon();
        }
    }

    private void giveBackChunks() {
        for (ByteBuffer chunk : chunks) {
            pool.giveBack(chunk);
        }
        chunks.clear();
    }

    private void requireOpen() {
        if (isEnded) {
            throw new IllegalStateException("message " + id + " was sealed or abandoned");
        }
    }

    /// The part of the message that goes to its file. One job at a time runs on the I/O executor
    /// while there is work.
    private final class Spill implements Runnable {
        private final ArrayDeque<ByteBuffer> waiting = new ArrayDeque<>();
        private long waitingBytes;
        private boolean isRunning;
        private boolean isAbandoned;
        private @Nullable Runnable signal;
        private @Nullable Acceptance sealed;

        // The job's own.
        private BodyStore.@Nullable Draft draft;
        private @Nullable IOException failure;

        synchronized void add(List<ByteBuffer> full) {
            for (ByteBuffer chunk : full) {
                chunk.flip();
                waitingBytes += chunk.remaining();
                waiting.add(chunk);
            }
            start();
        }

        synchronized void seal(Acceptance acceptance) {
            sealed = acceptance;
            start();
        }

        synchronized void abandon() {
            isAbandoned = true;
            start();
        }

        synchronized boolean isWritable() {
            return waitingBytes == 0
                    || (waitingBytes <= queue.limits().writerPendingBytesMax() && !pool.isUsedUp());
        }

        /// @return whether to run it at once
        synchronized boolean setSignal(Runnable runnable) {
            signal = runnable;
            return isWritable();
        }

        private void start() {
            if (!isRunning) {
                isRunning = true;
                try {
                    queue.environment().io().execute(this);
                } catch (RejectedExecutionException e) {
                    // The process ends. The next start deletes the file.
                    isRunning = false;
                    freeWaiting();
                    Acceptance acceptance = sealed;
                    sealed = null;
                    if (acceptance != null) {
                        acceptance.refuseExpected(Refusal.CLOSED);
                    }
                }
            }
        }

        private void freeWaiting() {
            for (ByteBuffer chunk : waiting) {
                pool.giveBack(chunk);
            }
            waiting.clear();
            waitingBytes = 0;
        }

        @Override
        public void run() {
            while (true) {
                ByteBuffer chunk;
                Acceptance acceptance = null;
                boolean toDiscard;
                synchronized (this) {
                    toDiscard = isAbandoned;
                    if (toDiscard) {
                        freeWaiting();
                    }
                    chunk = waiting.poll();
                    if (chunk == null) {
                        acceptance = sealed;
                        sealed = null;
                        isRunning = false;
                    }
                }
                if (chunk != null) {
                    write(chunk);
                    continue;
                }
                if (toDiscard) {
                    discardDraft();
                } else if (acceptance != null) {
                    publish(acceptance);
                }
                return;
            }
        }

        private void write(ByteBuffer chunk) {
            int count = chunk.remaining();
            try {
                if (failure == null) {
                    if (draft == null) {
                        draft = queue.bodies().create(id);
                    }
                    draft.write(chunk);
                }
            } catch (IOException e) {
                // Told when the message is sealed. Until then its bytes go nowhere.
                failure = e;
            } finally {
                pool.giveBack(chunk);
            }
            Runnable wake = null;
            synchronized (this) {
                boolean wasWritable = isWritable();
                waitingBytes -= count;
                if (isWritable() && (!wasWritable || waitingBytes == 0)) {
                    wake = signal;
                }
            }
            if (wake != null) {
                wake.run();
            }
        }

        private void discardDraft() {
            if (draft != null) {
                draft.discard();
                draft = null;
            }
        }

        private void publish(Acceptance acceptance) {
            IOException cause = failure;
            if (cause == null) {
                try {
                    if (draft == null) {
                        draft = queue.bodies().create(id);
                    }
                    draft.publish(queue.isDurable());
                    acceptance.submitExpected();
                    return;
                } catch (IOException e) {
                    cause = e;
                }
            }
            discardDraft();
            acceptance.refuseExpected(queue.bodyFailed(cause));
        }
    }
}
