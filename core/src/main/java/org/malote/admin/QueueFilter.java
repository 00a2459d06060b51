package org.malote.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.malote.dns.Idna;
import org.malote.queue.QueueEntry;
import org.malote.queue.QueueEntry.QueuedRecipient;
import org.malote.queue.RecipientState;
import org.malote.smtp.Ascii;

/// Which messages an operator means, and which recipients of them: those of whom everything is true
/// that is said here. What is null is not asked. In addresses and domains the case does not matter,
/// `*` stands for any characters, and U-labels and A-labels (RFC 5890 §2.3.2.1) are one. Recipients
/// that are delivered or failed are meant only when the state asks for them.
///
/// @param sender the reverse-path; the empty text is the null reverse-path
/// @param recipient the address
/// @param domain of the recipient, or its address literal
/// @param state of the recipient
/// @param olderThanMillis since the message was accepted
/// @param youngerThanMillis since the message was accepted
/// @param reply somewhere in the recipient's last reply
public record QueueFilter(
        @Nullable String sender,
        @Nullable String recipient,
        @Nullable String domain,
        @Nullable RecipientState state,
        @Nullable Long olderThanMillis,
        @Nullable Long youngerThanMillis,
        @Nullable String reply) {

    /// Everything that waits for something.
    public static final QueueFilter ALL = new QueueFilter(null, null, null, null, null, null, null);

    private static final int[] NOBODY = {};

    /// Whether it tells recipients of one message apart. What is done is then done to those whom it
    /// means, else to whole messages.
    public boolean namesRecipients() {
        return recipient != null || domain != null || state != null || reply != null;
    }

    /// The filter at one moment, with its patterns compiled once for all messages.
    ///
    /// @param nowMillis milliseconds since 1970
    Selector at(long nowMillis) {
        return new Selector(this, nowMillis);
    }

    /// Finds who is meant in one message after the other.
    static final class Selector {
        private final QueueFilter filter;
        private final long nowMillis;
        private final Predicate<String> isSender;
        private final Predicate<String> isRecipient;
        private final Predicate<String> isDomain;
        private final Predicate<String> isReply;

        private Selector(QueueFilter filter, long nowMillis) {
            this.filter = filter;
            this.nowMillis = nowMillis;
            this.isSender = likeAddress(filter.sender);
            this.isRecipient = likeAddress(filter.recipient);
            this.isDomain = likeDomain(filter.domain);
            this.isReply = like(filter.reply == null ? null : "*" + filter.reply + "*");
        }

        /// The places of the recipients that are meant, in order; none when the message is not.
        int[] select(QueueEntry entry) {
            long ageMillis = nowMillis - entry.acceptedAtMillis();
            if ((filter.olderThanMillis != null && ageMillis <= filter.olderThanMillis)
                    || (filter.youngerThanMillis != null && ageMillis >= filter.youngerThanMillis)
                    || !isSender.test(entry.sender())) {
                return NOBODY;
            }
            int[] meant = new int[entry.recipients().size()];
            int count = 0;
            for (int i = 0; i < meant.length; i++) {
                if (isMeant(entry.recipients().get(i))) {
                    meant[count++] = i;
                }
            }
            return Arrays.copyOf(meant, count);
        }

        private boolean isMeant(QueuedRecipient candidate) {
            String last = candidate.lastReply();
            return (filter.state == null
                            ? isOpen(candidate.state())
                            : filter.state == candidate.state())
                    && isRecipient.test(candidate.recipient().address())
                    && isDomain.test(candidate.recipient().destination())
                    && isReply.test(last == null ? "" : last);
        }
    }

    /// Whether something is still to be done for the recipient.
    static boolean isOpen(RecipientState state) {
        return state != RecipientState.DELIVERED && state != RecipientState.FAILED;
    }

    private static Predicate<String> likeAddress(@Nullable String pattern) {
        if (pattern == null) {
            return _ -> true;
        }
        Predicate<String> isLike = like(inALabelsBehindAt(pattern));
        return address -> isLike.test(inALabelsBehindAt(address));
    }

    private static Predicate<String> likeDomain(@Nullable String pattern) {
        if (pattern == null) {
            return _ -> true;
        }
        Predicate<String> isLike = like(inALabels(pattern));
        return domain -> isLike.test(inALabels(domain));
    }

    private static Predicate<String> like(@Nullable String pattern) {
        if (pattern == null) {
            return _ -> true;
        }
        StringJoiner regex = new StringJoiner(".*");
        for (String part : pattern.split("\\*", -1)) {
            regex.add(Pattern.quote(part));
        }
        return Pattern.compile(
                        regex.toString(),
                        Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE | Pattern.DOTALL)
                .asMatchPredicate();
    }

    private static String inALabelsBehindAt(String address) {
        int at = address.lastIndexOf('@');
        return Ascii.isAscii(address)
                ? address
                : address.substring(0, at + 1) + inALabels(address.substring(at + 1));
    }

    /// Label by label: a pattern has others than names have.
    private static String inALabels(String domain) {
        if (Ascii.isAscii(domain)) {
            return domain;
        }
        StringJoiner labels = new StringJoiner(".");
        for (String label : domain.split("\\.", -1)) {
            String ascii = Idna.toAscii(label);
            labels.add(ascii == null ? label : ascii);
        }
        return labels.toString();
    }

    /// As [#read] reads it.
    void write(ObjectNode json) {
        put(json, "sender", sender);
        put(json, "recipient", recipient);
        put(json, "domain", domain);
        put(json, "state", state == null ? null : word(state));
        put(json, "reply", reply);
        if (olderThanMillis != null) {
            json.put("olderThanMillis", olderThanMillis);
        }
        if (youngerThanMillis != null) {
            json.put("youngerThanMillis", youngerThanMillis);
        }
    }

    private static void put(ObjectNode json, String name, @Nullable String value) {
        if (value != null) {
            json.put(name, value);
        }
    }

    /// Reads one; what is not there is not asked.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    static QueueFilter read(Fields fields) {
        String state = fields.textIfAny("state");
        return new QueueFilter(
                fields.textIfAny("sender"),
                fields.textIfAny("recipient"),
                fields.textIfAny("domain"),
                state == null ? null : state(state),
                fields.countIfAny("olderThanMillis"),
                fields.countIfAny("youngerThanMillis"),
                fields.textIfAny("reply"));
    }

    /// @throws IllegalArgumentException when no recipient can be in such a state
    public static RecipientState state(String word) {
        for (RecipientState state : RecipientState.values()) {
            if (word(state).equals(word.toLowerCase(Locale.ROOT))) {
                return state;
            }
        }
        throw new IllegalArgumentException(
                "a state is one of waiting, active, held, failed, delivered, not \"" + word + "\"");
    }

    /// As an operator reads and types it.
    static String word(RecipientState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }
}
