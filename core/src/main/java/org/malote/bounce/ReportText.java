package org.malote.bounce;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.bounce.ReportedRecipient.Action;
import org.malote.smtp.Ascii;
import org.malote.smtp.Printable;

/// The text of a notification. Whatever came from a stranger goes through [#clean] or
/// [#diagnostic]: nothing in it can end a line.
///
/// @param hostname ours
/// @param messageId of the notification, without angle brackets
/// @param to the sender of the message that it speaks of
/// @param envelopeId that message's ENVID, or null
/// @param acceptedAt when that message came
/// @param now when the attempt ended
/// @param isUtf8 whether the forms of RFC 6533 are used
/// @param boundary between the parts
/// @param returned what of the message follows
/// @param recipients at least one
record ReportText(
        String hostname,
        String messageId,
        String to,
        @Nullable String envelopeId,
        Instant acceptedAt,
        Instant now,
        boolean isUtf8,
        String boundary,
        Returned returned,
        List<ReportedRecipient> recipients) {

    /// What of the message follows.
    enum Returned {
        NOTHING,
        HEADERS,
        MESSAGE
    }

    /// Recipients that the readable part names; the others are in the other part. A screen or two.
    static final int RECIPIENTS_READABLE_MAX = 50;

    /// RFC 5322 §2.1.1: lines should have at most 78 characters.
    private static final int COLUMNS = 76;

    /// RFC 5322 §2.1.1 allows 998. Longer words are broken.
    private static final int WORD_MAX = 400;

    // RFC 5322 §3.3, in UTC.
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss xx", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    ReportText {
        recipients = List.copyOf(recipients);
    }

    /// Everything before the octets of the returned message, in pieces of a few hundred octets.
    ///
    /// @param isReturnedEightBit whether what is returned has octets above 127
    void before(boolean isReturnedEightBit, Consumer<byte[]> out) {
        put(out, head());
        put(out, readable());
        put(out, perMessage());
        for (ReportedRecipient recipient : recipients) {
            put(out, perRecipient(recipient));
        }
        if (returned != Returned.NOTHING) {
            put(
                    out,
                    "\r\n--"
                            + boundary
                            + "\r\nContent-Type: "
                            + returnedType()
                            + "\r\nContent-Transfer-Encoding: "
                            + (isReturnedEightBit ? "8bit" : "7bit")
                            + "\r\n\r\n");
        }
    }

    /// Everything behind them.
    void after(Consumer<byte[]> out) {
        put(out, "\r\n--" + boundary + "--\r\n");
    }

    /// `failure`, `delay` or `success`: the worst.
    String kind() {
        if (has(Action.FAILED)) {
            return "failure";
        }
        return has(Action.DELAYED) ? "delay" : "success";
    }

    private static void put(Consumer<byte[]> out, String text) {
        out.accept(text.getBytes(StandardCharsets.UTF_8));
    }

    private boolean has(Action action) {
        return recipients.stream().anyMatch(recipient -> recipient.action() == action);
    }

    private String head() {
        String subject =
                switch (kind()) {
                    case "failure" -> "Undelivered mail returned to sender";
                    case "delay" -> "Delayed mail: delivery is still being tried";
                    default -> "Successful mail delivery report";
                };
        return "Date: "
                + DATE.format(now)
                + "\r\nFrom: Mail Delivery System <MAILER-DAEMON@"
                + hostname
                + ">\r\nTo: <"
                + clean(to)
                + ">\r\nSubject: "
                + subject
                + "\r\nMessage-ID: <"
                + messageId
                // RFC 3834 §5: so that nobody answers it.
                + ">\r\nAuto-Submitted: auto-replied\r\n"
                + "MIME-Version: 1.0\r\n"
                // RFC 6522 §3: the type of the report is the subtype of its second part.
                + "Content-Type: multipart/report; report-type="
                + statusSubtype()
                + ";\r\n\tboundary=\""
                + boundary
                + "\"\r\n\r\nThis is a delivery status notification in MIME format.\r\n";
    }

    /// RFC 6533 §4.
    private String statusSubtype() {
        return isUtf8 ? "global-delivery-status" : "delivery-status";
    }

    private String returnedType() {
        if (returned == Returned.MESSAGE) {
            return isUtf8 ? "message/global" : "message/rfc822";
        }
        return isUtf8 ? "message/global-headers" : "text/rfc822-headers";
    }

    private String encoding() {
        return isUtf8 ? "8bit" : "7bit";
    }

    /// The part for people.
    private String readable() {
        StringBuilder text = new StringBuilder(2_000);
        text.append("\r\n--")
                .append(boundary)
                .append(
                        "\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=")
                .append(isUtf8 ? "utf-8" : "us-ascii")
                .append("\r\nContent-Transfer-Encoding: ")
                .append(encoding())
                .append("\r\n\r\nThis is the mail system at ")
                .append(hostname)
                .append(".\r\n");
        int named = 0;
        for (Action action : Action.values()) {
            if (has(action)) {
                text.append("\r\n").append(introduction(action)).append("\r\n");
                named = appendReadable(text, action, named);
            }
        }
        if (named > RECIPIENTS_READABLE_MAX) {
            text.append("\r\nAnd ")
                    .append(named - RECIPIENTS_READABLE_MAX)
                    .append(" more, which the next part of this report lists.\r\n");
        }
        return text.toString();
    }

    private int appendReadable(StringBuilder text, Action action, int namedBefore) {
        int named = namedBefore;
        for (ReportedRecipient recipient : recipients) {
            if (recipient.action() == action && named++ < RECIPIENTS_READABLE_MAX) {
                String host = recipient.remoteHost();
                text.append("\r\n<").append(clean(recipient.address())).append(">:\r\n    ");
                fold(
                        text,
                        (host == null ? "" : "host " + clean(host) + " said: ")
                                + recipient.diagnostic(),
                        "    ");
            }
        }
        return named;
    }

    private String introduction(Action action) {
        return switch (action) {
            case FAILED ->
                    "Your message could not be delivered to the recipients below, and it will\r\n"
                            + "not be tried again. "
                            + switch (returned) {
                                case NOTHING -> "It cannot be returned with this report.";
                                case HEADERS -> "The beginning of it is at the end of this report.";
                                case MESSAGE -> "It is at the end of this report.";
                            }
                            + "\r\n\r\n"
                            + "If you need help, send this report to the postmaster of the\r\n"
                            + "recipient's or of your own mail service.";
            case DELAYED ->
                    "Your message has not yet been delivered to the recipients below.\r\n"
                            + "You need not send it again: delivery is tried until "
                            + retryUntil()
                            + ".";
            case DELIVERED -> "Your message was delivered to the mailboxes of these recipients:";
            case RELAYED ->
                    "Your message was passed on for the recipients below to a mail system that\r\n"
                            + "does not confirm delivery. You will not hear more of it:";
        };
    }

    private String retryUntil() {
        for (ReportedRecipient recipient : recipients) {
            Instant until = recipient.retryUntil();
            if (until != null) {
                return "\r\n" + DATE.format(until);
            }
        }
        return "it is given up";
    }

    /// RFC 3464 §2.2.
    private String perMessage() {
        return "\r\n--"
                + boundary
                + "\r\nContent-Description: Delivery report\r\nContent-Type: message/"
                + statusSubtype()
                + "\r\nContent-Transfer-Encoding: "
                + encoding()
                + "\r\n\r\n"
                // RFC 3464 §2.2.1: the identifier comes back as it was before xtext.
                + (envelopeId == null
                        ? ""
                        : "Original-Envelope-Id: " + Printable.toAscii(envelopeId) + "\r\n")
                + "Reporting-MTA: dns; "
                + hostname
                + "\r\nArrival-Date: "
                + DATE.format(acceptedAt)
                + "\r\n";
    }

    /// RFC 3464 §2.3.
    private String perRecipient(ReportedRecipient recipient) {
        StringBuilder fields = new StringBuilder(400).append("\r\n");
        if (recipient.original() != null) {
            fields.append("Original-Recipient: ")
                    .append(recipient.original().type())
                    .append("; ")
                    .append(typed(recipient.original().type(), recipient.original().address()))
                    .append("\r\n");
        }
        String type = Ascii.isAscii(recipient.address()) ? "rfc822" : "utf-8"; // RFC 6533 §3
        fields.append("Final-Recipient: ")
                .append(type)
                .append("; ")
                .append(typed(type, recipient.address()))
                .append("\r\nAction: ")
                .append(recipient.action().word())
                .append("\r\nStatus: ")
                .append(recipient.status())
                .append("\r\n");
        if (recipient.remoteHost() != null) {
            fields.append("Remote-MTA: dns; ")
                    .append(Printable.toAscii(recipient.remoteHost()))
                    .append("\r\n");
        }
        fold(
                fields,
                "Diagnostic-Code: "
                        // RFC 3464 §2.3.6: smtp is for what a host said.
                        + (recipient.remoteHost() != null ? "smtp; " : "x-malote; ")
                        + recipient.diagnostic(),
                "    ");
        fields.append("Last-Attempt-Date: ").append(DATE.format(now)).append("\r\n");
        if (recipient.retryUntil() != null) {
            fields.append("Will-Retry-Until: ")
                    .append(DATE.format(recipient.retryUntil()))
                    .append("\r\n");
        }
        return fields.toString();
    }

    /// RFC 6533 §3: where the report is ASCII, an address beyond it is written with `\x{...}`.
    private String typed(String type, String address) {
        if (isUtf8 || Ascii.isAscii(address) || !type.toLowerCase(Locale.ROOT).equals("utf-8")) {
            return clean(address);
        }
        StringBuilder text = new StringBuilder(address.length() * 2);
        address.codePoints()
                .forEach(
                        point -> {
                            if (point < 0x20 || point >= 0x7f || point == '\\') {
                                text.append("\\x{")
                                        .append(Integer.toHexString(point).toUpperCase(Locale.ROOT))
                                        .append('}');
                            } else {
                                text.appendCodePoint(point);
                            }
                        });
        return text.toString();
    }

    /// A value that should have no controls and be ASCII where the report is; what is not so is
    /// escaped, and everything else is left as it is (an address may hold a backslash).
    private String clean(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (Ascii.isControl(value.charAt(i))) {
                return Printable.toAscii(value);
            }
        }
        return isUtf8 || Ascii.isAscii(value) ? value : Printable.toAscii(value);
    }

    /// What a host said, fit for a report: one line of printable ASCII.
    ///
    /// @param lines each is cut at [Printable#CHARACTERS_MAX]
    static String diagnostic(String start, List<String> lines) {
        StringBuilder text = new StringBuilder(start);
        for (String line : lines) {
            String shown = Printable.toAscii(line).strip();
            if (!shown.isEmpty()) {
                text.append(' ').append(shown);
            }
        }
        return text.toString();
    }

    /// Breaks a text at spaces; later lines are indented, which continues a header field (RFC 5322
    /// §2.2.3) and reads well elsewhere.
    private static void fold(StringBuilder out, String text, String indent) {
        int column = 0;
        boolean isLineEmpty = true;
        for (String word : text.split(" ", -1)) {
            for (int from = 0; from < word.length(); from += WORD_MAX) {
                String part = word.substring(from, Math.min(word.length(), from + WORD_MAX));
                if (!isLineEmpty && column + 1 + part.length() > COLUMNS) {
                    out.append("\r\n").append(indent);
                    column = indent.length();
                    isLineEmpty = true;
                }
                if (!isLineEmpty) {
                    out.append(' ');
                    column++;
                }
                out.append(part);
                column += part.length();
                isLineEmpty = false;
            }
        }
        out.append("\r\n");
    }
}
