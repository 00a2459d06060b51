package org.malote.app;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.admin.ControlClient;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "reload",
        description =
                "Makes the running server read its configuration again: routes, relay networks, rules"
                        + " for senders, users and certificates.",
        mixinStandardHelpOptions = true)
final class ReloadCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Override
    public Integer call() throws CommandFailure {
        var out = Commands.present(spec).commandLine().getOut();
        try {
            Counts _ =
                    new ControlClient(config.settings().controlSocket())
                            .ask(
                                    new ControlRequest.Reload(),
                                    (_, line) -> out.println(Printable.escape(line.asText())));
        } catch (IOException e) {
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        }
        return 0;
    }
}
