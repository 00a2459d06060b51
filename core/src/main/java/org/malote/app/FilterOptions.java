package org.malote.app;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.malote.admin.QueueFilter;
import org.malote.config.Units;
import org.malote.smtp.Printable;
import picocli.CommandLine.Option;

/// Which messages a command is for, and which recipients of them.
final class FilterOptions {
    @Option(
            names = "--sender",
            paramLabel = "ADDRESS",
            description = "Messages from this address; \"\" is that of bounces.")
    private @Nullable String sender;

    @Option(
            names = "--recipient",
            paramLabel = "ADDRESS",
            description = "Recipients with this address.")
    private @Nullable String recipient;

    @Option(
            names = "--domain",
            paramLabel = "DOMAIN",
            description = "Recipients at this domain, or address literal.")
    private @Nullable String domain;

    @Option(
            names = "--state",
            paramLabel = "STATE",
            description = "Recipients that are waiting, active, held, failed or delivered.")
    private @Nullable String state;

    @Option(
            names = "--reply",
            paramLabel = "TEXT",
            description = "Recipients whose last reply has this text in it.")
    private @Nullable String reply;

    @Option(
            names = "--older-than",
            paramLabel = "AGE",
            description = "Messages accepted longer ago, such as 90s, 2h or 3d.")
    private @Nullable String olderThan;

    @Option(
            names = "--younger-than",
            paramLabel = "AGE",
            description = "Messages accepted since then.")
    private @Nullable String youngerThan;

    /// @throws IllegalArgumentException with a sentence that says what is wrong
    QueueFilter filter() {
        return new QueueFilter(
                sender,
                recipient,
                domain,
                state == null ? null : QueueFilter.state(state),
                millis(olderThan),
                millis(youngerThan),
                reply);
    }

    private static @Nullable Long millis(@Nullable String text) {
        if (text == null) {
            return null;
        }
        Duration age = Units.parseDuration(text);
        if (age == null) {
            throw new IllegalArgumentException(
                    "an age is written as 90s, 15m, 2h or 3d, not \""
                            + Printable.escape(text)
                            + "\"");
        }
        return age.toMillis();
    }
}
