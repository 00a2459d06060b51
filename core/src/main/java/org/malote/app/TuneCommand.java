package org.malote.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.admin.ControlClient;
import org.malote.config.Settings;
import org.malote.offload.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "tune",
        description = {
            "Measures this host and prints the settings to use, each with its figures: keys and"
                    + " handshakes of each provider, commits on the spool's disk, and servers under"
                    + " load with other JVM flags and event loops.",
            "It works in a scratch directory beside the spool, which it removes, and beside a"
                    + " server that runs. Run it as the user of the server."
        },
        mixinStandardHelpOptions = true)
final class TuneCommand implements Callable<Integer> {
    /// What steps may overrun in all; with [TunePlan#SECONDS_MAX] that stays under five minutes.
    private static final double GRACE_SECONDS = 15;

    /// A step that takes so many times what was planned is ended.
    private static final double OVERRUN_FACTOR = 3;

    private static final double OVERRUN_SECONDS = 5;

    /// A JVM does not start in less.
    private static final double STEP_SECONDS_MIN = 2;

    /// What a server's trial may fill: segments that wait to be drained, and what follows them.
    private static final long TRIAL_DISK_BYTES = 2L << 30;

    /// Heap, buffers and the rest of a trial's JVM.
    private static final long TRIAL_MEMORY_BYTES = 1L << 30;

    private static final List<String> TRIAL_MEMORY =
            List.of("-Xmx256m", "-XX:MaxDirectMemorySize=256m");

    /// What of a step's time its JVM needs to begin and to end.
    private static final double JVM_SECONDS = 2.5;

    private static final double WORK_SECONDS_MIN = 1;

    private static final long POLL_MILLIS = 100;

    private static final String TOML_FILE = "tune.toml";
    private static final String JVM_FILE = "jvm.args";

    private static final String SCRATCH_PREFIX = ".malote-tune-";

    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description =
                    "How long it may take: "
                            + TunePlan.SECONDS_MIN
                            + " to "
                            + TunePlan.SECONDS_MAX
                            + ", by default "
                            + TunePlan.SECONDS_DEFAULT
                            + ". With less it tries less, and once instead of twice.")
    private int seconds = TunePlan.SECONDS_DEFAULT;

    @Option(names = "--json", description = "Prints figures and advice as one JSON object.")
    private boolean isJson;

    @Option(
            names = "--into",
            paramLabel = "DIRECTORY",
            description = "Writes tune.toml and jvm.args there, too. Files that are there stay.")
    private @Nullable Path into;

    private final AtomicReference<@Nullable Process> running = new AtomicReference<>();
    private volatile boolean isAbandoned;
    private final List<TuneFigures.Tls> tls = new ArrayList<>();
    private final List<TuneFigures.Commit> commits = new ArrayList<>();
    private final List<TuneFigures.Trial> trials = new ArrayList<>();
    private final List<Double> foreign = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    @Override
    public Integer call() throws CommandFailure, IOException, InterruptedException {
        if (seconds < TunePlan.SECONDS_MIN || seconds > TunePlan.SECONDS_MAX) {
            throw new CommandFailure(
                    "--seconds is from "
                            + TunePlan.SECONDS_MIN
                            + " to "
                            + TunePlan.SECONDS_MAX
                            + ", not "
                            + seconds);
        }
        Settings settings = config.settings();
        refuseFilesThatAreThere();
        Screen screen = Screen.of(spec);
        Path scratch = makeScratch(settings.queue().directory());
        Thread atEnd = Threads.factory("tune-end").newThread(() -> abandon(scratch));
        Runtime.getRuntime().addShutdownHook(atEnd);
        TuneFigures figures;
        try (Progress progress = Progress.on(screen)) {
            figures = measure(settings, scratch, progress);
            if (isAbandoned) {
                throw new CommandFailure("ended by a signal, and nothing is left of it");
            }
        } finally {
            if (!isAbandoned) {
                Runtime.getRuntime().removeShutdownHook(atEnd);
            }
            abandon(scratch);
        }
        TuneAdvice advice = TuneAdvice.of(figures, settings);
        print(screen, figures, advice);
        writeFiles(advice);
        return 0;
    }

    // ---- Where ------------------------------------------------------------------------------

    /// A directory of our own on the file system of the spool: beside it, or in it where that is a
    /// file system of its own. Nothing that a server reads.
    private static Path makeScratch(Path spool) throws CommandFailure {
        Path there = spool.toAbsolutePath();
        while (!Files.isDirectory(there) && there.getParent() != null) {
            there = there.getParent();
        }
        try {
            FileStore disk = Files.getFileStore(there);
            Path parent = there.getParent();
            boolean isBeside =
                    there.equals(spool.toAbsolutePath())
                            && parent != null
                            && Files.isWritable(parent)
                            && Files.getFileStore(parent).equals(disk);
            return Files.createTempDirectory(isBeside ? parent : there, SCRATCH_PREFIX);
        } catch (IOException e) {
            throw new CommandFailure(
                    "no scratch directory can be made at "
                            + there
                            + " ("
                            + e
                            + "); run as the user of the server, or name its file with --config",
                    e);
        }
    }

    /// Ends what runs and removes the scratch directory. Called twice, it does nothing more.
    private void abandon(Path scratch) {
        isAbandoned = true;
        Process process = running.getAndSet(null);
        if (process != null) {
            process.destroyForcibly();
            try {
                boolean _ = process.waitFor(1, TimeUnit.SECONDS);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        remove(scratch);
    }

    private static void remove(Path directory) {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (IOException _) {
            // What is left has a name that says whose it was.
        }
    }

    private TuneFigures.Host host(Path scratch) throws IOException {
        OperatingSystemMXBean system =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        FileStore disk = Files.getFileStore(scratch);
        return new TuneFigures.Host(
                Runtime.getRuntime().availableProcessors(),
                system.getTotalMemorySize(),
                disk.getUsableSpace(),
                disk.type(),
                system instanceof UnixOperatingSystemMXBean unix
                        ? unix.getMaxFileDescriptorCount()
                        : Integer.MAX_VALUE,
                system.getSystemLoadAverage(),
                System.getProperty("java.vm.name") + " " + Runtime.version());
    }

    // ---- What -------------------------------------------------------------------------------

    private TuneFigures measure(Settings settings, Path scratch, Progress progress)
            throws IOException, InterruptedException {
        TuneFigures.Host host = host(scratch);
        if (new ControlClient(settings.controlSocket()).isServed()) {
            notes.add("a server runs with this state: the figures are those beside its load");
        }
        TunePlan plan = TunePlan.of(seconds, host.processors());
        Steps steps = new Steps(scratch, plan.seconds(), progress);
        TuneJvm usual = TuneJvm.usual(host.processors());
        String rounds = Integer.toString(plan.keyRounds());
        Path file = config.file();
        List<String> configured =
                file == null ? List.of() : List.of(file.toAbsolutePath().toString());
        steps.run(
                "keys and handshakes",
                plan.tlsSeconds(),
                usual,
                TuneTrial.TLS,
                with(Engine.BORINGSSL.name() + "," + Engine.JDK.name(), rounds, configured));
        steps.run(
                "handshakes of the system's OpenSSL",
                plan.openSslSeconds(),
                usual,
                TuneTrial.TLS,
                List.of(Engine.OPENSSL.name(), rounds));
        long reserve = settings.queue().limits().freeSpaceReserveBytes();
        String reserved = Long.toString(reserve);
        long free = host.diskFreeBytes() - reserve;
        if (free < TuneCommits.BYTES_MAX) {
            notes.add("the spool's disk has too little free space beside the reserve to measure");
        } else {
            steps.run(
                    "commits on the spool's disk",
                    plan.diskSeconds(),
                    usual,
                    TuneTrial.COMMIT,
                    List.of(reserved));
        }
        if (free < TRIAL_DISK_BYTES) {
            notes.add("no server was tried: the spool's disk has too little free space");
        } else if (availableMemory() < TRIAL_MEMORY_BYTES) {
            notes.add("no server was tried: less than 1 GiB of memory is free");
        } else {
            for (int i = 0; i < plan.trials().size(); i++) {
                TuneJvm jvm = plan.trials().get(i);
                steps.run(
                        "server "
                                + (i + 1)
                                + " of "
                                + plan.trials().size()
                                + ": "
                                + jvm.text(host.processors()),
                        plan.trialSeconds(),
                        jvm,
                        TuneTrial.SERVER,
                        List.of(reserved));
            }
        }
        return new TuneFigures(host, tls, commits, trials, TuneFigures.median(foreign), notes);
    }

    private static List<String> with(String first, String second, List<String> more) {
        List<String> all = new ArrayList<>(List.of(first, second));
        all.addAll(more);
        return all;
    }

    /// What the kernel would give, or all where it does not tell.
    private static long availableMemory() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemAvailable:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        } catch (IOException _) {
            return Long.MAX_VALUE;
        }
    }

    /// Runs one measurement after the other, each in a JVM of its own, and keeps to the time.
    private final class Steps {
        private final Path scratch;
        private final double plannedSeconds;
        private final Progress progress;
        private final long endNanos;
        private double doneSeconds;
        private int number;

        Steps(Path scratch, double plannedSeconds, Progress progress) {
            this.scratch = scratch;
            this.plannedSeconds = plannedSeconds;
            this.progress = progress;
            this.endNanos = System.nanoTime() + (long) ((seconds + GRACE_SECONDS) * 1e9);
        }

        /// @param planned seconds
        void run(String what, double planned, TuneJvm jvm, String kind, List<String> arguments)
                throws IOException, InterruptedException {
            if (isAbandoned) {
                return; // the process is about to end
            }
            double left = (endNanos - System.nanoTime()) / 1e9;
            if (left < STEP_SECONDS_MIN) {
                notes.add("there was no time left for: " + what);
                return;
            }
            double work = Math.max(WORK_SECONDS_MIN, planned - JVM_SECONDS);
            double most = Math.min(left, planned * OVERRUN_FACTOR + OVERRUN_SECONDS);
            Path folder = Files.createDirectory(scratch.resolve(Integer.toString(++number)));
            Path output = scratch.resolve(number + ".out");
            Path errors = scratch.resolve(number + ".err");
            Process process =
                    new ProcessBuilder(command(jvm, kind, folder, work, arguments))
                            .redirectOutput(output.toFile())
                            .redirectError(errors.toFile())
                            .start();
            running.set(process);
            process.getOutputStream().close();
            long begin = System.nanoTime();
            boolean isOver = false;
            double elapsed = 0;
            while (!isOver && elapsed < most) {
                isOver = process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
                elapsed = (System.nanoTime() - begin) / 1e9;
                progress.bar(what, (doneSeconds + Math.min(elapsed, planned)) / plannedSeconds);
            }
            if (isAbandoned) {
                return;
            }
            if (!isOver) {
                process.destroyForcibly().waitFor();
                notes.add(what + ": not done within its time");
            } else if (process.exitValue() != 0) {
                notes.add(what + " failed: " + reason(errors, process.exitValue()));
            }
            running.set(null);
            doneSeconds += planned;
            read(output, jvm);
            remove(folder);
        }
    }

    private static String reason(Path errors, int status) throws IOException {
        try (Stream<String> lines = Files.lines(errors)) {
            return lines.filter(line -> line.contains("Exception") || line.contains("Error"))
                    .findFirst()
                    .orElse("exit status " + status);
        }
    }

    private static List<String> command(
            TuneJvm jvm, String kind, Path folder, double seconds, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + File.separator + "bin/java");
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (isShared(flag)) {
                command.add(flag);
            }
        }
        command.add("-Dio.netty.leakDetection.level=disabled");
        command.add("-XX:+ExitOnOutOfMemoryError");
        command.addAll(TRIAL_MEMORY);
        command.addAll(jvm.flags());
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(TuneTrial.class.getName());
        command.add(kind);
        command.add(folder.toString());
        command.add(Double.toString(seconds));
        command.addAll(arguments);
        return command;
    }

    /// What any JVM with our classes needs: access to packages, and system properties. No heap, no
    /// collector, no agent, and nothing that a trial sets.
    static boolean isShared(String flag) {
        return flag.startsWith("--")
                || flag.startsWith("-Djdk.")
                || flag.startsWith("-Dsun.")
                || flag.startsWith("-Dchronicle.")
                || flag.startsWith("-Djava.library.path=")
                || flag.startsWith("-Djava.security.");
    }

    private void read(Path output, TuneJvm jvm) throws IOException {
        for (String line : Files.readAllLines(output)) {
            int tab = line.indexOf('\t');
            if (tab < 0) {
                continue; // of a library
            }
            try {
                take(line.substring(0, tab), line.substring(tab + 1), jvm);
            } catch (JsonProcessingException _) {
                // It was ended in the middle of the line.
            }
        }
    }

    private void take(String kind, String value, TuneJvm jvm) throws JsonProcessingException {
        switch (kind) {
            case TuneTrial.TLS -> takeTls(TuneTrial.JSON.readValue(value, TuneFigures.Tls.class));
            case TuneTrial.COMMIT ->
                    commits.add(TuneTrial.JSON.readValue(value, TuneFigures.Commit.class));
            case TuneTrial.SERVER ->
                    takeTrial(jvm, TuneTrial.JSON.readValue(value, TuneFigures.Trial.class));
            case TuneTrial.NOTE -> {
                String note = TuneTrial.JSON.readValue(value, String.class);
                if (!notes.contains(note)) {
                    notes.add(note); // each pass says it
                }
            }
            case TuneTrial.FOREIGN -> foreign.add(TuneTrial.JSON.readValue(value, Double.class));
            default -> {
                // of a library
            }
        }
    }

    private void takeTls(TuneFigures.Tls seen) {
        for (int i = 0; i < tls.size(); i++) {
            if (tls.get(i).isOfSame(seen)) {
                tls.set(i, tls.get(i).least(seen));
                return;
            }
        }
        tls.add(seen);
    }

    private void takeTrial(TuneJvm jvm, TuneFigures.Trial seen) {
        if (seen.perSecond() == 0) {
            notes.add("a server took no message within its time: the host is much too busy");
            return;
        }
        trials.add(
                new TuneFigures.Trial(
                        jvm,
                        seen.perSecond(),
                        seen.cpuNanos(),
                        seen.p99Nanos(),
                        seen.residentBytes()));
    }

    // ---- The result -------------------------------------------------------------------------

    private void print(Screen screen, TuneFigures figures, TuneAdvice advice) throws IOException {
        if (isJson) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("figures", figures);
            all.put("advice", advice);
            screen.line(TuneTrial.JSON.writeValueAsString(all));
        } else {
            screen.line("# ==== " + TOML_FILE);
            screen.line(advice.toml());
            screen.line("# ==== " + JVM_FILE);
            screen.write(advice.jvmArguments().getBytes(StandardCharsets.UTF_8));
        }
        screen.flush();
    }

    private void refuseFilesThatAreThere() throws CommandFailure {
        if (into == null) {
            return;
        }
        if (!Files.isDirectory(into)) {
            throw new CommandFailure("there is no directory " + into + "; make it first");
        }
        for (String name : List.of(TOML_FILE, JVM_FILE)) {
            if (Files.exists(into.resolve(name))) {
                throw new CommandFailure(
                        into.resolve(name) + " is there already; move it, or name another --into");
            }
        }
    }

    private void writeFiles(TuneAdvice advice) throws CommandFailure {
        if (into == null) {
            return;
        }
        try {
            Files.writeString(
                    into.resolve(TOML_FILE), advice.toml(), StandardOpenOption.CREATE_NEW);
            Files.writeString(
                    into.resolve(JVM_FILE), advice.jvmArguments(), StandardOpenOption.CREATE_NEW);
        } catch (IOException e) {
            throw new CommandFailure(
                    "the settings cannot be written to " + into + ": " + e + "; they are above", e);
        }
    }
}
