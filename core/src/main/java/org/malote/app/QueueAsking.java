package org.malote.app;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.admin.ControlClient;
import org.malote.admin.ControlRequest;
import org.malote.admin.Counts;
import org.malote.queue.MessageId;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// What commands share that ask a running server about its queue.
abstract class QueueAsking implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    /// Does it.
    ///
    /// @return the exit status
    abstract int run(Screen screen) throws IOException, CommandFailure;

    @Override
    public final Integer call() throws CommandFailure, Screen.ReaderGoneException {
        Screen screen = Screen.of(spec);
        try {
            int status = run(screen);
            screen.flush();
            return status;
        } catch (Screen.ReaderGoneException e) {
            throw e;
        } catch (IOException e) {
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        }
    }

    /// What an answer has of messages goes to the rows, what it says of its progress to the
    /// terminal.
    Counts ask(ControlRequest request, QueueRows rows, String doing, Progress progress)
            throws IOException, CommandFailure {
        return ask(
                request,
                (kind, value) -> {
                    switch (kind) {
                        case "message" -> rows.message(value);
                        case "recipient" -> rows.recipient(value);
                        default -> show(kind, value, doing, progress);
                    }
                });
    }

    static void show(String kind, JsonNode value, String doing, Progress progress) {
        if (kind.equals("progress")) {
            progress.show(doing, value.path("seen").asLong(), value.path("of").asLong());
        }
    }

    Counts ask(ControlRequest request, ControlClient.Listener listener)
            throws IOException, CommandFailure {
        return new ControlClient(config.settings().controlSocket()).ask(request, listener);
    }

    ConfigOption config() {
        return config;
    }

    MessageId id(String text) {
        try {
            return MessageId.parse(text);
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    /// The command was typed wrongly.
    ParameterException wrong(String sentence) {
        return new ParameterException(Commands.present(spec).commandLine(), sentence);
    }
}
