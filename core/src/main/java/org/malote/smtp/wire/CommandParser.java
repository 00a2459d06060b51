package org.malote.smtp.wire;

import java.util.EnumSet;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.Ascii;
import org.malote.smtp.BodyType;
import org.malote.smtp.Command;
import org.malote.smtp.Command.Fault;
import org.malote.smtp.Extension;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailHost;
import org.malote.smtp.MailParameters;
import org.malote.smtp.MailParameters.ReturnContent;
import org.malote.smtp.MailParameters.StatedCode;
import org.malote.smtp.Mailbox;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.RecipientParameters.Notify;
import org.malote.smtp.RecipientParameters.OriginalRecipient;
import org.malote.smtp.Reply;
import org.malote.smtp.ReversePath;
import org.malote.smtp.Xtext;

/// Command lines to commands. Total: any text gives a [Command], a fault in it a
/// [Command.Malformed] with the reply that names the fault.
///
/// Leniencies, each for real senders that can do no harm with it: spaces after the colon of MAIL
/// and RCPT (RFC 5321 §4.1.1.2 forbids them), spaces at the end of a line (§4.1.1 asks for it).
public final class CommandParser {
    private static final int ENVID_OCTETS_MAX = 100; // RFC 3461 §4.4
    private static final int ORCPT_OCTETS_MAX = 500; // RFC 3461 §4.2
    private static final int SIZE_DIGITS_MAX = 20; // RFC 1870 §5

    /// Digits of a chunk size (RFC 3030 §2: as RFC 1870's). A long holds 18 nines.
    private static final int CHUNK_DIGITS_MAX = 18;

    private static final int MECHANISM_OCTETS_MAX = 20; // RFC 4422 §3.1
    private static final int AUTH_OCTETS_MAX = 500; // RFC 4954 §4.1

    private static final Reply UNKNOWN = Reply.of(500, "5.5.2", "command not recognized");
    private static final Reply NOT_HTTP = Reply.of(554, "5.5.1", "this is a mail server");
    private static final Reply NO_ARGUMENT =
            Reply.of(501, "5.5.4", "this command takes no argument");
    private static final Reply NAME_NEEDED =
            Reply.of(501, "5.5.4", "give your domain name or [address]");
    private static final Reply MAIL_SYNTAX = Reply.of(501, "5.5.4", "syntax: MAIL FROM:<address>");
    private static final Reply RCPT_SYNTAX = Reply.of(501, "5.5.4", "syntax: RCPT TO:<address>");
    private static final Reply BAD_SENDER =
            Reply.of(501, "5.1.7", "that is not an address: local-part@domain is needed");
    private static final Reply BAD_RECIPIENT =
            Reply.of(501, "5.1.3", "that is not an address: local-part@domain is needed");
    private static final Reply AUTH_SYNTAX =
            Reply.of(501, "5.5.4", "syntax: AUTH mechanism [initial-response]");
    private static final Reply BAD_CHUNK = Reply.of(501, "5.5.4", "syntax: BDAT octets [LAST]");

    private CommandParser() {}

    /// Parses one line.
    ///
    /// @param line without its CRLF and without controls
    public static Command parse(String line) {
        int end = line.length();
        while (end > 0 && line.charAt(end - 1) == ' ') {
            end--;
        }
        String trimmed = line.substring(0, end);
        int space = trimmed.indexOf(' ');
        String verb = space < 0 ? trimmed : trimmed.substring(0, space);
        String argument = space < 0 ? "" : trimmed.substring(space + 1).stripLeading();
        return switch (verb.toUpperCase(Locale.ROOT)) {
            case "EHLO" -> {
                MailHost name = AddressParser.parseHost(argument);
                yield name == null ? fault(NAME_NEEDED) : new Command.Ehlo(name);
            }
            case "HELO" -> {
                MailHost name = AddressParser.parseHost(argument);
                yield name == null ? fault(NAME_NEEDED) : new Command.Helo(name);
            }
            case "MAIL" -> mail(argument);
            case "RCPT" -> rcpt(argument);
            case "DATA" -> bare(argument, new Command.Data());
            case "BDAT" -> bdat(argument);
            case "RSET" -> bare(argument, new Command.Rset());
            case "NOOP" -> new Command.Noop();
            case "QUIT" -> bare(argument, new Command.Quit());
            case "VRFY" -> new Command.Vrfy(argument);
            case "EXPN" -> new Command.Expn();
            case "HELP" -> new Command.Help();
            case "STARTTLS" -> bare(argument, new Command.StartTls());
            case "AUTH" -> auth(argument);
            // A browser can be led to post mail commands in the body of a request.
            case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE" ->
                    new Command.Malformed(NOT_HTTP, Command.Fault.FOREIGN);
            default -> fault(UNKNOWN);
        };
    }

    private static Command bare(String argument, Command command) {
        return argument.isEmpty() ? command : fault(NO_ARGUMENT);
    }

    private static Command mail(String argument) {
        int path = afterKeyword(argument, "FROM:");
        AddressParser.Path from = path < 0 ? null : AddressParser.parsePath(argument, path);
        if (from == null) {
            return fault(path < 0 ? MAIL_SYNTAX : BAD_SENDER);
        }
        ReversePath reversePath;
        if (from.inner().isEmpty()) {
            reversePath = ReversePath.NULL;
        } else if (from.mailbox() != null) {
            reversePath = new ReversePath.Sender(from.mailbox());
        } else {
            return fault(BAD_SENDER);
        }
        Parameters parameters = new Parameters();
        Reply problem = parameters.read(argument, from.end(), true);
        if (problem != null) {
            return fault(problem);
        }
        if (!parameters.isUtf8 && !Ascii.isAscii(from.inner())) {
            // RFC 6531 §3.5
            return fault(Reply.of(553, "5.6.7", "a non-ASCII address needs SMTPUTF8"));
        }
        return new Command.Mail(reversePath, parameters.toMail());
    }

    private static Command rcpt(String argument) {
        int path = afterKeyword(argument, "TO:");
        AddressParser.Path to = path < 0 ? null : AddressParser.parsePath(argument, path);
        if (to == null) {
            return fault(path < 0 ? RCPT_SYNTAX : BAD_RECIPIENT);
        }
        ForwardPath forwardPath;
        Mailbox mailbox = to.mailbox();
        if (to.inner().equalsIgnoreCase("postmaster")) {
            forwardPath = new ForwardPath.Postmaster(); // RFC 5321 §4.1.1.3
        } else if (mailbox != null) {
            forwardPath = new ForwardPath.Recipient(mailbox);
        } else {
            return fault(BAD_RECIPIENT);
        }
        Parameters parameters = new Parameters();
        Reply problem = parameters.read(argument, to.end(), false);
        return problem == null
                ? new Command.Rcpt(forwardPath, parameters.toRecipient())
                : fault(problem);
    }

    private static Command bdat(String argument) {
        // RFC 3030 §2. Without a size nobody can tell octets of the message from commands.
        int space = argument.indexOf(' ');
        String size = space < 0 ? argument : argument.substring(0, space);
        String last = space < 0 ? "" : argument.substring(space + 1).stripLeading();
        if (size.isEmpty() || size.length() > CHUNK_DIGITS_MAX || !isDigits(size)) {
            return new Command.Malformed(BAD_CHUNK, Fault.FRAMING);
        }
        if (!last.isEmpty() && !last.equalsIgnoreCase("LAST")) {
            return new Command.Malformed(BAD_CHUNK, Fault.FRAMING);
        }
        return new Command.Bdat(Long.parseLong(size), !last.isEmpty());
    }

    /// RFC 4954 §4: a mechanism, and perhaps a response in base64. Whether it is that is for the
    /// session to find, which alone may decode it.
    private static Command auth(String argument) {
        String[] words = argument.split(" +", -1);
        boolean isMechanism =
                words[0].length() <= MECHANISM_OCTETS_MAX && words[0].matches("[A-Za-z0-9_-]+");
        if (!isMechanism || words.length > 2) {
            return fault(AUTH_SYNTAX);
        }
        return new Command.Auth(words[0], words.length == 2 ? words[1] : null);
    }

    /// The index of the path behind `FROM:` or `TO:`, or -1.
    private static int afterKeyword(String argument, String keyword) {
        if (!argument.regionMatches(true, 0, keyword, 0, keyword.length())) {
            return -1;
        }
        int i = keyword.length();
        while (i < argument.length() && argument.charAt(i) == ' ') {
            i++;
        }
        return i;
    }

    private static boolean isDigits(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return !text.isEmpty();
    }

    private static Command fault(Reply reply) {
        return new Command.Malformed(reply, Fault.LINE);
    }

    /// The parameters of one MAIL or RCPT, as they are read.
    private static final class Parameters {
        private final Set<String> seen = new HashSet<>();
        private long size;
        private BodyType body = BodyType.SEVEN_BIT;
        private boolean isUtf8;
        private @Nullable ReturnContent returnContent;
        private @Nullable String envelopeId;
        private @Nullable StatedCode statedCode;
        private boolean isAuthStated;
        private final Set<Notify> conditions = EnumSet.noneOf(Notify.class);
        private @Nullable OriginalRecipient originalRecipient;

        /// Returns the reply that names the first fault, or null.
        @Nullable Reply read(String argument, int from, boolean isMail) {
            if (from == argument.length()) {
                return null;
            }
            if (argument.charAt(from) != ' ') {
                return isMail ? MAIL_SYNTAX : RCPT_SYNTAX;
            }
            String all = argument.substring(from).stripLeading();
            int at = 0;
            do {
                int space = all.indexOf(' ', at);
                int end = space < 0 ? all.length() : space;
                Reply problem = readOne(all.substring(at, end), isMail);
                if (problem != null) {
                    return problem;
                }
                at = end;
                while (at < all.length() && all.charAt(at) == ' ') {
                    at++;
                }
            } while (at < all.length());
            return null;
        }

        private @Nullable Reply readOne(String parameter, boolean isMail) {
            int equals = parameter.indexOf('=');
            String keyword =
                    (equals < 0 ? parameter : parameter.substring(0, equals))
                            .toUpperCase(Locale.ROOT);
            String value = equals < 0 ? null : parameter.substring(equals + 1);
            if (!seen.add(keyword)) {
                return bad(keyword, "given twice");
            }
            return isMail ? mail(keyword, value) : rcpt(keyword, value);
        }

        private @Nullable Reply mail(String keyword, @Nullable String value) {
            return switch (keyword) {
                case "SIZE" -> size(value);
                case "BODY" -> body(value);
                case "SMTPUTF8" -> {
                    isUtf8 = true;
                    yield value == null ? null : bad(keyword, "takes no value"); // RFC 6531 §3.4
                }
                case "RET" -> returnContent(value);
                case "ENVID" -> {
                    envelopeId =
                            value == null || value.length() > ENVID_OCTETS_MAX
                                    ? null
                                    : Xtext.decode(value);
                    yield envelopeId == null || envelopeId.isEmpty() || !Ascii.isAscii(envelopeId)
                            ? bad(keyword, "must be 1 to 100 characters of xtext")
                            : null;
                }
                case "AUTH" -> author(value);
                case "MPC" -> statedCode(Extension.MPC, value);
                case "XMPC" -> statedCode(Extension.XMPC, value);
                default -> unknown();
            };
        }

        /// RFC 4954 §5: a mailbox in xtext, or `<>`.
        private @Nullable Reply author(@Nullable String value) {
            String decoded =
                    value == null || value.length() > AUTH_OCTETS_MAX || value.equals("<>")
                            ? value
                            : Xtext.decode(value);
            boolean isAuthor =
                    decoded != null
                            && (decoded.equals("<>")
                                    || AddressParser.parseMailbox(decoded) != null);
            isAuthStated = true;
            return isAuthor ? null : bad("AUTH", "must be <> or an address in xtext");
        }

        /// draft-weinman-amtp-03 §4.4.3. Whether the listener takes codes, and what the value
        /// means, is the session's to know.
        ///
        /// Deviation: the draft wants one code for a transaction, which it has defined to be the
        /// whole connection (§1.2). Then a connection could carry mail of one kind alone; we read
        /// it as one for each MAIL.
        private @Nullable Reply statedCode(Extension keyword, @Nullable String value) {
            if (statedCode != null) {
                return bad(keyword.keyword(), "given twice"); // exactly one, by either name
            }
            statedCode = new StatedCode(keyword, value == null ? "" : value);
            return null;
        }

        private @Nullable Reply rcpt(String keyword, @Nullable String value) {
            return switch (keyword) {
                case "NOTIFY" -> conditions(value);
                case "ORCPT" -> originalRecipient(value);
                default -> unknown();
            };
        }

        private @Nullable Reply size(@Nullable String value) {
            if (value == null || value.length() > SIZE_DIGITS_MAX || !isDigits(value)) {
                return bad("SIZE", "must be 1 to 20 digits");
            }
            // More than a long holds is too much for every limit.
            size = value.length() > CHUNK_DIGITS_MAX ? Long.MAX_VALUE : Long.parseLong(value);
            return null;
        }

        private @Nullable Reply body(@Nullable String value) {
            for (BodyType type : BodyType.values()) {
                if (type.keyword().equalsIgnoreCase(value)) {
                    body = type;
                    return null;
                }
            }
            return bad("BODY", "must be 7BIT, 8BITMIME or BINARYMIME");
        }

        private @Nullable Reply returnContent(@Nullable String value) {
            if ("FULL".equalsIgnoreCase(value)) {
                returnContent = ReturnContent.FULL;
                return null;
            }
            if ("HDRS".equalsIgnoreCase(value)) {
                returnContent = ReturnContent.HDRS;
                return null;
            }
            return bad("RET", "must be FULL or HDRS");
        }

        private @Nullable Reply conditions(@Nullable String value) {
            if (value != null) {
                for (String condition : value.split(",", -1)) {
                    Notify parsed = parseNotify(condition);
                    if (parsed == null || !conditions.add(parsed)) {
                        return bad("NOTIFY", "must be NEVER, or some of SUCCESS,FAILURE,DELAY");
                    }
                }
            }
            boolean neverWithOthers = conditions.contains(Notify.NEVER) && conditions.size() > 1;
            return conditions.isEmpty() || neverWithOthers
                    ? bad("NOTIFY", "must be NEVER, or some of SUCCESS,FAILURE,DELAY")
                    : null;
        }

        private static @Nullable Notify parseNotify(String text) {
            for (Notify condition : Notify.values()) {
                if (condition.name().equalsIgnoreCase(text)) {
                    return condition;
                }
            }
            return null;
        }

        private @Nullable Reply originalRecipient(@Nullable String value) {
            int semicolon = value == null ? -1 : value.indexOf(';');
            if (value == null || semicolon < 1 || value.length() > ORCPT_OCTETS_MAX) {
                return bad("ORCPT", "must be type;address of at most 500 characters");
            }
            String type = value.substring(0, semicolon);
            String encoded = value.substring(semicolon + 1);
            // RFC 6533 §3: a utf-8 address may stand as itself.
            String address = Ascii.isAscii(encoded) ? Xtext.decode(encoded) : encoded;
            if (address == null || address.isEmpty() || !isAtom(type)) {
                return bad("ORCPT", "must be type;address in xtext");
            }
            originalRecipient = new OriginalRecipient(type.toLowerCase(Locale.ROOT), address);
            return null;
        }

        private static boolean isAtom(String text) {
            for (int i = 0; i < text.length(); i++) {
                if (text.charAt(i) >= 0x80 || !Ascii.isAtext(text.charAt(i))) {
                    return false;
                }
            }
            return true;
        }

        private static Reply unknown() {
            // RFC 5321 §4.1.1.11
            return Reply.of(555, "5.5.4", "a parameter is not recognized or not implemented");
        }

        private static Reply bad(String keyword, String why) {
            return Reply.of(501, "5.5.4", keyword + " " + why);
        }

        MailParameters toMail() {
            return seen.isEmpty()
                    ? MailParameters.NONE
                    : new MailParameters(
                            size,
                            body,
                            isUtf8,
                            returnContent,
                            envelopeId,
                            statedCode,
                            isAuthStated);
        }

        RecipientParameters toRecipient() {
            return seen.isEmpty()
                    ? RecipientParameters.NONE
                    : new RecipientParameters(conditions, originalRecipient);
        }
    }
}
