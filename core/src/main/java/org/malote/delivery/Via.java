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

    /// Over AMTP to the hosts that the destination's SRV records name (draft-weinman-amtp-03
    /// §4.3.1), and in no other way.
    record Amtp() implements Via {}

    /// Over AMTP where the destination has SRV records for it and its hosts can be reached; over
    /// SMTP to its MX hosts otherwise.
    record Hybrid() implements Via {}

    /// Over AMTP to one fixed host, of a private network (draft-weinman-amtp-03 §7).
    ///
    /// @param host a name or an address without brackets
    record AmtpHost(String host, int port) implements Via {}

    /// Kept in the queue until an operator releases it or the route changes.
    record Hold() implements Via {}

    /// Dropped, with a line in the log.
    record Discard() implements Via {}

    /// Whether hosts of AMTP are spoken to.
    default boolean isAmtp() {
        return switch (this) {
            case Amtp _, Hybrid _, AmtpHost _ -> true;
            case Maildir _, Lmtp _, Smtp _, Mx _, Hold _, Discard _ -> false;
        };
    }

    /// Whether mail stays with the operator: in a store, or with a host of a private network
    /// (draft-weinman-amtp-03 §5.1, §1.2: every other connection is public).
    default boolean isPrivate() {
        return switch (this) {
            case Maildir _, Lmtp _, AmtpHost _, Hold _, Discard _ -> true;
            case Smtp _, Mx _, Amtp _, Hybrid _ -> false;
        };
    }

    /// The word that a route begins with and that logs and meters use.
    default String word() {
        return switch (this) {
            case Maildir _ -> "maildir";
            case Lmtp _ -> "lmtp";
            case Smtp _ -> "smtp";
            case Mx _ -> "mx";
            case Amtp _, AmtpHost _ -> "amtp";
            case Hybrid _ -> "hybrid";
            case Hold _ -> "hold";
            case Discard _ -> "discard";
        };
    }
}
