package org.malote.app;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.config.ConfigFile;
import org.malote.config.Problem;
import org.malote.offload.EngineLibrary;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "check",
        description = {
            "Reads the configuration and tries everything that it names: files, keys, ports, hosts.",
            "Every problem is reported; the exit status is 1 when there is any."
        },
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Override
    public Integer call() {
        PrintWriter out = Commands.present(spec).commandLine().getOut();
        List<String> notes = new ArrayList<>();
        List<String> problems =
                switch (config.read()) {
                    case ConfigFile.Result.Invalid(var all) ->
                            all.stream().map(Problem::toString).toList();
                    case ConfigFile.Result.Valid(var settings) -> {
                        EngineLibrary.choose(settings.tls().engine());
                        yield HostCheck.problems(settings, notes::add);
                    }
                };
        problems.forEach(out::println);
        notes.forEach(note -> out.println("note: " + note));
        if (!problems.isEmpty()) {
            out.println(problems.size() == 1 ? "1 problem" : problems.size() + " problems");
            return 1;
        }
        out.println((config.file() == null ? "the embedded default" : config.file()) + " is fine");
        return 0;
    }
}
