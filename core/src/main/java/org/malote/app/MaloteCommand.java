package org.malote.app;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "malote",
        description = "A mail transfer agent: takes mail, keeps it on disk, passes it on.",
        mixinStandardHelpOptions = true,
        versionProvider = MaloteCommand.Version.class,
        subcommands = {
            ServeCommand.class,
            CheckCommand.class,
            QueueCommand.class,
            PasswordCommand.class,
            ReloadCommand.class,
            TlsCommand.class,
            AmtpCommand.class,
            TuneCommand.class
        })
final class MaloteCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    private final Screen screen;

    MaloteCommand(Screen screen) {
        this.screen = screen;
    }

    /// Where all commands print.
    Screen screen() {
        return screen;
    }

    /// The version of the build.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "malote " + text() + " (Java " + Runtime.version() + ")",
            };
        }

        /// `0.1.0`, or `development` when run from class files.
        static String text() {
            String version = Version.class.getPackage().getImplementationVersion();
            return version == null ? "development" : version;
        }
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                Commands.present(spec).commandLine(), "say what to do, such as malote serve");
    }
}
