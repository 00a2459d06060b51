package org.malote.delivery;

/// How mail for a destination goes on.
public sealed interface Via {
    /// Into a Maildir on this host.
    ///
    /// @param template a path in which `{domain}` and `{local}` stand for the recipient's parts
    record Maildir(String template) implements Via {}

    /// Over LMTP (RFC 2033), to a host that stores mail.
    ///
    /// @param host a name or an address without brackets
    record Lmtp(String host, int port) implements Via {}

    /// Over SMTP to one fixed host.
    ///
    /// @param host a name or an address without brackets
    record Smtp(String host, int port) implements Via {}

    /// Over SMTP to the MX hosts of the destination (RFC 5321 §5.1).
    record Mx() implements Via {}

    /// Kept in the queue until an operator releases it or the route changes.
    record Hold() implements Via {}

    /// Dropped, with a line in the log.
    record Discard() implements Via {}

    /// The word that a route begins with and that logs and meters use.
    default String word() {
        return switch (this) {
            case Maildir _ -> "maildir";
            case Lmtp _ -> "lmtp";
            case Smtp _ -> "smtp";
            case Mx _ -> "mx";
            case Hold _ -> "hold";
            case Discard _ -> "discard";
        };
    }
}
