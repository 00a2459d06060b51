package org.malote.app;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "queue",
        description = "Looks at the queue of the running server, and changes it.",
        footer = {
            "",
            "malote queue COMMAND --help says more of each, with examples. They ask the server that"
                    + " runs with the same configuration, as its user; verify and salvage are for"
                    + " the spool of one that does not run."
        },
        mixinStandardHelpOptions = true,
        subcommands = {
            QueueListCommand.class,
            QueueShapeCommand.class,
            QueueShowCommand.class,
            QueueChangeCommand.Retry.class,
            QueueChangeCommand.Hold.class,
            QueueChangeCommand.Release.class,
            QueueChangeCommand.Bounce.class,
            QueueChangeCommand.Remove.class,
            QueueSuspendCommand.Suspend.class,
            QueueSuspendCommand.Resume.class,
            QueueSuspendCommand.Suspended.class,
            QueueOfflineCommand.Verify.class,
            QueueOfflineCommand.Salvage.class
        })
final class QueueCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                Commands.present(spec).commandLine(), "say what to do, such as malote queue list");
    }
}
