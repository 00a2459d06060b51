package org.malote.smtp.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Reply;

/// Reads a host's replies (RFC 5321 §4.2) from a connection's octets. Whatever the host sends, at
/// most one line and [#REPLY_OCTETS_MAX] are kept; after [Broken] the connection is of no more use.
///
/// The input buffer belongs to the caller; the parser reads from its front and remembers how far it
/// has looked, so that a line that comes one octet at a time is looked at once.
///
/// Deviation: a line that ends in a bare LF is taken. RFC 5321 §2.3.8 forbids it, hosts that do it
/// exist, and a reply has no content in which a second reply could be hidden.
public final class ReplyParser {
    /// Ours: four of the 512 octets of RFC 5321 §4.5.3.1.5, since verbose hosts exist.
    public static final int LINE_OCTETS_MAX = 2048;

    /// Ours: the largest EHLO replies seen have about 30 lines.
    public static final int LINES_MAX = 128;

    /// All lines of one reply together. Ours: 64 lines of RFC 5321 §4.5.3.1.5.
    public static final int REPLY_OCTETS_MAX = 32 * 1024;

    /// What the octets so far amount to.
    public sealed interface Result {}

    /// A reply.
    public record Complete(Reply reply) implements Result {}

    /// More octets are needed.
    public record Incomplete() implements Result {}

    /// What came is no reply.
    ///
    /// @param detail one sentence for the operator, without the host's words
    public record Broken(String detail) implements Result {}

    private static final Result INCOMPLETE = new Incomplete();

    private final List<String> lines = new ArrayList<>(1);
    private int code;
    private int octets;

    /// Octets at the front of the input that hold no LF.
    private int scanned;

    /// Takes the next reply from the front of `in`. Inspects and consumes `in`, keeps no reference.
    public Result next(ByteBuf in) {
        while (true) {
            int start = in.readerIndex();
            int lf = in.indexOf(start + scanned, in.writerIndex(), (byte) '\n');
            if (lf < 0) {
                scanned = in.readableBytes();
                return scanned > LINE_OCTETS_MAX ? tooLong() : INCOMPLETE;
            }
            scanned = 0;
            int length = lf + 1 - start;
            octets += length;
            if (length > LINE_OCTETS_MAX) {
                return tooLong();
            }
            if (lines.size() == LINES_MAX || octets > REPLY_OCTETS_MAX) {
                return new Broken("the host's reply has too many lines");
            }
            Result result = line(in, start, lf);
            in.readerIndex(lf + 1);
            if (result != null) {
                return result;
            }
        }
    }

    private static Broken tooLong() {
        return new Broken("the host's reply has a line of more than 2048 octets");
    }

    /// @return null when the reply goes on with another line
    private @Nullable Result line(ByteBuf in, int start, int lf) {
        int end = lf > start && in.getByte(lf - 1) == '\r' ? lf - 1 : lf;
        if (end - start < 3) {
            return new Broken("the host's reply does not begin with a code of three digits");
        }
        int lineCode = 0;
        for (int i = start; i < start + 3; i++) {
            int digit = in.getByte(i) - '0';
            if (digit < 0 || digit > 9) {
                return new Broken("the host's reply does not begin with a code of three digits");
            }
            lineCode = lineCode * 10 + digit;
        }
        if (lineCode < 200 || lineCode > 599) {
            return new Broken("the host's reply has the code " + lineCode); // RFC 5321 §4.2.1
        }
        if (!lines.isEmpty() && lineCode != code) {
            return new Broken("the lines of the host's reply have different codes"); // §4.2.1
        }
        code = lineCode;
        boolean isLast = true;
        int text = start + 3;
        if (text < end) {
            byte separator = in.getByte(text++);
            if (separator != ' ' && separator != '-') {
                return new Broken("the host's reply has neither space nor hyphen behind its code");
            }
            isLast = separator == ' ';
        }
        for (int i = text; i < end; i++) {
            byte octet = in.getByte(i);
            if (octet == 0 || octet == '\r') {
                return new Broken("the host's reply has a NUL or a bare CR in it");
            }
        }
        lines.add(in.toString(text, end - text, StandardCharsets.UTF_8));
        return isLast ? complete() : null;
    }

    /// RFC 2034 §4: the enhanced status stands at the start of each line and belongs to the class
    /// of
    /// the code; one that does not is text.
    private Result complete() {
        EnhancedStatus status = EnhancedStatus.parsePrefix(lines.getFirst());
        if (status != null && status.kind() != code / 100) {
            status = null;
        }
        if (status != null) {
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                if (status.equals(EnhancedStatus.parsePrefix(line))) {
                    int space = line.indexOf(' ');
                    lines.set(i, space < 0 ? "" : line.substring(space + 1));
                }
            }
        }
        Reply reply = new Reply(code, status, lines);
        lines.clear();
        octets = 0;
        return new Complete(reply);
    }
}
