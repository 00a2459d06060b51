package org.malote.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.malote.offload.Engine;
import org.malote.smtp.DomainName;

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
    static final DomainName NAME = new DomainName("localhost");

    /// Where a process that nobody ends any more ends itself: this many times its time, and this
    /// many seconds.
    private static final int OVERRUN_FACTOR = 4;

    private static final int OVERRUN_SECONDS = 30;

    private TuneTrial() {}

    /// Where a trial tells what it sees.
    static final class Report {
        /// For what is not to be told.
        static final Report SILENT =
                new Report(
                        new PrintStream(
                                OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));

        private final PrintStream out;

        private Report(PrintStream out) {
            this.out = out;
        }

        void print(String kind, Object value) {
            try {
                out.println(kind + "\t" + JSON.writeValueAsString(value));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("a record of numbers is always JSON", e);
            }
        }

        /// @param sentence for the operator
        void note(String sentence) {
            print(NOTE, sentence);
        }
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
        Path scratch = Path.of(arguments[1]);
        double seconds = Double.parseDouble(arguments[2]);
        Report report = new Report(out);
        Processors before = Processors.now();
        switch (arguments[0]) {
            case TLS ->
                    new TuneKeys(scratch, Integer.parseInt(arguments[4]), report)
                            .measure(
                                    Stream.of(arguments[3].split(",", -1))
                                            .map(Engine::valueOf)
                                            .toList(),
                                    arguments.length > 5 ? Path.of(arguments[5]) : null);
            case COMMIT ->
                    new TuneCommits(scratch, seconds, Long.parseLong(arguments[3]), report)
                            .measure();
            case SERVER ->
                    new TuneServer(scratch, seconds, Long.parseLong(arguments[3]), report)
                            .measure();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        report.print(FOREIGN, Processors.now().foreignShare(before));
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
                            pause((long) (seconds * 1000));
                            Runtime.getRuntime().halt(1);
                        })
                .start();
    }

    /// Of this process.
    static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
