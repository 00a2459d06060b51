package org.malote.dns;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Answers until they are too old, the least recently used dropped first. Not for several threads.
final class AnswerCache {
    /// What an entry costs beside the octets of its message: the map's node, the question, the
    /// answer's objects. Reckoned, with 16-octet headers.
    private static final int ENTRY_OCTETS = 160;

    private final int octetsMax;
    private final LinkedHashMap<Question, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
    private int octets;

    AnswerCache(int octetsMax) {
        this.octetsMax = octetsMax;
    }

    private record Entry(DnsAnswer answer, long expiresNanos, int octets) {}

    @Nullable DnsAnswer find(Question question, long nowNanos) {
        Entry entry = entries.get(question);
        if (entry == null) {
            return null;
        }
        if (entry.expiresNanos() - nowNanos <= 0) {
            entries.remove(question);
            octets -= entry.octets();
            return null;
        }
        return entry.answer();
    }

    void keep(
            Question question, DnsAnswer answer, long nowNanos, long ttlNanos, int messageOctets) {
        Entry old = entries.remove(question);
        if (old != null) {
            octets -= old.octets();
        }
        int cost = messageOctets + ENTRY_OCTETS;
        if (ttlNanos <= 0 || cost > octetsMax) {
            return;
        }
        entries.put(question, new Entry(answer, nowNanos + ttlNanos, cost));
        octets += cost;
        Iterator<Map.Entry<Question, Entry>> oldest = entries.entrySet().iterator();
        while (octets > octetsMax) {
            octets -= oldest.next().getValue().octets();
            oldest.remove();
        }
    }

    int size() {
        return entries.size();
    }
}
