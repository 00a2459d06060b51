package org.malote.app;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "amtp",
        description = "Authenticated mail transfer: who sends, and what rules would do.",
        mixinStandardHelpOptions = true,
        subcommands = {
            AmtpInitCommand.class,
            AmtpPeersCommand.class,
            AmtpProbeCommand.class,
            AmtpSuggestCommand.class
        })
final class AmtpCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                Commands.present(spec).commandLine(), "say what to do, such as malote amtp peers");
    }
}
