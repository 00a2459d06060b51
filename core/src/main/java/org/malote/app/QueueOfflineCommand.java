package org.malote.app;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.admin.Ages;
import org.malote.admin.JsonLines;
import org.malote.queue.QueueEnvironment;
import org.malote.queue.SpoolCheck;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Commands about a spool that no server holds.
abstract class QueueOfflineCommand implements Callable<Integer> {
    /// Everything that was accepted is whole.
    static final int SOUND = 0;

    /// Something is damaged.
    static final int DAMAGED = 1;

    /// The spool could not be looked at.
    static final int FAILED = 2;

    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Option(
            names = "--spool",
            paramLabel = "DIRECTORY",
            description = "In place of the spool of the configuration.")
    private @Nullable Path spool;

    @Option(names = "--json", description = "One JSON object in place of the text.")
    private boolean isJson;

    /// Does it.
    ///
    /// @return the exit status
    abstract int run(Path directory, SpoolCheck.Progress progress, Screen screen)
            throws IOException;

    @Override
    public final Integer call() throws CommandFailure, Screen.ReaderGoneException {
        Screen screen = Screen.of(spec);
        Path directory = spool == null ? config.settings().queue().directory() : spool;
        try (Progress progress = Progress.on(screen)) {
            int status = run(directory, shown(progress), screen);
            screen.flush();
            return status;
        } catch (Screen.ReaderGoneException e) {
            throw e;
        } catch (IOException e) {
            screen.note("malote: " + Printable.escape(String.valueOf(e.getMessage())) + "\n");
            return FAILED;
        }
    }

    private static SpoolCheck.Progress shown(Progress progress) {
        return (what, unit, done, total) -> {
            if (unit.equals("bytes")) {
                progress.show(what + " MiB", done >> 20, total >> 20);
            } else {
                progress.show(what, done, total);
            }
        };
    }

    boolean isJson() {
        return isJson;
    }

    /// The spool is read on this thread alone.
    static QueueEnvironment environment() {
        return new QueueEnvironment(
                Clock.systemUTC(),
                System::nanoTime,
                new SplittableRandom(),
                Threads.factory("commit"),
                Runnable::run,
                (_, _) -> {});
    }

    static void list(Screen screen, String title, List<String> lines) throws IOException {
        if (!lines.isEmpty()) {
            screen.line(title);
            for (String line : lines) {
                screen.line("  " + Printable.escape(line));
            }
        }
    }

    static void put(ObjectNode json, String name, List<String> lines) {
        lines.forEach(json.putArray(name)::add);
    }

    @Command(
            name = "verify",
            description = {
                "Scans the spool of a server that does not run, and reports. Changes nothing.",
                "",
                "Exit status: 0 when every message is whole, 1 when something is damaged, 2 when the"
                        + " spool could not be looked at."
            },
            footer = {
                "",
                "Examples:",
                "  malote queue verify --config /etc/malote.toml",
                "  malote queue verify --spool /mnt/old/spool --json"
            },
            mixinStandardHelpOptions = true)
    static final class Verify extends QueueOfflineCommand {
        @Override
        int run(Path directory, SpoolCheck.Progress progress, Screen screen) throws IOException {
            SpoolCheck.Report report = SpoolCheck.verify(directory, environment(), progress);
            if (isJson()) {
                screen.line(JsonLines.write(json(report)));
            } else {
                say(report, screen);
            }
            return report.isSound() ? SOUND : DAMAGED;
        }

        private static ObjectNode json(SpoolCheck.Report report) {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("sound", report.isSound());
            json.put("epochs", report.epochs());
            json.put("files", report.files());
            json.put("records", report.records());
            json.put("messages", report.messages());
            json.put("bytes", report.bytes());
            put(json, "damage", report.damage());
            put(json, "badBodies", report.badBodies());
            put(json, "tornTails", report.tornTails());
            put(json, "orphans", report.orphans());
            return json;
        }

        private static void say(SpoolCheck.Report report, Screen screen) throws IOException {
            screen.line(
                    "%,d messages of %s, from %,d records in %,d journal files of %,d starts"
                            .formatted(
                                    report.messages(),
                                    Ages.formatBytes(report.bytes()),
                                    report.records(),
                                    report.files(),
                                    report.epochs()));
            list(screen, "damaged:", report.damage());
            list(screen, "bodies that are not whole:", report.badBodies());
            list(
                    screen,
                    "records that were being written at the end, no loss:",
                    report.tornTails());
            list(screen, "bodies that no message names:", report.orphans());
            screen.line(
                    report.isSound()
                            ? "the spool is sound"
                            : "the spool is damaged: a start puts what it cannot read into"
                                    + " quarantine, and malote queue salvage copies what is whole");
        }
    }

    @Command(
            name = "salvage",
            description = {
                "Copies every whole message out of the spool of a server that does not run.",
                "",
                "Each keeps its name, its time, and what became of its recipients. The old spool is"
                        + " not changed. To use the new one name it in the configuration:"
                        + " [queue] directory.",
                "",
                "Exit status: 0 when every message was whole, 1 when some were not, 2 when the copy"
                        + " could not be made."
            },
            footer = {
                "",
                "Examples:",
                "  malote queue salvage /var/lib/malote/spool.new --config /etc/malote.toml"
            },
            mixinStandardHelpOptions = true)
    static final class Salvage extends QueueOfflineCommand {
        @Parameters(
                paramLabel = "TARGET",
                description = "The new spool: a directory that is not there yet, or empty.")
        private @Nullable Path target;

        @Override
        int run(Path directory, SpoolCheck.Progress progress, Screen screen) throws IOException {
            Path made = Commands.present(target);
            SpoolCheck.Salvage salvage =
                    SpoolCheck.salvage(directory, made, environment(), progress);
            boolean isWhole = salvage.damage().isEmpty() && salvage.lost().isEmpty();
            if (isJson()) {
                ObjectNode json = JsonNodeFactory.instance.objectNode();
                json.put("messages", salvage.messages());
                json.put("bytes", salvage.bytes());
                put(json, "damage", salvage.damage());
                put(json, "lost", salvage.lost());
                screen.line(JsonLines.write(json));
            } else {
                list(screen, "damaged in the old spool:", salvage.damage());
                list(screen, "not whole, and not copied:", salvage.lost());
                screen.line(
                        "%,d messages of %s are in %s"
                                .formatted(
                                        salvage.messages(),
                                        Ages.formatBytes(salvage.bytes()),
                                        Printable.escape(made.toString())));
            }
            return isWhole ? SOUND : DAMAGED;
        }
    }
}
