package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TunePlanTest {
    @Test
    void keepsToItsTimeWhateverItIs() {
        for (int seconds = TunePlan.SECONDS_MIN; seconds <= TunePlan.SECONDS_MAX; seconds++) {
            for (int processors : new int[] {1, 2, 3, 64}) {
                TunePlan plan = TunePlan.of(seconds, processors);
                assertEquals(seconds, plan.seconds(), 0.001);
                assertEquals(TuneJvm.usual(processors), plan.trials().getFirst());
            }
        }
    }

    @Test
    void triesEverythingTwiceAndTheSecondTimeBackwards() {
        List<TuneJvm> trials = TunePlan.of(TunePlan.SECONDS_DEFAULT, 4).trials();
        assertEquals(TuneJvm.candidates(4), trials.subList(0, trials.size() / 2));
        assertEquals(trials.reversed(), trials);
        assertEquals(
                List.of(
                        "as usual",
                        "G1 collector",
                        "pooled allocator",
                        "Serial collector",
                        "8 event loops",
                        "2 event loops",
                        "headers of 12 bytes"),
                TuneJvm.candidates(4).stream().map(jvm -> jvm.text(4)).toList());
    }

    @Test
    void triesTheUsualAloneWhenThereIsNoTime() {
        assertEquals(List.of(TuneJvm.usual(2)), TunePlan.of(TunePlan.SECONDS_MIN, 2).trials());
    }

    @Test
    void doesNotHalveOneProcessor() {
        List<TuneJvm> one = TuneJvm.candidates(1);
        assertEquals(one.size(), new HashSet<>(one).size());
        assertTrue(one.stream().allMatch(jvm -> jvm.processors() > 0));
    }
}
