package org.malote.accept;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.HopIdentity;
import org.malote.offload.TlsSummary;
import org.malote.policy.Peer;
import org.malote.queue.MessageId;
import org.malote.session.Greeting;
import org.malote.session.SessionFacts;
import org.malote.session.Transaction;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.Printable;

/// The Received header that we put before a message (RFC 5321 §4.4).
final class TraceHeader {
    // RFC 5322 §3.3, in UTC.
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss xx", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private TraceHeader() {}

    /// The header with its line ends, in UTF-8. Only the peer's name for itself and a single
    /// recipient come from outside; both are values that hold no control.
    static byte[] received(
            SessionFacts facts,
            Peer peer,
            Greeting greeting,
            Transaction transaction,
            MessageId id,
            Instant now) {
        boolean utf8 = transaction.parameters().isUtf8();
        String name = greeting.name().text();
        StringBuilder header = new StringBuilder(320);
        // RFC 5321 §4.4: the name that the peer gave, and the address that it came from.
        header.append("Received: from ")
                .append(utf8 ? name : Printable.toAscii(name))
                .append(" (")
                .append(new AddressLiteral(peer.address()).text())
                .append(")\r\n\tby ")
                .append(facts.hostname().text())
                .append(" (Malote) with ")
                .append(protocol(greeting, facts.tls(), utf8))
                .append(" id ")
                .append(id);
        TlsSummary tls = facts.tls();
        if (tls != null) {
            header.append("\r\n\t(")
                    .append(tls.version())
                    .append(' ')
                    .append(tls.cipher())
                    .append(' ')
                    .append(tls.cipherBits())
                    .append(" bits)");
        }
        String shown = shown(greeting.identity());
        if (!shown.isEmpty()) {
            header.append("\r\n\t(client certificate").append(shown).append(')');
        }
        if (transaction.recipients().size() == 1) {
            // More than one would tell each of the others (RFC 5321 §7.6).
            String recipient = transaction.recipients().getFirst().to().text();
            header.append("\r\n\tfor <")
                    .append(utf8 ? recipient : Printable.toAscii(recipient))
                    .append('>');
        }
        header.append(";\r\n\t").append(DATE.format(now)).append("\r\n");
        return header.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// Whose certificate it is, and what was found: for who asks later where a message has come
    /// from (draft-weinman-amtp-03 §2). Nothing, when none was shown or looked at.
    private static String shown(HopIdentity identity) {
        String verdict = ": " + identity.verdict();
        return switch (identity.shortcoming()) {
            case NO_TLS, NO_CERTIFICATE, NOT_QUALIFIED -> "";
            case CHAIN, DENIED, OTHER_NAME -> verdict;
            case REVERSE_LATER, REVERSE_MISSING, REVERSE_OTHER, REVERSE_UNCONFIRMED ->
                    " " + Printable.toAscii(identity.operator()) + verdict;
            case null -> " " + Printable.toAscii(identity.operator()) + verdict;
        };
    }

    /// RFC 3848, RFC 6531 §4.3.
    static String protocol(Greeting greeting, @Nullable TlsSummary tls, boolean utf8) {
        String secured = (tls == null ? "" : "S") + (greeting.user() == null ? "" : "A");
        if (utf8) {
            return "UTF8SMTP" + secured;
        }
        // RFC 3848 has no name for HELO inside TLS; ESMTPS says at least what matters.
        return greeting.isExtended() || tls != null ? "ESMTP" + secured : "SMTP";
    }
}
