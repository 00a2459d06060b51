package org.malote.amtp;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.MailHost;
import org.malote.smtp.Printable;

/// What we tell the filters behind us of the peer that a message came from: an
/// `Authentication-Results` field (RFC 8601) and the [TrustLevel] as a number.
///
/// `iprev` is registered (RFC 8601 §2.7.3). `x-amtp` is a method of our own, which RFC 8601 §2.7.6
/// allows among those who agree on it; its results and property types are registered ones, so that
/// nobody's parser stumbles.
public final class TrustHeaders {
    /// The two names. Nobody else may write them in mail that enters: see `accept`.
    public static final String RESULTS = "Authentication-Results";

    public static final String TRUST = "X-AMTP-Trust";

    /// Where a line is folded, RFC 5322 §2.1.1.
    private static final int LINE_CHARACTERS = 78;

    /// RFC 2045 §5.1: these cannot stand in a token.
    private static final String SPECIALS = "()<>@,;:\\\"/[]?=";

    private TrustHeaders() {}

    /// The fields, with their line ends, in ASCII.
    ///
    /// @param authservId under which the results are given: what names us to the filters
    /// @param identity what was found of the peer
    /// @param level what that comes to
    /// @param tlsVersion such as `TLSv1.3`; null in clear text
    /// @param client the peer's address
    /// @param helo the name that it gave
    /// @param code of the message; null when it has none
    public static byte[] of(
            String authservId,
            HopIdentity identity,
            TrustLevel level,
            @Nullable String tlsVersion,
            InetAddress client,
            MailHost helo,
            @Nullable MailPolicyCode code) {
        Field field = new Field(RESULTS + ": " + value(authservId) + ";");
        String iprev = iprev(identity.reverse());
        if (!iprev.isEmpty()) {
            field.add("iprev=" + iprev);
            field.add("policy.iprev=" + value(IpAddresses.format(client)) + ";");
            field.endMethod();
        }
        field.add("x-amtp=" + result(identity.shortcoming()));
        field.add(
                "("
                        + identity.network().word()
                        + ", "
                        + (tlsVersion == null ? "no TLS" : tlsVersion)
                        + ")");
        if (identity.shortcoming() != null) {
            field.add("reason=" + value(identity.shortcoming().text()));
        }
        field.add("smtp.helo=" + value(helo.text()));
        if (identity.network() != HopNetwork.NONE && !identity.operator().isEmpty()) {
            field.add("policy.amtp-id=" + value(identity.operator()));
        }
        field.add("policy.amtp-net=" + identity.network().word());
        if (code != null) {
            field.add("policy.mpc=" + value(code.text()));
        }
        return (field.text() + "\r\n" + TRUST + ": " + level.number() + "\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// RFC 8601 §2.7.3.
    ///
    /// @return empty when it was not asked: then nothing is reported
    private static String iprev(ReverseDns reverse) {
        return switch (reverse) {
            case ReverseDns.Unasked _ -> "";
            case ReverseDns.Confirmed _ -> "pass";
            case ReverseDns.Unconfirmed _ -> "fail";
            case ReverseDns.Nameless _ -> "permerror";
            case ReverseDns.TryLater _ -> "temperror";
        };
    }

    private static String result(@Nullable Shortcoming shortcoming) {
        return switch (shortcoming) {
            case null -> "pass";
            case NO_TLS, NO_CERTIFICATE -> "none";
            case DENIED -> "policy";
            case REVERSE_LATER -> "temperror";
            case CHAIN,
                    NOT_QUALIFIED,
                    OTHER_NAME,
                    REVERSE_MISSING,
                    REVERSE_OTHER,
                    REVERSE_UNCONFIRMED ->
                    "fail";
        };
    }

    /// RFC 8601 §2.2: a value is a token or a quoted string (RFC 2045 §5.1). What is not ASCII, and
    /// every control, is escaped: the field must neither end early nor need SMTPUTF8.
    static String value(String text) {
        String ascii = Printable.toAscii(text);
        boolean isToken = !ascii.isEmpty();
        StringBuilder quoted = new StringBuilder(ascii.length() + 8).append('"');
        for (int i = 0; i < ascii.length(); i++) {
            char c = ascii.charAt(i);
            isToken &= c > ' ' && c < 0x7f && SPECIALS.indexOf(c) < 0;
            if (c == '"' || c == '\\') {
                quoted.append('\\');
            }
            quoted.append(c);
        }
        return isToken ? ascii : quoted.append('"').toString();
    }

    /// One field, folded between its words (RFC 5322 §2.2.3).
    private static final class Field {
        private final List<String> lines = new ArrayList<>();
        private String line;
        private boolean isMethodNew = true;

        Field(String start) {
            line = start;
        }

        void add(String word) {
            if (isMethodNew) {
                isMethodNew = false;
                next(" " + word);
            } else if (line.length() + 1 + word.length() <= LINE_CHARACTERS) {
                line += " " + word;
            } else {
                next("  " + word);
            }
        }

        /// Each method begins a line of its own.
        void endMethod() {
            isMethodNew = true;
        }

        private void next(String start) {
            lines.add(line);
            line = start;
        }

        String text() {
            lines.add(line);
            return String.join("\r\n", lines);
        }
    }
}
