package org.malote.session;

/// What a session has used of its patience.
///
/// @param messages transactions begun
/// @param commands commands since the last accepted message
/// @param errors lines that were no command or out of order
/// @param rejections senders and recipients that were refused
/// @param authFailures times that it has failed to say who its user is
public record Tally(int messages, int commands, int errors, int rejections, int authFailures) {
    /// A session that has just begun.
    public static final Tally ZERO = new Tally(0, 0, 0, 0);

    /// A session that has not failed to say who its user is.
    public Tally(int messages, int commands, int errors, int rejections) {
        this(messages, commands, errors, rejections, 0);
    }

    Tally command() {
        return new Tally(messages, commands + 1, errors, rejections, authFailures);
    }

    Tally error() {
        return new Tally(messages, commands, errors + 1, rejections, authFailures);
    }

    Tally rejection() {
        return new Tally(messages, commands, errors, rejections + 1, authFailures);
    }

    Tally message() {
        return new Tally(messages + 1, commands, errors, rejections, authFailures);
    }

    Tally accepted() {
        return new Tally(messages, 0, errors, rejections, authFailures);
    }

    Tally authFailure() {
        return new Tally(messages, commands, errors, rejections, authFailures + 1);
    }
}
