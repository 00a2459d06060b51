package org.malote.queue;

/// The name of one message, unique for the life of a spool: the number of the epoch (one per start)
/// that took it, then its place among the messages begun in that epoch. An identifier that was
/// given out is never given again, whether or not its message was kept.
///
/// @param value the epoch in the upper bits, the sequence in the lower [#SEQUENCE_BITS]; never
///     negative
public record MessageId(long value) implements Comparable<MessageId> {
    /// 2^40 messages an epoch: 34 years at a thousand a second.
    static final int SEQUENCE_BITS = 40;

    /// 2^23 starts: one every minute for 15 years.
    static final int EPOCH_MAX = (1 << (Long.SIZE - 1 - SEQUENCE_BITS)) - 1;

    static final long SEQUENCE_MAX = (1L << SEQUENCE_BITS) - 1;

    /// Lower case without vowels (no accidental words) and without 0, 1 and l (which are taken for
    /// one another over the telephone).
    private static final String ALPHABET = "23456789bcdfghjkmnpqrstvwxyz";

    /// 28^14 is above 2^63.
    private static final int LENGTH_MAX = 14;

    public MessageId {
        if (value < 0) {
            throw new IllegalArgumentException("a message id is never negative");
        }
    }

    static MessageId of(int epoch, long sequence) {
        if (epoch < 0 || epoch > EPOCH_MAX || sequence < 0 || sequence > SEQUENCE_MAX) {
            throw new IllegalArgumentException(
                    "the epoch or the sequence is out of the range of a message id; start with a new spool"
                            + " directory");
        }
        return new MessageId(((long) epoch << SEQUENCE_BITS) | sequence);
    }

    int epoch() {
        return (int) (value >>> SEQUENCE_BITS);
    }

    /// Reads what [#toString()] wrote.
    ///
    /// @throws IllegalArgumentException when the text is not a message id
    public static MessageId parse(String text) {
        if (text.isEmpty() || text.length() > LENGTH_MAX) {
            throw notAnId(text);
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = ALPHABET.indexOf(text.charAt(i));
            if (digit < 0 || value > (Long.MAX_VALUE - digit) / ALPHABET.length()) {
                throw notAnId(text);
            }
            value = value * ALPHABET.length() + digit;
        }
        var id = new MessageId(value);
        // One message has one name: no leading zero digits.
        if (text.length() > 1 && text.charAt(0) == ALPHABET.charAt(0)) {
            throw notAnId(text);
        }
        return id;
    }

    private static IllegalArgumentException notAnId(String text) {
        String shown = text.length() > LENGTH_MAX ? text.substring(0, LENGTH_MAX) + "..." : text;
        return new IllegalArgumentException(
                "\"" + shown + "\" is not a message id; `queue list` shows the ids");
    }

    @Override
    public int compareTo(MessageId other) {
        return Long.compare(value, other.value);
    }

    /// Short and lower case, from a fixed alphabet; [#parse(String)] reads it back.
    @Override
    public String toString() {
        char[] digits = new char[LENGTH_MAX];
        int at = LENGTH_MAX;
        long rest = value;
        do {
            digits[--at] = ALPHABET.charAt((int) (rest % ALPHABET.length()));
            rest /= ALPHABET.length();
        } while (rest != 0);
        return new String(digits, at, LENGTH_MAX - at);
    }
}
