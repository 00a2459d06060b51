package org.malote.queue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.malote.queue.journal.OpenFailedException;

/// Body files in memory, which fail on command.
final class MemoryBodies implements BodyStore {
    private final Map<Long, byte[]> bodies = new ConcurrentHashMap<>();
    private final AtomicInteger drafts = new AtomicInteger();
    private volatile @Nullable IOException failure;
    private volatile boolean refusesDrafts;

    /// From now on every write fails with this.
    void failWith(IOException cause) {
        failure = cause;
    }

    /// As when the process has no descriptor left.
    void refuseDrafts(boolean refuses) {
        refusesDrafts = refuses;
    }

    int count() {
        return bodies.size();
    }

    int drafts() {
        return drafts.get();
    }

    @Override
    public Draft create(MessageId id) throws OpenFailedException {
        if (refusesDrafts) {
            throw new OpenFailedException(new IOException("Too many open files"));
        }
        drafts.incrementAndGet();
        var bytes = new ByteArrayOutputStream();
        return new Draft() {
            @Override
            public void write(ByteBuffer source) throws IOException {
                IOException cause = failure;
                if (cause != null) {
                    throw cause;
                }
                var copy = new byte[source.remaining()];
                source.get(copy);
                bytes.write(copy);
            }

            @Override
            public void publish(boolean durable) {
                bodies.put(id.value(), bytes.toByteArray());
                drafts.decrementAndGet();
            }

            @Override
            public void discard() {
                drafts.decrementAndGet();
            }
        };
    }

    @Override
    public MessageBody.Source open(MessageId id) throws IOException {
        byte[] body = bodies.get(id.value());
        if (body == null) {
            throw new IOException("the body of message " + id + " is missing");
        }
        return new MessageBody.Source() {
            @Override
            public int read(long offset, ByteBuffer destination) {
                int count =
                        Math.min(destination.remaining(), body.length - Math.toIntExact(offset));
                destination.put(body, Math.toIntExact(offset), count);
                return count;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public long size(MessageId id) {
        byte[] body = bodies.get(id.value());
        return body == null ? -1 : body.length;
    }

    @Override
    public void delete(MessageId id) {
        bodies.remove(id.value());
    }

    @Override
    public int removeOrphans(LongPredicate keep, boolean setAside) {
        int before = bodies.size();
        bodies.keySet().removeIf(id -> !keep.test(id));
        return before - bodies.size();
    }
}
