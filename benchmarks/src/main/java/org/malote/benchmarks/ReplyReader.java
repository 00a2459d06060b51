package org.malote.benchmarks;

/// Tells the replies of an SMTP server apart, octet by octet; of each only the code is kept.
final class ReplyReader {
    private static final int CODE_OCTETS = 3;

    // Of the line that is being read: its first octets, and how many there were.
    private int length;
    private int code;
    private boolean isLast;

    /// @return the code of the reply that ends with this octet, or -1 when none does
    int read(byte octet) {
        if (octet == '\n') {
            int reply = isLast ? code : -1;
            length = 0;
            code = 0;
            return reply;
        }
        if (length < CODE_OCTETS) {
            code = 10 * code + (octet - '0');
        } else if (length == CODE_OCTETS) {
            isLast = octet != '-';
        }
        length++;
        return -1;
    }
}
