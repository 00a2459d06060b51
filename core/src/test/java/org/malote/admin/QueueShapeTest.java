package org.malote.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.malote.queue.MessageId;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;
import org.malote.queue.Recipient;
import org.malote.queue.RecipientState;

final class QueueShapeTest {
    private static final long NOW = 10_000_000_000L;
    private static final long MINUTE = 60_000;

    @Test
    void countsWhoWaitsByDestinationAndAge() {
        QueueShape shape = new QueueShape(NOW);
        assertEquals(2, add(shape, 0, RecipientState.WAITING, "b.example", "b.example"));
        assertEquals(1, add(shape, 5 * MINUTE - 1, RecipientState.ACTIVE, "b.example"));
        assertEquals(1, add(shape, 5 * MINUTE, RecipientState.HELD, "b.example"));
        assertEquals(1, add(shape, 1280 * MINUTE, RecipientState.WAITING, "a.example"));
        assertEquals(0, add(shape, 0, RecipientState.DELIVERED, "a.example"));
        assertEquals(0, add(shape, 0, RecipientState.FAILED, "c.example"));
        assertEquals(
                List.of(
                        "{\"destination\":\"b.example\",\"suspended\":true,\"total\":4,"
                                + "\"ages\":[3,1,0,0,0,0,0,0,0,0]}",
                        "{\"destination\":\"a.example\",\"total\":1,"
                                + "\"ages\":[0,0,0,0,0,0,0,0,0,1]}"),
                lines(shape, 20, Set.of("b.example")));
    }

    @Test
    void countsTheSmallestTogether() {
        QueueShape shape = new QueueShape(NOW);
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j <= i; j++) {
                add(shape, 0, RecipientState.WAITING, i + ".example");
            }
        }
        assertEquals(
                List.of(
                        "{\"destination\":\"4.example\",\"total\":5,"
                                + "\"ages\":[5,0,0,0,0,0,0,0,0,0]}",
                        "{\"others\":4,\"total\":10,\"ages\":[10,0,0,0,0,0,0,0,0,0]}"),
                lines(shape, 1, Set.of()));
    }

    @Test
    void holdsNoMoreDestinationsThanItMayAndLosesNobody() {
        QueueShape shape = new QueueShape(NOW, 10);
        for (int i = 0; i < 1000; i++) {
            add(shape, 0, RecipientState.WAITING, "large.example", "large.example");
            add(shape, 0, RecipientState.WAITING, i + ".example");
        }
        List<ObjectNode> lines = shape.lines(1, Set.of());
        assertEquals("large.example", lines.getFirst().path("destination").asText());
        assertEquals(2000, lines.getFirst().path("total").asInt());
        assertEquals(1000, lines.getLast().path("others").asInt());
        assertEquals(1000, lines.getLast().path("total").asInt());
    }

    private static List<String> lines(QueueShape shape, int rows, Set<String> suspended) {
        return shape.lines(rows, suspended).stream().map(ObjectNode::toString).toList();
    }

    private static int add(
            QueueShape shape, long ageMillis, RecipientState state, String... destinations) {
        List<QueuedRecipient> recipients = new ArrayList<>();
        for (String destination : destinations) {
            recipients.add(
                    new QueuedRecipient(
                            new Recipient("a@" + destination, destination, Map.of()),
                            state,
                            null,
                            0,
                            0,
                            false,
                            null));
        }
        return shape.add(
                new QueueEntry(
                        new MessageId(1), "a@b.example", Map.of(), recipients, 1, NOW - ageMillis),
                IntStream.range(0, destinations.length).toArray());
    }
}
