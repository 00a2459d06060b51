package org.malote.smtp;

import org.jspecify.annotations.Nullable;

/// A command as a peer sent it (RFC 5321 §4.1, RFC 3030, RFC 3207), already checked for syntax.
public sealed interface Command {

    /// EHLO; the peer names itself.
    record Ehlo(MailHost name) implements Command {}

    /// HELO; the peer names itself and wants no extensions.
    record Helo(MailHost name) implements Command {}

    /// MAIL FROM: a new transaction.
    record Mail(ReversePath from, MailParameters parameters) implements Command {}

    /// RCPT TO: one more recipient.
    record Rcpt(ForwardPath to, RecipientParameters parameters) implements Command {}

    /// DATA: the message comes, ended by a line with a single dot.
    record Data() implements Command {}

    /// BDAT: a chunk of exactly so many octets follows at once (RFC 3030).
    ///
    /// @param octets 0 or more
    /// @param isLast whether the message ends with this chunk
    record Bdat(long octets, boolean isLast) implements Command {}

    /// RSET: forget the transaction.
    record Rset() implements Command {}

    /// NOOP, its argument ignored.
    record Noop() implements Command {}

    /// QUIT.
    record Quit() implements Command {}

    /// VRFY.
    record Vrfy(String argument) implements Command {}

    /// EXPN.
    record Expn() implements Command {}

    /// HELP, its argument ignored.
    record Help() implements Command {}

    /// STARTTLS.
    record StartTls() implements Command {}

    /// AUTH: the peer says who its user is (RFC 4954 §4). It prints no response.
    ///
    /// @param mechanism as it was written
    /// @param initialResponse in base64, or `=` for an empty one; null when the peer waits to be
    ///     asked
    record Auth(String mechanism, @Nullable String initialResponse) implements Command {
        @Override
        public String toString() {
            return "AUTH " + mechanism;
        }
    }

    /// A line that is no command of ours, or one with a fault in it, and the reply that says so.
    ///
    /// @param reply 500 to 555
    /// @param fault whether more can be said to this peer
    record Malformed(Reply reply, Fault fault) implements Command {}

    /// What a malformed line leaves behind.
    enum Fault {
        /// The next line starts after it.
        LINE,
        /// Nothing is known of where the next command starts: a BDAT without a size that can be
        /// read.
        FRAMING,
        /// The peer speaks another protocol, and what it says next must not be read as mail.
        FOREIGN
    }
}
