package org.malote.app;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullMarked;
import org.malote.config.ConfigFile;
import org.malote.config.Settings;
import org.malote.smtp.DomainName;
import org.malote.telemetry.LogFormat;
import org.malote.telemetry.LogPipe;

/// All of Malote in the process of a benchmark, with its threads and its log, which goes nowhere.
/// In the package of what it starts, which nobody else may.
@NullMarked
public final class WholeServer implements AutoCloseable {
    private static final Pattern PORT = Pattern.compile(" 127\\.0\\.0\\.1:(\\d+) ");

    private final LogPipe log;
    private final Threads threads;
    private final Malote malote;
    private final int port;

    /// @param configuration a TOML file's text, with one listener at `127.0.0.1:0`
    /// @param folder that its paths are relative to
    /// @throws IOException when it does not start
    public WholeServer(String configuration, Path folder) throws IOException {
        DomainName name = new DomainName("mx.test");
        Settings settings =
                switch (ConfigFile.parse(configuration, "the benchmark", folder, name)) {
                    case ConfigFile.Result.Valid(Settings valid) -> valid;
                    case ConfigFile.Result.Invalid(var problems) ->
                            throw new IllegalArgumentException(problems.toString());
                };
        log =
                LogPipe.install(
                        LogFormat.TEXT,
                        new FileOutputStream("/dev/null"),
                        ProcessHandle.current().pid(),
                        Threads.factory("log"));
        threads = new Threads(Runtime.getRuntime().availableProcessors());
        try {
            malote =
                    Malote.start(
                            settings, () -> new ConfigFile.Result.Valid(settings), threads, log);
        } catch (CommandFailure e) {
            threads.close();
            log.close();
            throw new IOException(e.getMessage(), e);
        }
        Matcher ready = PORT.matcher(malote.readyLine());
        if (!ready.find()) {
            close();
            throw new IllegalStateException(malote.readyLine());
        }
        port = Integer.parseInt(ready.group(1));
    }

    /// Where it listens on the loopback.
    public int port() {
        return port;
    }

    @Override
    public void close() {
        malote.close();
        threads.close();
        log.close();
    }
}
