package org.malote.smtp;

/// The argument of MAIL FROM (RFC 5321 §4.1.1.2): a mailbox, or `<>` for mail that must never be
/// answered.
public sealed interface ReversePath {

    /// `<>`: notifications and other automatic mail (RFC 5321 §4.5.5).
    record Null() implements ReversePath {
        @Override
        public String text() {
            return "";
        }
    }

    /// A sender that can be told of a failure.
    record Sender(Mailbox mailbox) implements ReversePath {
        @Override
        public String text() {
            return mailbox.text();
        }
    }

    /// The one null reverse-path.
    ReversePath NULL = new Null();

    /// What stands between the angle brackets; empty for the null reverse-path. The form in which
    /// the queue keeps the sender.
    String text();
}
