package org.malote.delivery;

import java.util.Collection;
import org.malote.queue.schedule.Feedback;

/// What the outcomes of an attempt say of the hosts that it was made at.
final class SiteFeedback {
    private SiteFeedback() {}

    /// One answer outweighs any failure: the site is there.
    static Feedback of(Collection<RecipientOutcome> outcomes) {
        Feedback feedback = new Feedback.None();
        for (RecipientOutcome outcome : outcomes) {
            switch (of(outcome)) {
                case Feedback.Answered answered -> {
                    return answered;
                }
                case Feedback.Failed failed -> feedback = failed;
                case Feedback.None _ -> {}
            }
        }
        return feedback;
    }

    private static Feedback of(RecipientOutcome outcome) {
        return switch (outcome) {
            case RecipientOutcome.Delivered _ -> new Feedback.Answered();
            case RecipientOutcome.Failed(Failure failure) ->
                    switch (failure.scope()) {
                        // It talked to us; what broke may be this message's fault.
                        case SESSION -> new Feedback.None();
                        // A host that will never take such mail is not down.
                        case HOST ->
                                failure.isPermanent()
                                        ? new Feedback.None()
                                        : new Feedback.Failed(failure.detail());
                        case MESSAGE, RECIPIENT ->
                                failure.host() == null
                                        ? new Feedback.None()
                                        : new Feedback.Answered();
                    };
        };
    }
}
