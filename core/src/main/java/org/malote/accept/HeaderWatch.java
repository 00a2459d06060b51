package org.malote.accept;

import io.netty.buffer.ByteBuf;

/// Counts the Received fields of a message's header section as it streams past, over any split
/// (RFC 5321 §6.3). Looks at nothing behind the first empty line.
final class HeaderWatch {
    private static final byte[] RECEIVED = {'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd', ':'};

    /// How much of `received:` the line has matched; negative: the line does not start with it.
    private int matched;

    private boolean lineIsEmpty = true;
    private boolean isOver;
    private int received;

    void inspect(ByteBuf text, int index, int length) {
        int end = index + length;
        int i = index;
        while (i < end && !isOver) {
            if (matched < 0) {
                int lf = text.indexOf(i, end, (byte) '\n');
                if (lf < 0) {
                    return;
                }
                i = lf;
            }
            byte octet = text.getByte(i++);
            if (octet == '\n') {
                isOver = lineIsEmpty;
                lineIsEmpty = true;
                matched = 0;
            } else if (octet != '\r') {
                lineIsEmpty = false;
                match(octet);
            }
        }
    }

    int received() {
        return received;
    }

    private void match(byte octet) {
        int lower = octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet;
        if (lower != RECEIVED[matched]) {
            matched = -1;
        } else if (++matched == RECEIVED.length) {
            received++;
            matched = -1;
        }
    }
}
