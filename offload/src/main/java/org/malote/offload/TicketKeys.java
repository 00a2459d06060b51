package org.malote.offload;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Which ticket keys there are at an instant: one that seals, the next, which is known before it is
/// used, and older ones that still open until the sessions they sealed are too old.
///
/// Immutable.
///
/// @param keys in any order; ours are at least two
public record TicketKeys(List<TicketKey> keys) {
    /// More keys than this slow the search for one in each resumption, and mean that the settings
    /// are wrong.
    static final int KEYS_MAX = 16;

    private static final Comparator<TicketKey> NEWEST_FIRST =
            Comparator.comparing(TicketKey::sealsFrom).reversed();

    /// @throws IllegalArgumentException when there is none
    public TicketKeys {
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("no ticket key");
        }
        keys = keys.stream().sorted(NEWEST_FIRST).toList();
    }

    /// The first two of a server that has none.
    static TicketKeys first(Duration interval, SecureRandom random, Instant now) {
        return new TicketKeys(
                List.of(TicketKey.make(now, random), TicketKey.make(now.plus(interval), random)));
    }

    /// How many keys are kept at the same time.
    static long keysKept(Duration interval, Duration lifetime) {
        return 3 + (lifetime.toNanos() - 1) / interval.toNanos();
    }

    /// The keys of a later instant: a new one when the next has begun to seal, without those whose
    /// last session has ended.
    ///
    /// @return this when nothing changes
    TicketKeys at(Instant now, Duration interval, Duration lifetime, SecureRandom random) {
        List<TicketKey> next = new ArrayList<>(keys);
        Instant newest = next.getFirst().sealsFrom();
        boolean isChanged = false;
        if (!now.isBefore(newest.plus(interval))) {
            // Nobody was there to make the one that should seal by now.
            next.addFirst(TicketKey.make(now, random));
            newest = now;
            isChanged = true;
        }
        if (!now.isBefore(newest)) {
            next.addFirst(TicketKey.make(newest.plus(interval), random));
            isChanged = true;
        }
        // A key sealed its last session when its successor began.
        for (int i = next.size() - 1; i > 0; i--) {
            if (!now.isBefore(next.get(i - 1).sealsFrom().plus(lifetime))) {
                next.remove(i);
                isChanged = true;
            }
        }
        return isChanged ? new TicketKeys(next) : this;
    }

    /// These and those of another server, or of another time.
    TicketKeys with(TicketKeys others) {
        List<TicketKey> all = new ArrayList<>(keys);
        for (TicketKey other : others.keys) {
            if (all.stream().noneMatch(other::isSame)) {
                all.add(other);
            }
        }
        return all.size() == keys.size() ? this : new TicketKeys(all);
    }

    /// The one that seals first, as the engine wants them.
    List<TicketKey> forEngine(Instant now) {
        List<TicketKey> ordered = new ArrayList<>(keys);
        TicketKey seals = sealing(now);
        if (seals != null) {
            ordered.remove(seals);
            ordered.addFirst(seals);
        }
        return ordered;
    }

    private @Nullable TicketKey sealing(Instant now) {
        for (TicketKey key : keys) {
            if (!now.isBefore(key.sealsFrom())) {
                return key;
            }
        }
        return null; // a clock that went back: the oldest is as good as any
    }
}
