package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

/// How many messages a second K clients get acknowledged that each wait for the acknowledgement
/// before they send the next. All stores that are named take turns:
///
/// * `floor`: plain appends to a file that has its blocks already, with the same group commit;
/// * `segment`, `chronicle`: the queue as the server has it, durable, on that journal, but with
///   4 GiB of spares where the server has 1 GiB. They are ready before the measurement begins, as
///   on a host whose mail leaves again; what is used of them meanwhile is made again in the
///   background;
/// * with `-bare`: without spares, as when mail comes much faster than it leaves for long;
/// * with `-drain`: two threads claim what came, read it and settle it as delivered, so that
///   segments are drained and used again. They share the processors: not to be compared with the
///   floor;
/// * with `-relaxed`: in the page cache before the acknowledgement, no further.
///
/// `java … org.malote.queue.AckRate FOLDER SECONDS ROUNDS K,K,… OCTETS,OCTETS,… STORE,STORE,…`
/// prints one line of JSON for each K and size.
final class AckRate {
    private static final int WARM_UP_SHARE = 3;
    private static final int COMPILING_CLIENTS = 64;
    private static final int COMPILING_OCTETS = 8192;
    private static final double COMPILING_SECONDS = 6;
    private static final long SETTLING_MILLIS = 1500;
    private static final long FLOOR_FILE_BYTES = 256L << 20;

    /// More than a round fills: a spare that is made meanwhile shares the disk.
    private static final long SPARES_BYTES = 4L << 30;

    private static final int ZERO_BYTES = 1 << 20;

    /// Those of [QueueLimits#standard].
    private static final int BATCH_RECORDS = 256;

    private static final int BATCH_BYTES = 1 << 20;

    private AckRate() {}

    /// Something that keeps messages.
    private interface Store extends AutoCloseable {
        /// @param kept run when it is on stable storage, or as far as this store promises
        void append(ByteBuffer message, Runnable kept);

        /// Called between warming up and measuring, with nothing under way.
        void prepare() throws Exception;

        @Override
        void close() throws IOException;
    }

    /// @param cpuNanos of the whole process for one message, clients and all
    private record Figures(long perSecond, long p50Micros, long p99Micros, long cpuNanos) {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        double seconds = Double.parseDouble(arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        List<String> stores = List.of(arguments[5].split(",", -1));
        // The JVM compiles while the first messages come; a server that runs does not.
        for (String store : stores) {
            var _ = measure(folder, store, COMPILING_CLIENTS, COMPILING_OCTETS, COMPILING_SECONDS);
        }
        for (int octets : numbers(arguments[4])) {
            for (int clients : numbers(arguments[3])) {
                Map<String, List<Figures>> figures = new LinkedHashMap<>();
                for (int round = 0; round < rounds; round++) {
                    for (String store : stores) {
                        figures.computeIfAbsent(store, _ -> new ArrayList<>())
                                .add(measure(folder, store, clients, octets, seconds));
                    }
                }
                var line = new StringBuilder();
                figures.forEach(
                        (store, rows) ->
                                line.append(",\"").append(store).append("\":").append(json(rows)));
                System.out.printf(
                        Locale.ROOT, "{\"clients\":%d,\"octets\":%d%s}%n", clients, octets, line);
            }
        }
    }

    private static int[] numbers(String list) {
        return Arrays.stream(list.split(",", -1)).mapToInt(Integer::parseInt).toArray();
    }

    private static String json(List<Figures> rounds) {
        return String.format(
                Locale.ROOT,
                "{\"perSecond\":%s,\"p50Micros\":%s,\"p99Micros\":%s,\"cpuNanos\":%s}",
                rounds.stream().map(Figures::perSecond).toList(),
                rounds.stream().map(Figures::p50Micros).toList(),
                rounds.stream().map(Figures::p99Micros).toList(),
                rounds.stream().map(Figures::cpuNanos).toList());
    }

    private static Store open(String store, Path spool) throws IOException {
        if (store.equals("floor")) {
            return new Floor(spool);
        }
        List<String> words = List.of(store.split("-", -1));
        JournalKind journal = JournalKind.valueOf(words.getFirst().toUpperCase(Locale.ROOT));
        QueueSettings settings = QueueSettings.standard(spool);
        boolean hasSpares = journal == JournalKind.SEGMENT && !words.contains("bare");
        settings = settings.withJournal(journal, hasSpares ? SPARES_BYTES : 0);
        if (words.contains("relaxed")) {
            settings = settings.withDurability(Durability.RELAXED);
        }
        return new Queue(settings, words.contains("drain"));
    }

    private static Figures measure(
            Path folder, String name, int clients, int octets, double seconds) throws Exception {
        Path spool = Files.createTempDirectory(folder, "acks-");
        try (Store store = open(name, spool)) {
            var _ = run(store, clients, octets, seconds / WARM_UP_SHARE);
            store.prepare();
            return run(store, clients, octets, seconds);
        } finally {
            delete(spool);
            settle();
        }
    }

    /// A file system that discards what was deleted does so a moment later, and the next store
    /// would
    /// pay for it.
    private static void settle() throws Exception {
        var _ = new ProcessBuilder("sync").start().waitFor();
        Thread.sleep(SETTLING_MILLIS);
    }

    private static Figures run(Store store, int clients, int octets, double seconds)
            throws Exception {
        byte[] body = Mail.random(1, octets);
        long cpuBefore = cpuNanos();
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
                all[all.length * 99 / 100] / 1000,
                (cpuNanos() - cpuBefore) / all.length);
    }

    private static long cpuNanos() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
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
        private static final int DRAINERS = 2;
        private static final int SPARES_WAITS = 600;
        private static final int SPARES_WAIT_MILLIS = 50;

        private final QueueSettings settings;
        private final MailQueue queue;
        private final Envelope envelope = Mail.to("box@sink.example");
        private final Semaphore due = new Semaphore(0);
        private final List<Thread> drainers = new ArrayList<>();
        private volatile boolean isClosed;

        Queue(QueueSettings settings, boolean isDrained) throws IOException {
            this.settings = settings;
            queue =
                    MailQueue.open(
                            settings,
                            new QueueEnvironment(
                                    InstantSource.system(),
                                    System::nanoTime,
                                    new Random(1),
                                    Thread::new,
                                    Executors.newFixedThreadPool(
                                            4, Thread.ofPlatform().daemon().factory()),
                                    (kind, detail) -> System.err.println(kind + " " + detail)));
            if (isDrained) {
                queue.onDue(due::release);
                for (int i = 0; i < DRAINERS; i++) {
                    drainers.add(Thread.ofPlatform().daemon().start(this::drain));
                }
            }
        }

        private void drain() {
            ByteBuffer bytes = ByteBuffer.allocateDirect(64 << 10);
            try {
                while (!isClosed) {
                    due.acquire();
                    due.drainPermits();
                    for (Claim claim = queue.claim(System.currentTimeMillis());
                            claim != null && !isClosed;
                            claim = queue.claim(System.currentTimeMillis())) {
                        try (MessageBody body = claim.body()) {
                            while (body.read(bytes.clear()) >= 0) {}
                        }
                        claim.settle(Mail.delivered(claim));
                    }
                }
            } catch (InterruptedException | IOException e) {
                System.err.println(e);
            }
        }

        /// Goes on in a spare, with the others ready: a start's first file has none. Waits as long
        /// as it takes to make them, at most.
        @Override
        public void prepare() throws Exception {
            long wanted = settings.sparesBytes() / settings.limits().journalFileBytes();
            int length = settings.limits().bodyFileThresholdBytes() / 2;
            long half = settings.limits().journalFileBytes() / 2;
            for (long filled = 0; filled < half && wanted > 0; filled += length) {
                fill(length);
            }
            for (int i = 0; i < SPARES_WAITS && spares() < wanted; i++) {
                Thread.sleep(SPARES_WAIT_MILLIS);
            }
            while (wanted > 0 && spares() >= wanted) {
                fill(length);
            }
        }

        private long spares() throws IOException {
            try (Stream<Path> all = Files.list(settings.directory().resolve("spares"))) {
                return all.filter(path -> !path.toString().endsWith(".tmp")).count();
            }
        }

        private void fill(int length) throws InterruptedException {
            var kept = new CountDownLatch(1);
            append(ByteBuffer.allocate(length), kept::countDown);
            kept.await();
        }

        @Override
        public void append(ByteBuffer message, Runnable kept) {
            MessageWriter writer = queue.begin();
            writer.write(message);
            writer.seal(
                    envelope,
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
            isClosed = true;
            due.release(DRAINERS);
            queue.close();
            drainers.forEach(Thread::interrupt);
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
        public void prepare() {}

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
