package org.malote.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;

/// How many recipients wait for each destination, by the age of their message: what qshape(1) of
/// Postfix shows. A queue in good health is young; one destination that grows old is a problem of
/// its own, all of them growing old is one of ours.
public final class QueueShape {
    /// The columns, as qshape(1) has them: below so many minutes; the last is everything older.
    private static final int[] BUCKET_MINUTES = {5, 10, 20, 40, 80, 160, 320, 640, 1280};

    private static final long MINUTE_MILLIS = 60_000;

    private final Map<String, long[]> counts = new HashMap<>();

    /// The upper ends of the columns but the last, in minutes.
    public static List<Integer> bucketMinutes() {
        return Arrays.stream(BUCKET_MINUTES).boxed().toList();
    }

    /// Counts what is in the queue.
    static QueueShape of(Stream<QueueEntry> entries, long nowMillis) {
        QueueShape shape = new QueueShape();
        entries.forEach(entry -> shape.add(entry, nowMillis));
        return shape;
    }

    private void add(QueueEntry entry, long nowMillis) {
        int bucket = bucket(nowMillis - entry.acceptedAtMillis());
        for (QueuedRecipient recipient : entry.recipients()) {
            switch (recipient.state()) {
                case WAITING, ACTIVE, HELD ->
                        counts.computeIfAbsent(
                                        recipient.recipient().destination(),
                                        _ -> new long[BUCKET_MINUTES.length + 1])[bucket]++;
                case DELIVERED, FAILED -> {}
            }
        }
    }

    private static int bucket(long ageMillis) {
        int bucket = 0;
        while (bucket < BUCKET_MINUTES.length
                && ageMillis >= BUCKET_MINUTES[bucket] * MINUTE_MILLIS) {
            bucket++;
        }
        return bucket;
    }

    /// One object for each destination, the largest first: `destination`, `total`, and `ages` with
    /// a count for each column.
    List<ObjectNode> lines() {
        return counts.entrySet().stream()
                .map(entry -> line(entry.getKey(), entry.getValue()))
                .sorted(
                        Comparator.comparingLong((ObjectNode line) -> -line.path("total").asLong())
                                .thenComparing(line -> line.path("destination").asText()))
                .toList();
    }

    private static ObjectNode line(String destination, long[] ages) {
        ObjectNode line = JsonNodeFactory.instance.objectNode();
        line.put("destination", destination);
        long total = 0;
        for (long count : ages) {
            total += count;
        }
        line.put("total", total);
        ArrayNode array = line.putArray("ages");
        for (long count : ages) {
            array.add(count);
        }
        return line;
    }
}
