package org.malote.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.config.ConfigFile;
import org.malote.config.Settings;
import org.malote.offload.CertificateSettings;
import org.malote.offload.Engine;
import org.malote.offload.EngineLibrary;
import org.malote.offload.HandshakeCost;
import org.malote.offload.KeyType;
import org.malote.offload.OffloadProviders;
import org.malote.offload.ProviderInfo;
import org.malote.offload.SelfSigned;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsMeasurement;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.malote.queue.JournalKind;
import org.malote.queue.journal.ChronicleJournal;
import org.malote.queue.journal.Frames;
import org.malote.queue.journal.JournalRecord;
import org.malote.queue.journal.JournalSettings;
import org.malote.queue.journal.LocalDisk;
import org.malote.queue.journal.SegmentJournal;
import org.malote.queue.journal.SpoolJournal;
import org.malote.smtp.DomainName;
import org.malote.telemetry.LogFormat;
import org.malote.telemetry.LogPipe;

/// One measurement of `malote tune`, in a process of its own: a JVM has one library under its TLS
/// and one set of flags, and what ends it ends nothing else. It works in a scratch directory that
/// it is given, and prints what it sees in lines of a word, a tab and a value.
final class TuneTrial {
    /// What a line may begin with.
    static final String TLS = "tls";

    static final String COMMIT = "commit";
    static final String SERVER = "server";
    static final String NOTE = "note";

    /// The share of the processors that others used.
    static final String FOREIGN = "foreign";

    static final JsonMapper JSON = new JsonMapper();

    /// The name that trials greet with.
    private static final DomainName NAME = new DomainName("localhost");

    /// Where a process that nobody ends any more ends itself: this many times its time, and this
    /// many seconds.
    private static final int OVERRUN_FACTOR = 4;

    private static final int OVERRUN_SECONDS = 30;

    private final Path scratch;
    private final double seconds;
    private final PrintStream out;

    private TuneTrial(Path scratch, double seconds, PrintStream out) {
        this.scratch = scratch;
        this.seconds = seconds;
        this.out = out;
    }

    /// `tls SCRATCH SECONDS ENGINE,… ROUNDS [CONFIG]`, `commit SCRATCH SECONDS RESERVE` or `server
    /// SCRATCH SECONDS RESERVE`.
    public static void main(String[] arguments) throws Exception {
        endLater(Double.parseDouble(arguments[2]) * OVERRUN_FACTOR + OVERRUN_SECONDS);
        run(arguments, new PrintStream(System.out, true, StandardCharsets.UTF_8));
        System.exit(0);
    }

    /// The same inside of a process that goes on.
    static void run(String[] arguments, PrintStream out) throws Exception {
        TuneTrial trial =
                new TuneTrial(Path.of(arguments[1]), Double.parseDouble(arguments[2]), out);
        Processors before = Processors.now();
        switch (arguments[0]) {
            case TLS ->
                    trial.keys(
                            Stream.of(arguments[3].split(",", -1)).map(Engine::valueOf).toList(),
                            Integer.parseInt(arguments[4]),
                            arguments.length > 5 ? Path.of(arguments[5]) : null);
            case COMMIT -> trial.commits(Long.parseLong(arguments[3]));
            case SERVER -> trial.server(Long.parseLong(arguments[3]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        trial.print(FOREIGN, Processors.now().foreignShare(before));
    }

    /// proc_stat(5), in nanoseconds of all processors together.
    private record Processors(double busyNanos, double allNanos, double ownNanos) {
        /// USER_HZ, which the kernel holds to for this file.
        private static final double NANOS_OF_A_TICK = 1e7;

        /// Nothing where the system has no such file.
        static Processors now() {
            double all = 0;
            double idle = 0;
            try (Stream<String> lines = Files.lines(Path.of("/proc/stat"))) {
                String[] fields = lines.findFirst().orElse("").split(" +", -1);
                // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user
                for (int i = 1; i < Math.min(fields.length, 9); i++) {
                    double ticks = Double.parseDouble(fields[i]);
                    all += ticks;
                    idle += i == 4 || i == 5 ? ticks : 0;
                }
            } catch (IOException | NumberFormatException _) {
                // not told
            }
            return new Processors(
                    (all - idle) * NANOS_OF_A_TICK, all * NANOS_OF_A_TICK, cpuNanos());
        }

        double foreignShare(Processors before) {
            double all = allNanos - before.allNanos;
            double foreign = busyNanos - before.busyNanos - (ownNanos - before.ownNanos);
            return all <= 0 ? 0 : Math.clamp(foreign / all, 0, 1);
        }
    }

    private static void endLater(double seconds) {
        Threads.factory("tune-end")
                .newThread(
                        () -> {
                            try {
                                Thread.sleep(Duration.ofMillis((long) (seconds * 1000)));
                            } catch (InterruptedException _) {
                                // nobody does
                            }
                            Runtime.getRuntime().halt(1);
                        })
                .start();
    }

    private void print(String kind, Object value) {
        if (isSilent) {
            return;
        }
        try {
            out.println(kind + "\t" + JSON.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of numbers is always JSON", e);
        }
    }

    private void note(String sentence) {
        print(NOTE, sentence);
    }

    // ---- Keys -------------------------------------------------------------------------------

    /// One to warm up, and two so that a moment's load does not decide.
    private static final int PASSES = 3;

    private boolean isSilent;

    private void keys(List<Engine> engines, int rounds, @Nullable Path config) throws IOException {
        EngineLibrary.choose(engines.getFirst());
        Clock clock = Clock.systemUTC();
        SecureRandom random = new SecureRandom();
        OffloadProviders providers = KeyProviders.installed(random);
        TlsEnvironment environment =
                KeyProviders.environment(clock, random, providers, SignatureWatch.NONE);
        List<CertificateSettings> made = new ArrayList<>();
        for (KeyType type : KeyType.values()) {
            made.add(SelfSigned.toMeasure(scratch, type, clock, random));
        }
        for (Engine engine : engines) {
            // The first pass is for the compilers.
            for (int pass = 0; pass < PASSES; pass++) {
                isSilent = pass == 0;
                if (engine == engines.getFirst()) {
                    own(engine, rounds, config, environment);
                }
                for (ProviderInfo provider : providers.infos()) {
                    if (provider.name().equals(TlsSettings.DEFAULT_PROVIDER)
                            || engine == Engine.BORINGSSL) {
                        made(engine, provider, rounds, made, environment);
                    }
                }
            }
        }
    }

    private void made(
            Engine engine,
            ProviderInfo info,
            int rounds,
            List<CertificateSettings> made,
            TlsEnvironment environment) {
        String provider = info.name();
        if (!info.missing().isEmpty()) {
            note("provider " + provider + " cannot be used: " + String.join("; ", info.missing()));
            return;
        }
        for (CertificateSettings one : made) {
            CertificateSettings certificate = one;
            switch (provider) {
                case TlsSettings.DEFAULT_PROVIDER, "libcrypto" -> {}
                case "jca" -> certificate = withJdkProvider(one);
                default -> {
                    note(
                            "provider "
                                    + provider
                                    + " was measured with the keys of the configuration alone, if"
                                    + " it has any: its keys cannot be made here");
                    return;
                }
            }
            TlsSettings settings =
                    TlsSettings.withDefaults(List.of(certificate))
                            .withEngine(engine)
                            .withProvider(provider.equals("jca") ? "native" : provider);
            try {
                for (TlsMeasurement each : TlsMeasurement.of(settings, environment, rounds)) {
                    print(TLS, figure(engine, provider, false, each));
                }
            } catch (TlsProblems e) {
                note(
                        "engine "
                                + engine.settingName()
                                + ", provider "
                                + provider
                                + ": "
                                + String.join("; ", e.problems()));
                return; // as each other key would
            }
        }
    }

    /// Of the JDK, the one that every host has.
    private static CertificateSettings withJdkProvider(CertificateSettings one) {
        boolean isRsa = one.chain().getFileName().toString().startsWith("RSA");
        return new CertificateSettings(
                one.chain(), "jca:" + (isRsa ? "SunRsaSign" : "SunEC") + "?key=" + one.key());
    }

    /// The certificates of the operator, with the provider that the configuration names.
    private void own(Engine engine, int rounds, @Nullable Path config, TlsEnvironment environment) {
        if (config == null
                || !(ConfigFile.read(config, NAME) instanceof ConfigFile.Result.Valid(var all))) {
            return;
        }
        for (CertificateSettings one : all.tls().certificates()) {
            int colon = one.key().startsWith("/") ? -1 : one.key().indexOf(':');
            String provider = colon < 0 ? all.tls().provider() : one.key().substring(0, colon);
            try {
                TlsSettings settings = all.tls().withEngine(engine).withCertificates(List.of(one));
                for (TlsMeasurement each : TlsMeasurement.of(settings, environment, rounds)) {
                    print(TLS, figure(engine, provider, true, each));
                }
            } catch (TlsProblems e) {
                note("certificate " + one.chain() + ": " + String.join("; ", e.problems()));
            }
        }
    }

    private static TuneFigures.Tls figure(
            Engine engine, String provider, boolean isOwn, TlsMeasurement measured) {
        return new TuneFigures.Tls(
                engine.settingName(),
                provider,
                measured.certificate().keyType(),
                isOwn,
                measured.signatureNanos(),
                measured.isSignedByEngine(),
                nanos(measured, "TLSv1.3", false),
                nanos(measured, "TLSv1.3", true),
                nanos(measured, "TLSv1.2", false),
                nanos(measured, "TLSv1.2", true));
    }

    private static long nanos(TlsMeasurement measured, String version, boolean isResumed) {
        for (HandshakeCost cost : measured.handshakes()) {
            if (cost.version().equals(version) && cost.isResumed() == isResumed) {
                return cost.nanos();
            }
        }
        return 0;
    }

    // ---- Commits ----------------------------------------------------------------------------

    private static final int RECORD_OCTETS = 8 << 10;
    private static final int HEAD_OCTETS = 100;
    private static final int[] GROUPS = {1, 16, 128};

    /// Smaller than the server's, so that spares are made in a moment on a slow disk too.
    private static final long FILE_BYTES = 64L << 20;

    private static final long SPARES_BYTES = 4 * FILE_BYTES;

    /// What one journal may fill: the spares, and files that are not yet drained.
    static final long COMMIT_BYTES_MAX = 2 * SPARES_BYTES;

    /// Enough for a median and a p99; the memory of a small host.
    private static final int SAMPLES_MAX = 1 << 18;

    /// The first file of the journal that is not drained.
    private int drained;

    /// A host whose mail leaves has spares ready; without them one measures how they are made.
    private void commits(long reserveBytes) throws IOException {
        for (JournalKind kind : JournalKind.values()) {
            drained = 0;
            Path spool = Files.createDirectory(scratch.resolve(kind.name()));
            ExecutorService io = Executors.newFixedThreadPool(2, Threads.factory("tune-io"));
            try (SpoolJournal journal = journal(kind, spool, reserveBytes, io)) {
                double each = seconds / JournalKind.values().length / (GROUPS.length + 1);
                var _ = group(kind, journal, 1, each / 2);
                waitForSpares(spool.resolve("spares"), kind, each);
                for (int records : GROUPS) {
                    TuneFigures.Commit figure = group(kind, journal, records, each);
                    if (figure == null) {
                        note(
                                "journal "
                                        + name(kind)
                                        + ": the disk has too little space to measure");
                        break;
                    }
                    print(COMMIT, figure);
                }
            } finally {
                io.shutdown();
            }
        }
    }

    private static String name(JournalKind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    private static SpoolJournal journal(
            JournalKind kind, Path spool, long reserveBytes, ExecutorService io)
            throws IOException {
        LocalDisk disk = new LocalDisk();
        Random random = new Random(1);
        return switch (kind) {
            case SEGMENT ->
                    SegmentJournal.open(
                            disk,
                            spool,
                            new JournalSettings(FILE_BYTES, true, SPARES_BYTES, reserveBytes),
                            random,
                            io);
            case CHRONICLE ->
                    ChronicleJournal.open(
                            disk,
                            spool,
                            new JournalSettings(FILE_BYTES, true, 0, reserveBytes),
                            random,
                            io);
        };
    }

    private static void waitForSpares(Path spares, JournalKind kind, double secondsMax)
            throws IOException {
        long end = System.nanoTime() + (long) (secondsMax * 2e9);
        while (kind == JournalKind.SEGMENT && System.nanoTime() - end < 0) {
            try (Stream<Path> files = Files.list(spares)) {
                if (files.filter(file -> !file.toString().endsWith(".tmp")).count()
                        >= SPARES_BYTES / FILE_BYTES) {
                    return;
                }
            }
            pause(20);
        }
    }

    /// As in a server whose mail moves on: all that came before the newest.
    private void drain(SpoolJournal journal) throws IOException {
        for (; drained < journal.currentFile(); drained++) {
            journal.delete(drained);
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// @return null when the disk is full
    private TuneFigures.@Nullable Commit group(
            JournalKind kind, SpoolJournal journal, int records, double seconds)
            throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD_OCTETS);
        ByteBuffer body = ByteBuffer.allocateDirect(RECORD_OCTETS);
        long bytes = (long) records * (HEAD_OCTETS + RECORD_OCTETS + Frames.HEADER_BYTES);
        long[] nanos = new long[SAMPLES_MAX];
        int count = 0;
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        long last = begin;
        while (count < SAMPLES_MAX && (count < 2 || last - end < 0)) {
            if (!journal.reserve(bytes)) {
                return null;
            }
            for (int i = 0; i < records; i++) {
                long _ =
                        journal.append(
                                new JournalRecord(
                                        (byte) 1, head.duplicate(), List.of(body.duplicate())));
            }
            journal.force();
            long now = System.nanoTime();
            nanos[count++] = now - last;
            drain(journal);
            last = System.nanoTime();
        }
        Arrays.sort(nanos, 0, count);
        return new TuneFigures.Commit(
                name(kind),
                records,
                (long) (count * (long) records * 1e9 / (last - begin)),
                nanos[count / 2],
                nanos[count * 99 / 100]);
    }

    // ---- A server ---------------------------------------------------------------------------

    private static final int PEERS = 32;
    private static final int MESSAGE_OCTETS = 4096;

    /// So that the ports of connections that have ended do not run out.
    private static final int MESSAGES_OF_A_CONNECTION = 200;

    /// So many may wait in the trial's queue, which passes them on to nobody: 90 MB.
    private static final int WAITING_MAX = 20_000;

    /// What is for compiling.
    private static final double WARM_UP_SHARE = 0.6;

    /// However long the start took.
    private static final long WINDOW_NANOS_MIN = 500_000_000;

    private static final Pattern PORT = Pattern.compile(": mx 127\\.0\\.0\\.1:(\\d+) ");

    private void server(long reserveBytes) throws Exception {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        Settings settings = settings(reserveBytes);
        try (LogPipe log =
                        LogPipe.install(
                                LogFormat.TEXT,
                                new FileOutputStream("/dev/null"),
                                ProcessHandle.current().pid(),
                                Threads.factory("log"));
                Threads threads = new Threads(Runtime.getRuntime().availableProcessors());
                Malote malote =
                        Malote.start(
                                settings,
                                () -> new ConfigFile.Result.Valid(settings),
                                threads,
                                log)) {
            Matcher ready = PORT.matcher(malote.readyLine());
            if (!ready.find()) {
                throw new IllegalStateException(malote.readyLine());
            }
            Load load = new Load(Integer.parseInt(ready.group(1)));
            load.start();
            load.runFor((long) ((end - System.nanoTime()) * WARM_UP_SHARE));
            load.clear();
            long cpuBegin = cpuNanos();
            long begin = System.nanoTime();
            load.runFor(Math.max(end - begin, WINDOW_NANOS_MIN));
            long elapsed = System.nanoTime() - begin;
            long cpu = cpuNanos() - cpuBegin;
            print(SERVER, load.figure(elapsed, cpu));
            load.stop();
        }
    }

    private Settings settings(long reserveBytes) {
        String text =
                """
                hostname = "%s"
                state    = "server"
                [[listener]]
                address = "127.0.0.1:0"
                tls     = "none"
                [[route]]
                domain = "*"
                via    = "discard"
                [queue]
                spares             = 0
                messages-max       = %d
                free-space-reserve = %d
                [admin]
                enabled = false
                """
                        .formatted(NAME, WAITING_MAX, reserveBytes);
        return switch (ConfigFile.parse(text, "the trial", scratch, NAME)) {
            case ConfigFile.Result.Valid(Settings settings) -> settings;
            case ConfigFile.Result.Invalid(var problems) ->
                    throw new IllegalStateException("the trial's settings: " + problems);
        };
    }

    private static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    /// The most memory that this process has had, or 0 where the system does not tell.
    private static long residentBytes() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                    .findFirst()
                    .orElse(0);
        } catch (IOException _) {
            return 0;
        }
    }

    /// Peers that each wait for an acknowledgement before they send the next message.
    private static final class Load {
        private final List<Peer> peers = new ArrayList<>();
        private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();

        Load(int port) {
            for (int i = 0; i < PEERS; i++) {
                peers.add(new Peer(port, failure));
            }
        }

        void start() {
            var threads = Threads.factory("tune-peer");
            peers.forEach(peer -> threads.newThread(peer).start());
        }

        void runFor(long nanos) throws Exception {
            TimeUnit.NANOSECONDS.sleep(nanos);
            Exception failed = failure.get();
            if (failed != null) {
                throw failed;
            }
        }

        void clear() {
            peers.forEach(Peer::clear);
        }

        void stop() {
            peers.forEach(Peer::stop);
        }

        TuneFigures.Trial figure(long elapsedNanos, long cpuNanos) {
            long[] all =
                    peers.stream().flatMapToLong(peer -> Arrays.stream(peer.samples())).toArray();
            Arrays.sort(all);
            int count = Math.max(1, all.length);
            return new TuneFigures.Trial(
                    TuneJvm.usual(0), // whoever chose the flags knows them
                    all.length * 1e9 / elapsedNanos,
                    cpuNanos / count,
                    all.length == 0 ? 0 : all[all.length * 99 / 100],
                    residentBytes());
        }
    }

    private static final class Peer implements Runnable {
        private static final byte[] ENVELOPE =
                "MAIL FROM:<a@peer.example>\r\nRCPT TO:<b@sink.example>\r\nDATA\r\n"
                        .getBytes(StandardCharsets.US_ASCII);

        private static final byte[] MESSAGE =
                ("Subject: tune\r\n\r\n"
                                + ("x".repeat(62) + "\r\n").repeat(MESSAGE_OCTETS / 64)
                                + ".\r\n")
                        .getBytes(StandardCharsets.US_ASCII);

        private final int port;
        private final AtomicReference<@Nullable Exception> failure;
        private long[] nanos = new long[1024];
        private int count;
        private volatile boolean isStopped;

        Peer(int port, AtomicReference<@Nullable Exception> failure) {
            this.port = port;
            this.failure = failure;
        }

        synchronized void clear() {
            count = 0;
        }

        synchronized long[] samples() {
            return Arrays.copyOf(nanos, count);
        }

        private synchronized void add(long sample) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
            }
            nanos[count++] = sample;
        }

        void stop() {
            isStopped = true;
        }

        @Override
        public void run() {
            try {
                while (!isStopped) {
                    connection();
                }
            } catch (IOException | RuntimeException e) {
                if (!isStopped) {
                    failure.compareAndSet(null, e);
                }
            }
        }

        private void connection() throws IOException {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setTcpNoDelay(true);
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(
                                        socket.getInputStream(), StandardCharsets.US_ASCII));
                OutputStream out = socket.getOutputStream();
                expect(in, '2');
                out.write("EHLO peer.example\r\n".getBytes(StandardCharsets.US_ASCII));
                expect(in, '2');
                for (int i = 0; i < MESSAGES_OF_A_CONNECTION && !isStopped; i++) {
                    out.write(ENVELOPE);
                    boolean isTaken = reply(in) == '2';
                    isTaken &= reply(in) == '2';
                    isTaken &= reply(in) == '3';
                    if (!isTaken) {
                        // 452, while the queue is full: what a sender does then.
                        out.write("RSET\r\n".getBytes(StandardCharsets.US_ASCII));
                        expect(in, '2');
                        pause(1);
                        continue;
                    }
                    long begin = System.nanoTime();
                    out.write(MESSAGE);
                    expect(in, '2');
                    add(System.nanoTime() - begin);
                }
                out.write("QUIT\r\n".getBytes(StandardCharsets.US_ASCII));
                expect(in, '2');
            }
        }

        private static void expect(BufferedReader in, char first) throws IOException {
            char was = reply(in);
            if (was != first) {
                throw new IOException("the trial's server answered " + was + "xx");
            }
        }

        /// @return the first digit
        private static char reply(BufferedReader in) throws IOException {
            while (true) {
                String line = in.readLine();
                if (line == null || line.length() < 4) {
                    throw new IOException("the trial's server ended the session");
                }
                if (line.charAt(3) == ' ') {
                    return line.charAt(0);
                }
            }
        }
    }
}
