package org.malote.queue;

/// What an operator, or a new configuration, does to recipients. The codes are of the journal and
/// never change.
enum Change {
    RETRY(1),
    HOLD(2),
    RELEASE(3),
    REMOVE(4),
    /// The same as a release, of what a route holds; the record names the recipients.
    RECONSIDER(5),
    /// The recipient is given back to the sender at the next turn, held or not.
    BOUNCE(6);

    final byte code;

    Change(int code) {
        this.code = (byte) code;
    }
}
