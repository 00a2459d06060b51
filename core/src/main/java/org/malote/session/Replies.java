package org.malote.session;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.Shortcoming;
import org.malote.queue.Receipt;
import org.malote.queue.Refusal;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Reply;

/// What the inbound machine says, in one place (RFC 5321 §4.2.2, RFC 3463).
public final class Replies {
    static final Reply OK = Reply.of(250, "2.0.0", "OK");
    static final Reply BYE = Reply.of(221, "2.0.0", "bye");
    static final Reply SENDER_OK = Reply.of(250, "2.1.0", "sender OK");
    static final Reply RECIPIENT_OK = Reply.of(250, "2.1.5", "recipient OK");
    static final Reply GO_AHEAD = Reply.plain(354, "end with <CRLF>.<CRLF>");
    static final Reply START_TLS = Reply.of(220, "2.0.0", "ready to start TLS");
    static final Reply CANNOT_VERIFY =
            Reply.of(252, "2.5.2", "cannot VRFY user, but will take mail and attempt delivery");
    static final Reply NO_EXPN = Reply.of(502, "5.5.1", "lists are not told");
    static final Reply HELP =
            new Reply(
                    214,
                    new EnhancedStatus(2, 0, 0),
                    List.of(
                            "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS AUTH",
                            "see RFC 5321; write to postmaster when mail fails"));

    static final Reply ARGUMENT_NEEDED = Reply.of(501, "5.5.4", "an argument is needed");
    static final Reply GREETING_NEEDED = Reply.of(503, "5.5.1", "send EHLO or HELO first");
    static final Reply EHLO_NEEDED = Reply.of(503, "5.5.1", "send EHLO first");

    /// Draft-weinman-amtp-03 §4.4.1. RFC 2034 §4: no enhanced status here, nor in what EHLO gets.
    static final Reply NO_HELO = Reply.plain(504, "HELO is not spoken here; send EHLO");

    /// RFC 3207 §4.
    static final Reply TLS_NEEDED = Reply.of(530, "5.7.0", "send STARTTLS first");

    static final Reply MAIL_NEEDED = Reply.of(503, "5.5.1", "send MAIL first");
    static final Reply NESTED_MAIL = Reply.of(503, "5.5.1", "a transaction is open already");
    static final Reply TRANSACTION_OPEN =
            Reply.of(503, "5.5.1", "not inside a transaction; send RSET first");
    static final Reply CHUNKS_EXPECTED =
            Reply.of(503, "5.5.1", "only BDAT or RSET after the first chunk");
    static final Reply NO_RECIPIENTS = Reply.of(554, "5.5.1", "no valid recipients");
    static final Reply BINARY_NEEDS_BDAT =
            Reply.of(503, "5.5.1", "a BINARYMIME message comes by BDAT");
    static final Reply UTF8_NEEDED =
            Reply.of(553, "5.6.7", "a non-ASCII address needs SMTPUTF8 on MAIL");
    static final Reply TOO_BIG =
            Reply.of(552, "5.3.4", "the message exceeds the size that EHLO announced");
    static final Reply TOO_MANY_RECIPIENTS =
            Reply.of(452, "4.5.3", "too many recipients; send the rest in another transaction");
    static final Reply NO_STARTTLS = Reply.of(502, "5.5.1", "STARTTLS is not offered");

    /// RFC 3207 §4.
    static final Reply TLS_AILING = Reply.of(454, "4.7.0", "TLS is not available now");

    static final Reply TLS_ACTIVE = Reply.of(503, "5.5.1", "TLS is active already");

    /// RFC 4954 §4.
    static final Reply AUTHENTICATED = Reply.of(235, "2.7.0", "authenticated");

    static final Reply NO_AUTH = Reply.of(502, "5.5.1", "AUTH is not offered");
    static final Reply AUTHENTICATED_ALREADY =
            Reply.of(503, "5.5.1", "authenticated already; connect again to be another");
    static final Reply MECHANISM_UNKNOWN =
            Reply.of(504, "5.5.4", "that mechanism is not offered; EHLO names those that are");
    static final Reply AUTH_CANCELLED = Reply.of(501, "5.7.0", "authentication cancelled");
    static final Reply NOT_BASE64 = Reply.of(501, "5.5.2", "a response is base64");
    static final Reply RESPONSE_MALFORMED =
            Reply.of(501, "5.5.2", "that is not a response of this mechanism");

    /// RFC 4954 §6, of an exchange.
    static final Reply RESPONSE_TOO_LONG = Reply.of(500, "5.5.6", "the response is too long");

    /// RFC 4954 §6.
    static final Reply AUTH_REFUSED =
            Reply.of(535, "5.7.8", "the name, the password or the certificate is not right");

    /// RFC 4954 §6.
    static final Reply AUTH_BUSY =
            Reply.of(454, "4.7.0", "nobody can be authenticated now; try again later");

    /// RFC 4954 §6.
    static final Reply AUTH_NEEDED = Reply.of(530, "5.7.0", "authentication is required");

    /// RFC 4954 §6: the enhanced code of what must not go in the clear.
    static final Reply TLS_NEEDED_FOR_AUTH =
            Reply.of(538, "5.7.11", "encryption is required; send STARTTLS first");

    static final Reply TOO_MANY_AUTH_FAILURES =
            Reply.of(421, "4.7.0", "too many failed authentications; closing");
    static final Reply AUTH_BLOCKED =
            Reply.of(
                    421,
                    "4.7.0",
                    "too many failed authentications from your address; try again later");

    static final Reply LINE_TOO_LONG = Reply.of(500, "5.5.2", "line too long");
    static final Reply BARE_LINE_END =
            Reply.of(500, "5.5.2", "lines end with CRLF; a bare CR or LF was in this one");
    static final Reply NOT_TEXT = Reply.of(500, "5.5.2", "a command is printable text");
    static final Reply BARE_LINE_END_IN_MESSAGE =
            Reply.of(
                    554,
                    "5.6.0",
                    "a bare CR or LF is in the message; its lines must end with CRLF");
    static final Reply ENVELOPE_TOO_BIG =
            Reply.of(552, "5.5.3", "the recipients take too much room; send to fewer at a time");
    static final Reply LOOP = Reply.of(554, "5.4.6", "too many Received headers: a mail loop");

    /// RFC 5321 §4.1.1.11: the parameter of an extension that was not offered.
    static final Reply PARAMETER_NOT_OFFERED =
            Reply.of(555, "5.5.4", "a parameter is not recognized or not implemented");

    /// A policy denies the message's code, or its code is none: draft-weinman-amtp-03 §4.4.3, §4.5.
    ///
    /// Deviation: the draft has a text for 250 too, "Okay". A code that is taken changes nothing of
    /// what MAIL and RCPT are answered. Its 451 is for a policy that cannot be asked, and ours can.
    public static final Reply CODE_REFUSED = Reply.of(550, "5.7.1", "MPC policy violation");

    /// The message has an `MPC:` header already: draft-weinman-amtp-03 §4.4.4.
    public static final Reply CODE_HEADER =
            Reply.of(550, "5.7.1", "MPC policy violation: an MPC header is in the message already");

    private static final Reply CODE_MISSING =
            Reply.of(501, "5.5.4", "a Mail Policy Code is needed; EHLO shows its parameter");
    private static final Reply CODE_MALFORMED =
            Reply.of(501, "5.5.4", "a Mail Policy Code is role/class, such as per/individual");

    static final Reply TOO_MANY_ERRORS = Reply.of(421, "4.7.0", "too many errors; closing");
    static final Reply TOO_MANY_COMMANDS =
            Reply.of(421, "4.7.0", "too many commands without a message; closing");
    static final Reply TOO_MANY_MESSAGES =
            Reply.of(421, "4.7.0", "too many messages in this session; connect again");
    static final Reply NOT_SYNCHRONISED =
            Reply.of(554, "5.5.0", "you did not wait for my reply; closing");
    static final Reply TIMED_OUT = Reply.of(421, "4.4.2", "timed out; closing");
    static final Reply SHUTTING_DOWN = Reply.of(421, "4.3.2", "shutting down; try again later");

    /// As many sessions as the server may have.
    public static final Reply TOO_MANY_SESSIONS =
            Reply.of(421, "4.3.2", "too many sessions; try again later");

    /// As many sessions as one client network may have.
    public static final Reply TOO_MANY_SESSIONS_FROM_NETWORK =
            Reply.of(421, "4.7.0", "too many sessions from your network; try again later");

    /// A listener for proxies was reached without one.
    public static final Reply NOT_A_PROXY =
            Reply.of(554, "5.7.1", "this port is for our own proxies");

    private Replies() {}

    /// RFC 4954 §4: a challenge is base64, or nothing.
    static Reply challenge(String text) {
        return Reply.plain(
                334, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// Our promise: RFC 5321 §6.1. It needs the queue's receipt, so it cannot be given early.
    static Reply kept(Receipt receipt) {
        return Reply.of(250, "2.0.0", "queued as " + receipt.messageId());
    }

    /// A message that was received and is not kept.
    static Reply notKept(Refusal refusal) {
        return switch (refusal) {
            case NO_SPACE, INDEX_FULL ->
                    Reply.of(452, "4.3.1", "no room in the queue; try again later");
            case COMMITS_LATE -> Reply.of(451, "4.3.1", "the queue is too slow; try again later");
            case STOPPED -> Reply.of(451, "4.3.0", "the queue failed; try again later");
            case CLOSED -> SHUTTING_DOWN;
        };
    }

    /// What EHLO is answered when the peer is not who it is to be: draft-weinman-amtp-03 §4.4.2,
    /// §4.4.2.1. The reason is in the text.
    static Reply notIdentified(Shortcoming shortcoming) {
        return switch (shortcoming) {
            // RFC 5321 §4.3.2: 501 is an argument that is wrong.
            case NOT_QUALIFIED -> Reply.plain(501, "EHLO takes a fully qualified domain name here");
            // Deviation: the draft has 504 for whatever fails. What may go well later is no
            // permanent failure, else a name server that is down bounces mail.
            case REVERSE_LATER ->
                    Reply.plain(
                            421, "reverse DNS of your address does not answer; try again later");
            case NO_TLS,
                    NO_CERTIFICATE,
                    CHAIN,
                    DENIED,
                    OTHER_NAME,
                    REVERSE_MISSING,
                    REVERSE_OTHER,
                    REVERSE_UNCONFIRMED ->
                    Reply.plain(504, "Authentication failed: " + shortcoming.text());
        };
    }

    /// What is said of a code that no message may have.
    public static Reply faulty(CodeClaim.Fault fault) {
        return switch (fault) {
            case MISSING -> CODE_MISSING;
            case MALFORMED -> CODE_MALFORMED;
            case UNDEFINED -> CODE_REFUSED;
        };
    }

    /// The answer to MAIL while the queue takes nothing.
    public static Verdict notAdmitted(Refusal refusal) {
        return switch (refusal) {
            case NO_SPACE, INDEX_FULL, COMMITS_LATE -> new Verdict.Refuse(notKept(refusal));
            // Nothing will be taken here until somebody mends the disk or the next start.
            case STOPPED ->
                    new Verdict.Dismiss(
                            Reply.of(421, "4.3.2", "the queue is not taking mail; try later"));
            case CLOSED -> new Verdict.Dismiss(SHUTTING_DOWN);
        };
    }
}
