package org.malote.app;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.malote.config.EmbeddedDefault;
import org.malote.config.Settings;
import org.malote.offload.EngineLibrary;
import org.malote.telemetry.LogFormat;
import org.malote.telemetry.LogPipe;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "serve",
        description = {
            "Runs the server. One line on standard output says when it is ready; the log goes to"
                    + " standard error.",
            "SIGTERM drains and stops it, SIGHUP makes it read its configuration again."
        },
        mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);

    /// From SIGTERM to the end, at most. systemd waits 90 s, container runtimes 10 to 30 s.
    private static final Duration STOP_MAX = Duration.ofSeconds(30);

    /// What of it the peers and hosts have to finish; the rest is for the queue and the log.
    private static final Duration DRAIN_MAX = Duration.ofSeconds(20);

    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Option(
            names = "--log",
            paramLabel = "text|json",
            description = "What log lines look like. Default: text.")
    private LogFormat format = LogFormat.TEXT;

    @Override
    public Integer call() throws CommandFailure, InterruptedException {
        CommandSpec command = Commands.present(spec);
        Settings settings = config.settings();
        EngineLibrary.choose(settings.tls().engine());
        if (config.file() == null && format == LogFormat.TEXT) {
            PrintWriter err = command.commandLine().getErr();
            err.println("# No --config FILE: this embedded default, with paths below here.");
            err.println(EmbeddedDefault.text(config.hostname()));
            err.flush();
        }
        try (LogPipe log =
                        LogPipe.install(
                                format,
                                new FileOutputStream(FileDescriptor.err),
                                ProcessHandle.current().pid(),
                                Threads.factory("log"));
                Threads threads = new Threads(Runtime.getRuntime().availableProcessors())) {
            CountDownLatch stop = new CountDownLatch(1);
            listenForStop(stop, threads);
            ReloadSignal reload = new ReloadSignal();
            Signals.on("HUP", reload);
            Malote malote = Malote.start(settings, config::read, threads, log);
            try (malote) {
                reload.started(malote);
                PrintWriter out = command.commandLine().getOut();
                out.println(malote.readyLine());
                out.flush();
                stop.await();
                malote.drain(DRAIN_MAX);
            }
            LOG.info("stopped");
        }
        return 0;
    }

    /// The first signal drains, the second ends the process at once: what was acknowledged is on
    /// disk in either case.
    private static void listenForStop(CountDownLatch stop, Threads threads) {
        AtomicInteger signals = new AtomicInteger();
        for (String name : new String[] {"TERM", "INT"}) {
            Signals.on(
                    name,
                    () -> {
                        if (signals.incrementAndGet() == 1) {
                            LOG.info("SIG{}: draining", name);
                            var _ =
                                    threads.housekeeping()
                                            .schedule(
                                                    ServeCommand::onOverdue,
                                                    STOP_MAX.toMillis(),
                                                    TimeUnit.MILLISECONDS);
                            stop.countDown();
                        } else {
                            Runtime.getRuntime().halt(1);
                        }
                    });
        }
    }

    /// SIGHUP, which may come while the server still starts.
    private static final class ReloadSignal implements Runnable {
        private @Nullable Malote malote;
        private boolean isMissed;

        synchronized void started(Malote running) {
            malote = running;
            if (isMissed) {
                var _ = running.reload();
            }
        }

        @Override
        public synchronized void run() {
            if (malote == null) {
                isMissed = true;
            } else {
                var _ = malote.reload();
            }
        }
    }

    private static void onOverdue() {
        LOG.error("stopping took more than {} s: ending now", STOP_MAX.toSeconds());
        Runtime.getRuntime().halt(1);
    }
}
