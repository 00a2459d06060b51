package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/// How many messages a second K clients get acknowledged that each wait for the acknowledgement
/// before they send the next: the queue in both of its modes, beside the floor, which is plain
/// appends to a zero-filled file with the same group commit. All of them take turns.
///
/// `java … org.malote.queue.AckRate FOLDER SECONDS ROUNDS K,K,… OCTETS,OCTETS,…` prints one line of
/// JSON for each K and size.
final class AckRate {
    private static final int WARM_UP_SHARE = 3;
    private static final long FLOOR_FILE_BYTES = 256L << 20;
    private static final int ZERO_BYTES = 1 << 20;

    /// Those of [QueueLimits#standard].
    private static final int BATCH_RECORDS = 256;

    private static final int BATCH_BYTES = 1 << 20;

    private AckRate() {}

    /// Something that keeps messages.
    private interface Store extends AutoCloseable {
        /// @param kept run when it is on stable storage, or as far as this store promises
        void append(ByteBuffer message, Runnable kept);

        @Override
        void close() throws IOException;
    }

    private record Figures(long perSecond, long p50Micros, long p99Micros) {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        double seconds = Double.parseDouble(arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        for (int octets : numbers(arguments[4])) {
            for (int clients : numbers(arguments[3])) {
                List<Figures> floor = new ArrayList<>();
                List<Figures> commit = new ArrayList<>();
                List<Figures> relaxed = new ArrayList<>();
                for (int round = 0; round < rounds; round++) {
                    floor.add(measure(folder, Floor::new, clients, octets, seconds));
                    commit.add(
                            measure(
                                    folder,
                                    spool -> new Queue(spool, Durability.COMMIT),
                                    clients,
                                    octets,
                                    seconds));
                    relaxed.add(
                            measure(
                                    folder,
                                    spool -> new Queue(spool, Durability.RELAXED),
                                    clients,
                                    octets,
                                    seconds));
                }
                System.out.printf(
                        Locale.ROOT,
                        "{\"clients\":%d,\"octets\":%d,\"floor\":%s,\"commit\":%s,\"relaxed\":%s}%n",
                        clients,
                        octets,
                        json(floor),
                        json(commit),
                        json(relaxed));
            }
        }
    }

    private static int[] numbers(String list) {
        return Arrays.stream(list.split(",", -1)).mapToInt(Integer::parseInt).toArray();
    }

    private static String json(List<Figures> rounds) {
        return String.format(
                Locale.ROOT,
                "{\"perSecond\":%s,\"p50Micros\":%s,\"p99Micros\":%s}",
                rounds.stream().map(Figures::perSecond).toList(),
                rounds.stream().map(Figures::p50Micros).toList(),
                rounds.stream().map(Figures::p99Micros).toList());
    }

    private interface Opening {
        Store open(Path spool) throws IOException;
    }

    private static Figures measure(
            Path folder, Opening opening, int clients, int octets, double seconds)
            throws Exception {
        Path spool = Files.createTempDirectory(folder, "acks-");
        try (Store store = opening.open(spool)) {
            var _ = run(store, clients, octets, seconds / WARM_UP_SHARE);
            return run(store, clients, octets, seconds);
        } finally {
            delete(spool);
        }
    }

    private static Figures run(Store store, int clients, int octets, double seconds)
            throws Exception {
        byte[] body = Mail.random(1, octets);
        long begun = System.nanoTime();
        long end = begun + (long) (seconds * 1e9);
        var latencies = new long[clients][];
        var ended = new CountDownLatch(clients);
        for (int client = 0; client < clients; client++) {
            int place = client;
            Thread.ofVirtual()
                    .start(
                            () -> {
                                latencies[place] = converse(store, body, end);
                                ended.countDown();
                            });
        }
        ended.await();
        long took = System.nanoTime() - begun;
        long[] all = Arrays.stream(latencies).flatMapToLong(Arrays::stream).sorted().toArray();
        return new Figures(
                (long) (all.length * 1e9 / took),
                all[all.length / 2] / 1000,
                all[all.length * 99 / 100] / 1000);
    }

    /// Sends, waits, and sends again until the end.
    private static long[] converse(Store store, byte[] body, long end) {
        var nanos = new long[1024];
        int count = 0;
        long now = System.nanoTime();
        while (now < end) {
            var kept = new CountDownLatch(1);
            store.append(ByteBuffer.wrap(body), kept::countDown);
            try {
                kept.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            long then = System.nanoTime();
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
            }
            nanos[count++] = then - now;
            now = then;
        }
        return Arrays.copyOf(nanos, count);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /// The queue as the server has it.
    private static final class Queue implements Store {
        private final MailQueue queue;

        Queue(Path spool, Durability durability) throws IOException {
            QueueSettings usual = QueueSettings.standard(spool);
            queue =
                    MailQueue.open(
                            new QueueSettings(spool, durability, usual.retry(), usual.limits()),
                            new QueueEnvironment(
                                    InstantSource.system(),
                                    System::nanoTime,
                                    new Random(1),
                                    Thread::new,
                                    Executors.newFixedThreadPool(
                                            4, Thread.ofPlatform().daemon().factory()),
                                    (kind, detail) -> System.err.println(kind + " " + detail)));
        }

        @Override
        public void append(ByteBuffer message, Runnable kept) {
            MessageWriter writer = queue.begin();
            writer.write(message);
            writer.seal(
                    Mail.to("box@sink.example"),
                    result -> {
                        if (result instanceof CommitResult.Refused(Refusal refusal)) {
                            System.err.println("refused: " + refusal);
                            Runtime.getRuntime().halt(1);
                        }
                        kept.run();
                    });
        }

        @Override
        public void close() {
            queue.close();
        }
    }

    /// One thread that gathers, writes behind one another and forces once, into a file that has its
    /// blocks already.
    private static final class Floor implements Store {
        private record Entry(ByteBuffer message, Runnable kept) {}

        private final ArrayBlockingQueue<Entry> waiting = new ArrayBlockingQueue<>(4096);
        private final FileChannel file;
        private final Thread committer = Thread.ofPlatform().daemon().unstarted(this::commit);
        private volatile boolean isClosed;

        Floor(Path spool) throws IOException {
            file =
                    FileChannel.open(
                            spool.resolve("floor"),
                            StandardOpenOption.CREATE_NEW,
                            StandardOpenOption.WRITE);
            ByteBuffer zeros = ByteBuffer.allocateDirect(ZERO_BYTES);
            for (long at = 0; at < FLOOR_FILE_BYTES; at += ZERO_BYTES) {
                zeros.clear();
                while (zeros.hasRemaining()) {
                    var _ = file.write(zeros);
                }
            }
            file.force(true);
            file.position(0);
            committer.start();
        }

        @Override
        public void append(ByteBuffer message, Runnable kept) {
            try {
                waiting.put(new Entry(message, kept));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        private void commit() {
            ByteBuffer batch = ByteBuffer.allocateDirect(2 * BATCH_BYTES);
            List<Entry> group = new ArrayList<>();
            try {
                while (!isClosed) {
                    Entry first = waiting.take();
                    while (first != null) {
                        batch.put(first.message());
                        group.add(first);
                        boolean isFull =
                                batch.position() >= BATCH_BYTES || group.size() >= BATCH_RECORDS;
                        first = isFull ? null : waiting.poll();
                    }
                    batch.flip();
                    if (file.position() + batch.remaining() > FLOOR_FILE_BYTES) {
                        file.position(0);
                    }
                    while (batch.hasRemaining()) {
                        var _ = file.write(batch);
                    }
                    batch.clear();
                    file.force(false);
                    group.forEach(entry -> entry.kept().run());
                    group.clear();
                }
            } catch (InterruptedException e) {
                // closed
            } catch (IOException e) {
                System.err.println(e.getMessage());
                Runtime.getRuntime().halt(1);
            }
        }

        @Override
        public void close() throws IOException {
            isClosed = true;
            committer.interrupt();
            try {
                committer.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            file.close();
        }
    }
}
