package org.malote.offload;

import io.netty.handler.ssl.OpenSslSessionTicketKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/// The keys that seal session tickets (RFC 5077 §4, RFC 8446 §4.6.1): the newest seals, the older
/// ones still open until the sessions they sealed are too old.
///
/// Not thread-safe: [TlsContexts] guards it.
final class TicketKeys {
    /// More keys than this slow the search for one in each resumption, and mean that the settings
    /// are wrong.
    static final int KEYS_MAX = 16;

    private final SecureRandom random;
    private final Duration interval;
    private final Duration lifetime;
    private final Deque<Aged> keys = new ArrayDeque<>();

    TicketKeys(Duration interval, Duration lifetime, SecureRandom random, Instant now) {
        this.random = random;
        this.interval = interval;
        this.lifetime = lifetime;
        keys.addFirst(make(now));
    }

    /// How many keys are kept at the same time.
    static long keysKept(Duration interval, Duration lifetime) {
        return 2 + (lifetime.toNanos() - 1) / interval.toNanos();
    }

    /// Makes a new key when the newest is as old as the interval, and drops those whose last
    /// session has ended.
    ///
    /// @return whether the keys changed
    boolean rotate(Instant now) {
        boolean changed = false;
        if (!now.isBefore(keys.getFirst().bornAt().plus(interval))) {
            keys.addFirst(make(now));
            changed = true;
        }
        // A key sealed its last session when its successor was born.
        Instant successorBornAt = null;
        for (Iterator<Aged> each = keys.iterator(); each.hasNext(); ) {
            Aged key = each.next();
            if (successorBornAt != null && !now.isBefore(successorBornAt.plus(lifetime))) {
                each.remove();
                changed = true;
            }
            successorBornAt = key.bornAt();
        }
        return changed;
    }

    /// The newest first, as the engine wants them.
    OpenSslSessionTicketKey[] current() {
        return keys.stream().map(Aged::key).toArray(OpenSslSessionTicketKey[]::new);
    }

    private Aged make(Instant now) {
        return new Aged(
                now,
                new OpenSslSessionTicketKey(
                        bytes(OpenSslSessionTicketKey.NAME_SIZE),
                        bytes(OpenSslSessionTicketKey.HMAC_KEY_SIZE),
                        bytes(OpenSslSessionTicketKey.AES_KEY_SIZE)));
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private record Aged(Instant bornAt, OpenSslSessionTicketKey key) {}
}
