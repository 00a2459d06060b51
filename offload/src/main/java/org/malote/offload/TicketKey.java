package org.malote.offload;

import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;

/// A key that seals session tickets: a name by which tickets say what sealed them, a MAC key and a
/// cipher key, 16 octets each (RFC 5077 §4).
public final class TicketKey {
    /// Of the three together.
    public static final int BYTES =
            OpenSslSessionTicketKey.NAME_SIZE
                    + OpenSslSessionTicketKey.HMAC_KEY_SIZE
                    + OpenSslSessionTicketKey.AES_KEY_SIZE;

    private final Instant sealsFrom;
    private final byte[] secret;

    /// @param sealsFrom when it begins to seal. It opens what it sealed from the start, which lets
    ///     it be known to all who share it before the first ticket
    /// @param secret of [#BYTES]
    /// @throws IllegalArgumentException when it is shorter or longer
    public TicketKey(Instant sealsFrom, byte[] secret) {
        if (secret.length != BYTES) {
            throw new IllegalArgumentException(
                    "a ticket key has " + BYTES + " octets, not " + secret.length);
        }
        this.sealsFrom = sealsFrom;
        this.secret = secret.clone();
    }

    static TicketKey make(Instant sealsFrom, SecureRandom random) {
        byte[] secret = new byte[BYTES];
        random.nextBytes(secret);
        return new TicketKey(sealsFrom, secret);
    }

    /// When it begins to seal.
    public Instant sealsFrom() {
        return sealsFrom;
    }

    byte[] secret() {
        return secret.clone();
    }

    boolean isSame(TicketKey other) {
        return MessageDigest.isEqual(secret, other.secret);
    }

    OpenSslSessionTicketKey forEngine() {
        int macAt = OpenSslSessionTicketKey.NAME_SIZE;
        int cipherAt = macAt + OpenSslSessionTicketKey.HMAC_KEY_SIZE;
        return new OpenSslSessionTicketKey(
                Arrays.copyOfRange(secret, 0, macAt),
                Arrays.copyOfRange(secret, macAt, cipherAt),
                Arrays.copyOfRange(secret, cipherAt, BYTES));
    }
}
