package org.malote.app;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.malote.config.ConfigFile;
import org.malote.config.EmbeddedDefault;
import org.malote.config.Problem;
import org.malote.config.Settings;
import org.malote.smtp.DomainName;
import picocli.CommandLine.Option;

/// `--config FILE`, for every command.
final class ConfigOption {
    /// When the system has no name that can stand in a greeting.
    private static final DomainName NAMELESS = new DomainName("localhost");

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "The configuration, in TOML. Without it: an embedded default, all on this host"
                            + " and below ./var.")
    private @Nullable Path file;

    private @Nullable DomainName hostname;

    /// The file, or null for the embedded default.
    @Nullable Path file() {
        return file;
    }

    /// What the file says, or every problem of it.
    ConfigFile.Result read() {
        return file == null
                ? new ConfigFile.Result.Valid(
                        EmbeddedDefault.settings(workingDirectory(), hostname()))
                : ConfigFile.read(file, hostname());
    }

    /// @throws CommandFailure with a line for each problem
    Settings settings() throws CommandFailure {
        return switch (read()) {
            case ConfigFile.Result.Valid(Settings settings) -> settings;
            case ConfigFile.Result.Invalid(var problems) ->
                    throw new CommandFailure(
                            problems.stream()
                                    .map(Problem::toString)
                                    .collect(Collectors.joining("\n")));
        };
    }

    /// The system's name, where the configuration gives none.
    DomainName hostname() {
        if (hostname == null) {
            hostname = systemHostname();
        }
        return hostname;
    }

    private static DomainName systemHostname() {
        try {
            String name = InetAddress.getLocalHost().getCanonicalHostName();
            DomainName parsed = DomainName.parse(name);
            boolean isAddress = name.matches("[0-9.]+");
            return parsed == null || isAddress ? NAMELESS : parsed;
        } catch (UnknownHostException _) {
            return NAMELESS;
        }
    }

    private static Path workingDirectory() {
        return Path.of("").toAbsolutePath();
    }
}
