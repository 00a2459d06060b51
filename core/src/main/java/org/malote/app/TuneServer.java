package org.malote.app;

import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.config.ConfigFile;
import org.malote.config.Settings;
import org.malote.telemetry.LogFormat;
import org.malote.telemetry.LogPipe;

/// A server of `malote tune` in the middle of its peers, in this process: whatever flags the JVM
/// has, both sides have.
final class TuneServer {
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

    private final Path scratch;
    private final double seconds;
    private final long reserveBytes;
    private final TuneTrial.Report report;

    /// @param reserveBytes that stay free on the disk
    TuneServer(Path scratch, double seconds, long reserveBytes, TuneTrial.Report report) {
        this.scratch = scratch;
        this.seconds = seconds;
        this.reserveBytes = reserveBytes;
        this.report = report;
    }

    void measure() throws Exception {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        Settings settings = settings();
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
            long cpuBegin = TuneTrial.cpuNanos();
            long begin = System.nanoTime();
            load.runFor(Math.max(end - begin, WINDOW_NANOS_MIN));
            long elapsed = System.nanoTime() - begin;
            long cpu = TuneTrial.cpuNanos() - cpuBegin;
            report.print(TuneTrial.SERVER, load.figure(elapsed, cpu));
            load.stop();
        }
    }

    private Settings settings() {
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
                        .formatted(TuneTrial.NAME, WAITING_MAX, reserveBytes);
        return switch (ConfigFile.parse(text, "the trial", scratch, TuneTrial.NAME)) {
            case ConfigFile.Result.Valid(Settings settings) -> settings;
            case ConfigFile.Result.Invalid(var problems) ->
                    throw new IllegalStateException("the trial's settings: " + problems);
        };
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
                        TuneTrial.pause(1);
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
