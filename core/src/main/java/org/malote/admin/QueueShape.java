package org.malote.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;

/// How many recipients wait for each destination, by the age of their message: what qshape(1) of
/// Postfix shows. A queue in good health is young; one destination that grows old is a problem of
/// its own, all of them growing old is one of ours.
public final class QueueShape {
    /// Destinations that can be asked for.
    public static final int ROWS_MAX = 10_000;

    /// Destinations counted at one time. Ours: about 20 MB. With more, those that have least are
    /// counted together, and one of them that comes again begins at zero.
    private static final int DESTINATIONS_MAX = 100_000;

    /// The columns, as qshape(1) has them: below so many minutes; the last is everything older.
    private static final int[] BUCKET_MINUTES = {5, 10, 20, 40, 80, 160, 320, 640, 1280};

    private static final long MINUTE_MILLIS = 60_000;

    private final long nowMillis;
    private final int destinationsMax;
    private final Map<String, Row> rows = new HashMap<>();
    private final Row others = new Row();
    private long othersCount;

    /// @param nowMillis milliseconds since 1970
    QueueShape(long nowMillis) {
        this(nowMillis, DESTINATIONS_MAX);
    }

    QueueShape(long nowMillis, int destinationsMax) {
        this.nowMillis = nowMillis;
        this.destinationsMax = destinationsMax;
    }

    private static final class Row {
        private final int[] ages = new int[BUCKET_MINUTES.length + 1];
        private long total;

        void add(Row other) {
            for (int i = 0; i < ages.length; i++) {
                ages[i] += other.ages[i];
            }
            total += other.total;
        }
    }

    /// The upper ends of the columns but the last, in minutes.
    public static List<Integer> bucketMinutes() {
        return Arrays.stream(BUCKET_MINUTES).boxed().toList();
    }

    /// Counts those of the named recipients who still wait for something.
    ///
    /// @param recipients their places in the message
    /// @return how many that were
    int add(QueueEntry entry, int[] recipients) {
        int bucket = bucket(nowMillis - entry.acceptedAtMillis());
        int count = 0;
        for (int place : recipients) {
            QueuedRecipient recipient = entry.recipients().get(place);
            if (QueueFilter.isOpen(recipient.state())) {
                Row row = rows.computeIfAbsent(recipient.recipient().destination(), _ -> new Row());
                row.ages[bucket]++;
                row.total++;
                count++;
            }
        }
        if (rows.size() > destinationsMax) {
            keepLargest(destinationsMax / 2);
        }
        return count;
    }

    private static int bucket(long ageMillis) {
        int bucket = 0;
        while (bucket < BUCKET_MINUTES.length
                && ageMillis >= BUCKET_MINUTES[bucket] * MINUTE_MILLIS) {
            bucket++;
        }
        return bucket;
    }

    private List<Map.Entry<String, Row>> keepLargest(int count) {
        List<Map.Entry<String, Row>> sorted = new ArrayList<>(rows.entrySet());
        sorted.sort(
                Comparator.comparingLong((Map.Entry<String, Row> row) -> -row.getValue().total)
                        .thenComparing(Map.Entry::getKey));
        int kept = Math.min(count, sorted.size());
        for (Map.Entry<String, Row> row : sorted.subList(kept, sorted.size())) {
            others.add(row.getValue());
            othersCount++;
            rows.remove(row.getKey());
        }
        return sorted.subList(0, kept);
    }

    /// One object for each destination, the largest first: `destination`, `suspended`, `total`, and
    /// `ages` with a count for each column. Behind them one for the rest, with `others`, the number
    /// of destinations, in place of `destination`.
    ///
    /// @param count destinations at most
    /// @param suspended destinations that are
    List<ObjectNode> lines(int count, Set<String> suspended) {
        List<ObjectNode> lines = new ArrayList<>();
        for (Map.Entry<String, Row> row : keepLargest(count)) {
            ObjectNode line = JsonNodeFactory.instance.objectNode();
            line.put("destination", row.getKey());
            if (suspended.contains(row.getKey())) {
                line.put("suspended", true);
            }
            lines.add(figures(line, row.getValue()));
        }
        if (othersCount > 0) {
            ObjectNode line = JsonNodeFactory.instance.objectNode();
            lines.add(figures(line.put("others", othersCount), others));
        }
        return lines;
    }

    private static ObjectNode figures(ObjectNode line, Row row) {
        line.put("total", row.total);
        ArrayNode array = line.putArray("ages");
        for (int age : row.ages) {
            array.add(age);
        }
        return line;
    }
}
