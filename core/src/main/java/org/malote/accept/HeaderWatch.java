package org.malote.accept;

import io.netty.buffer.ByteBuf;

/// Counts the Received fields (RFC 5321 §6.3) and sees the MPC field (draft-weinman-amtp-03 §4.4.4)
/// of a message's header section as it streams past, over any split. A name is one in any case, and
/// with blanks before its colon too (RFC 5322 §4.5).
///
/// Looks at nothing behind the first empty line. A binary message may have bare line ends (RFC 3030
/// §3), and hosts may differ on what they end: so each of them begins a line here, and none ends
/// the section.
final class HeaderWatch {
    private static final byte[] RECEIVED = {'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd'};
    private static final byte[] MPC = {'m', 'p', 'c'};

    /// Which of the names the line may start with, by its first octet.
    private boolean mayBeCode;

    /// How much of the name the line has matched; negative: it starts with none of them.
    private int matched;

    private boolean lineIsEmpty = true;
    private boolean lineBeganByCrLf = true;
    private boolean isAfterCr;
    private boolean isOver;
    private int received;
    private boolean hasCode;

    void inspect(ByteBuf text, int index, int length) {
        int end = index + length;
        int i = index;
        while (i < end && !isOver) {
            if (matched < 0) {
                int lf = text.indexOf(i, end, (byte) '\n');
                int stop = lf < 0 ? end : lf;
                if (stop > i) {
                    isAfterCr = text.getByte(stop - 1) == '\r';
                }
                if (lf < 0) {
                    return;
                }
                i = lf;
            }
            byte octet = text.getByte(i++);
            if (octet == '\n') {
                isOver = lineIsEmpty && lineBeganByCrLf && isAfterCr;
                lineIsEmpty = true;
                lineBeganByCrLf = isAfterCr;
                matched = 0;
            } else if (octet == '\r') {
                lineIsEmpty &= !isAfterCr;
            } else {
                lineIsEmpty = false;
                match(octet);
            }
            isAfterCr = octet == '\r';
        }
    }

    int received() {
        return received;
    }

    boolean hasCode() {
        return hasCode;
    }

    private void match(byte octet) {
        int lower = octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet;
        if (matched == 0) {
            mayBeCode = lower == MPC[0];
        }
        byte[] name = mayBeCode ? MPC : RECEIVED;
        if (matched < name.length) {
            matched = lower == name[matched] ? matched + 1 : -1;
        } else if (octet == ':') {
            if (mayBeCode) {
                hasCode = true;
            } else {
                received++;
            }
            matched = -1;
        } else if (octet != ' ' && octet != '\t') {
            matched = -1;
        }
    }
}
