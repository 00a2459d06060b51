package org.malote.session;

/// What a session has used of its patience.
///
/// @param messages transactions begun
/// @param commands commands since the last accepted message
/// @param errors lines that were no command or out of order
/// @param rejections senders and recipients that were refused
public record Tally(int messages, int commands, int errors, int rejections) {
    /// A session that has just begun.
    public static final Tally ZERO = new Tally(0, 0, 0, 0);

    Tally command() {
        return new Tally(messages, commands + 1, errors, rejections);
    }

    Tally error() {
        return new Tally(messages, commands, errors + 1, rejections);
    }

    Tally rejection() {
        return new Tally(messages, commands, errors, rejections + 1);
    }

    Tally message() {
        return new Tally(messages + 1, commands, errors, rejections);
    }

    Tally accepted() {
        return new Tally(messages, 0, errors, rejections);
    }
}
