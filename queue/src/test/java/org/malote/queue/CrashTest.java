package org.malote.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Whatever is done and however often the power is cut: each accepted recipient is delivered,
/// failed, removed, or in the queue; what was recorded as delivered is not attempted again.
final class CrashTest {
    private static final int RECIPIENTS_MAX = 4;

    private static final class Model {
        final Map<MessageId, Set<Integer>> open = new HashMap<>();
        final Set<MessageId> held = new HashSet<>();
    }

    @Test
    void losesNothingThroughRandomCrashes() throws IOException {
        for (int seed = 0; seed < 60; seed++) {
            run(seed);
        }
    }

    private static void run(int seed) throws IOException {
        var random = new Random(seed);
        var model = new Model();
        try (var spool = new MemorySpool()) {
            MailQueue queue = spool.open();
            var claims = new ArrayList<Claim>();
            for (int step = 0; step < 120; step++) {
                switch (random.nextInt(10)) {
                    case 0, 1, 2 -> {
                        var addresses = new String[1 + random.nextInt(RECIPIENTS_MAX)];
                        var all = new HashSet<Integer>();
                        for (int i = 0; i < addresses.length; i++) {
                            addresses[i] = "r" + i + "@d" + random.nextInt(3) + ".example";
                            all.add(i);
                        }
                        int size = random.nextInt(8) == 0 ? 300 << 10 : 100;
                        MessageId id =
                                Mail.accept(queue, Mail.to(addresses), Mail.random(step, size));
                        model.open.put(id, all);
                    }
                    case 3, 4, 5 -> {
                        Claim claim = queue.claim(spool.nowMillis());
                        if (claim != null) {
                            claims.add(claim);
                            Set<Integer> open = model.open.get(claim.messageId());
                            for (ClaimedRecipient recipient : claim.recipients()) {
                                assertTrue(
                                        open != null && open.contains(recipient.index()),
                                        "seed " + seed + ": attempted again");
                                assertTrue(
                                        !model.held.contains(claim.messageId()),
                                        "seed " + seed + ": attempted though held");
                            }
                        }
                    }
                    case 6, 7 -> {
                        if (!claims.isEmpty()) {
                            settle(random, spool, model, claims.removeFirst());
                        }
                    }
                    case 8 -> operate(random, queue, model);
                    default -> {
                        spool.advance(java.time.Duration.ofMinutes(random.nextInt(10)));
                        if (random.nextInt(3) == 0) {
                            claims.clear();
                            queue.close();
                            queue = spool.reopenAfterPowerCut(MemorySpool.settings());
                        }
                    }
                }
                check(seed, queue, model);
            }
            queue.close();
        }
    }

    private static void settle(Random random, MemorySpool spool, Model model, Claim claim) {
        var settlements = new ArrayList<Settlement>();
        Set<Integer> open = model.open.getOrDefault(claim.messageId(), new HashSet<>());
        for (ClaimedRecipient recipient : claim.recipients()) {
            int index = recipient.index();
            switch (random.nextInt(3)) {
                case 0 -> {
                    settlements.add(new Settlement.Delivered(index, "250"));
                    open.remove(index);
                }
                case 1 -> {
                    settlements.add(new Settlement.Failed(index, "550"));
                    open.remove(index);
                }
                default ->
                        settlements.add(
                                new Settlement.Deferred(index, spool.nowMillis() + 60_000, "450"));
            }
        }
        if (open.isEmpty()) {
            model.open.remove(claim.messageId());
        }
        Mail.settle(claim, settlements);
    }

    private static void operate(Random random, MailQueue queue, Model model) throws IOException {
        if (model.open.isEmpty()) {
            return;
        }
        List<MessageId> ids = model.open.keySet().stream().sorted().toList();
        MessageId id = ids.get(random.nextInt(ids.size()));
        switch (random.nextInt(4)) {
            case 0 -> {
                queue.hold(Selection.of(id));
                model.held.add(id);
            }
            case 1 -> {
                queue.release(Selection.of(id));
                model.held.remove(id);
            }
            case 2 -> queue.retry(Selection.all());
            default -> {
                queue.remove(Selection.of(id));
                model.open.remove(id);
            }
        }
    }

    private static void check(int seed, MailQueue queue, Model model) {
        var actual = new HashMap<MessageId, Set<Integer>>();
        queue.list()
                .forEach(
                        entry -> {
                            var open = new HashSet<Integer>();
                            for (int i = 0; i < entry.recipients().size(); i++) {
                                RecipientState state = entry.recipients().get(i).state();
                                if (state != RecipientState.DELIVERED
                                        && state != RecipientState.FAILED) {
                                    open.add(i);
                                }
                            }
                            actual.put(entry.id(), open);
                        });
        assertEquals(model.open, actual, "seed " + seed);
        QueueStats stats = queue.stats();
        assertEquals(
                model.open.values().stream().mapToLong(Set::size).sum(),
                stats.waiting() + stats.active() + stats.held(),
                "seed " + seed);
    }
}
