package org.malote.smtp;

/// The argument of RCPT TO (RFC 5321 §4.1.1.3). Source routes are read and dropped before (§3.3).
public sealed interface ForwardPath {

    /// A recipient with a domain.
    record Recipient(Mailbox mailbox) implements ForwardPath {
        @Override
        public String text() {
            return mailbox.text();
        }
    }

    /// `<Postmaster>` without a domain: whoever runs this server (RFC 5321 §4.5.1).
    record Postmaster() implements ForwardPath {
        @Override
        public String text() {
            return "Postmaster";
        }
    }

    /// What stands between the angle brackets.
    String text();
}
