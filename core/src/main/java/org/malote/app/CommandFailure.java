package org.malote.app;

/// A command cannot do what it was asked. The message is for the operator: what is wrong and what
/// to do, in one line.
final class CommandFailure extends Exception {
    private static final long serialVersionUID = 1L;

    CommandFailure(String sentence) {
        super(sentence);
    }

    CommandFailure(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
