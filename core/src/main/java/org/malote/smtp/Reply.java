package org.malote.smtp;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A reply (RFC 5321 §4.2): a code, an enhanced status where one belongs, and at least one line of
/// text. Inbound we write them, outbound we read them.
///
/// @param code 200 to 599
/// @param status the enhanced status, or null where RFC 2034 has none (greeting, EHLO, 354) or the
/// remote host sent none
/// @param lines the text of each line, without code and status; no CR, LF or NUL
public record Reply(int code, @Nullable EnhancedStatus status, List<String> lines) {

    public Reply {
        if (code < 200 || code > 599) {
            throw new IllegalArgumentException("no SMTP reply code: " + code);
        }
        if (status != null && status.kind() != code / 100) {
            throw new IllegalArgumentException(
                    "the enhanced status " + status + " does not belong to code " + code);
        }
        if (lines.isEmpty()) {
            throw new IllegalArgumentException("a reply has at least one line");
        }
        for (String line : lines) {
            for (int i = 0; i < line.length(); i++) {
                char c = line.charAt(i);
                if (c == '\r' || c == '\n' || c == 0) {
                    throw new IllegalArgumentException(
                            "a reply line holds no CR, LF or NUL: " + Printable.escape(line));
                }
            }
        }
        lines = List.copyOf(lines);
    }

    /// A reply of one line with an enhanced status: `Reply.of(550, "5.7.1", "relaying denied")`.
    public static Reply of(int code, String status, String text) {
        EnhancedStatus parsed = EnhancedStatus.parsePrefix(status);
        if (parsed == null) {
            throw new IllegalArgumentException("no enhanced status: " + status);
        }
        return new Reply(code, parsed, List.of(text));
    }

    /// A reply of one line without an enhanced status.
    public static Reply plain(int code, String text) {
        return new Reply(code, null, List.of(text));
    }

    /// 2xx.
    public boolean isPositive() {
        return code / 100 == 2;
    }

    /// 3xx: go on with the data.
    public boolean isIntermediate() {
        return code / 100 == 3;
    }

    /// 4xx: the same command may succeed later.
    public boolean isTransient() {
        return code / 100 == 4;
    }

    /// 5xx: do not ask again.
    public boolean isPermanent() {
        return code / 100 == 5;
    }

    /// The reply on one line, as a log or a delivery report shows it: `550 5.1.1 no such user
    /// here`.
    public String oneLine() {
        StringBuilder text = new StringBuilder().append(code);
        if (status != null) {
            text.append(' ').append(status);
        }
        for (String line : lines) {
            if (!line.isEmpty()) {
                text.append(' ').append(line);
            }
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return oneLine();
    }
}
