package org.malote.smtp.wire;

import io.netty.buffer.ByteBuf;

/// Looks for bare CR and LF in BDAT chunks (RFC 3030). Lines may be split anywhere between chunks.
/// Only a BINARYMIME message may hold them; in any other they would turn into something else when
/// the message goes on by DATA.
public final class ChunkScanner {
    private boolean afterCr;
    private boolean bareLineEnd;

    /// Inspects `length` octets from `index`.
    public void inspect(ByteBuf in, int index, int length) {
        int end = index + length;
        if (bareLineEnd) {
            return;
        }
        int i = index;
        while (i < end) {
            if (afterCr) {
                if (in.getByte(i) != '\n') {
                    bareLineEnd = true;
                    return;
                }
                afterCr = false;
                i++;
            } else {
                int cr = in.indexOf(i, end, (byte) '\r');
                int stop = cr < 0 ? end : cr;
                if (in.indexOf(i, stop, (byte) '\n') >= 0) {
                    bareLineEnd = true;
                    return;
                }
                i = stop;
                if (cr >= 0) {
                    afterCr = true;
                    i++;
                }
            }
        }
    }

    /// Whether a bare CR or LF was seen, a CR at the very end included when the message `isEnded`.
    public boolean hasBareLineEnd(boolean isEnded) {
        return bareLineEnd || (isEnded && afterCr);
    }
}
