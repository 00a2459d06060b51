package org.malote.smtp.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.malote.smtp.EnhancedStatus;
import org.malote.smtp.Printable;
import org.malote.smtp.Reply;

/// Replies to octets (RFC 5321 §4.2): each line with the code, a hyphen on all but the last, the
/// enhanced status on each line (RFC 2034 §4), and CRLF.
public final class ReplyWriter {
    /// RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets with its CRLF.
    static final int LINE_OCTETS_MAX = 512;

    private ReplyWriter() {}

    /// Appends the reply to `out`. Text that is not printable ASCII is escaped: a peer has not
    /// always said that it takes UTF-8 (RFC 6531 §3.5). Over-long lines are cut.
    public static void write(Reply reply, ByteBuf out) {
        List<String> lines = reply.lines();
        EnhancedStatus status = reply.status();
        for (int i = 0; i < lines.size(); i++) {
            int lineStart = out.writerIndex();
            writeCode(reply.code(), out);
            out.writeByte(i == lines.size() - 1 ? ' ' : '-');
            if (status != null) {
                ByteBufUtil.writeAscii(out, status.toString());
                out.writeByte(' ');
            }
            writeText(lines.get(i), out, lineStart + LINE_OCTETS_MAX - 2);
            out.writeByte('\r').writeByte('\n');
        }
    }

    private static void writeCode(int code, ByteBuf out) {
        out.writeByte('0' + code / 100).writeByte('0' + code / 10 % 10).writeByte('0' + code % 10);
    }

    private static void writeText(String line, ByteBuf out, int writerIndexMax) {
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c < 0x20 || c >= 0x7f) {
                int room = writerIndexMax - out.writerIndex();
                String escaped = Printable.toAscii(line.substring(i));
                ByteBufUtil.writeAscii(
                        out,
                        escaped.length() <= room
                                ? escaped
                                : escaped.substring(0, Math.max(0, room)));
                return;
            }
            if (out.writerIndex() >= writerIndexMax) {
                return;
            }
            out.writeByte(c);
        }
    }
}
