package org.malote.policy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.malote.dns.Dns;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.RecordType;
import org.malote.session.Question;
import org.malote.session.Verdict;
import org.malote.smtp.DomainName;
import org.malote.smtp.Reply;
import org.malote.smtp.ReversePath;

/// Refuses senders whose domain takes no mail at all (RFC 7505 §4.2): neither an answer nor a
/// bounce could reach them. Users and the relay networks are not asked. A name server that does not
/// answer
/// refuses nobody, and delays nobody for long.
public final class NullMxPolicy implements Policy {
    private static final Reply NULL_MX =
            Reply.of(550, "5.7.27", "the sender's domain takes no mail (null MX)");

    /// How long a session waits for the name server. Ours: a server that has the answer, or a path
    /// to it, gives it within a second; the peer waits five minutes (RFC 5321 §4.5.3.2.2).
    static final Duration PATIENCE = Duration.ofSeconds(5);

    /// Runs a task later, on any thread.
    public interface Timer {
        /// Runs `task` after `delay`.
        void after(Duration delay, Runnable task);
    }

    private final Policy next;
    private final RelaySettings relay;
    private final Dns dns;
    private final Timer timer;

    /// @param next asked first; only a sender that it accepts is looked up
    /// @param dns not the one of the deliveries: strangers choose what is asked here
    /// @param timer ends the waiting
    public NullMxPolicy(Policy next, RelaySettings relay, Dns dns, Timer timer) {
        this.next = next;
        this.relay = relay;
        this.dns = dns;
        this.timer = timer;
    }

    @Override
    public void decide(Peer peer, Question question, Consumer<Verdict> answer) {
        if (question
                        instanceof
                        Question.MaySend(var greeting, ReversePath.Sender(var mailbox), _, _)
                && greeting.user() == null
                && mailbox.host() instanceof DomainName domain
                && !relay.contains(peer.address())) {
            next.decide(
                    peer,
                    question,
                    verdict -> {
                        if (verdict instanceof Verdict.Accept) {
                            lookUp(domain, verdict, answer);
                        } else {
                            answer.accept(verdict);
                        }
                    });
        } else {
            next.decide(peer, question, answer);
        }
    }

    private void lookUp(DomainName domain, Verdict otherwise, Consumer<Verdict> answer) {
        AtomicBoolean isAnswered = new AtomicBoolean();
        dns.lookup(
                domain.text(),
                RecordType.MX,
                mx -> {
                    if (isAnswered.compareAndSet(false, true)) {
                        answer.accept(isNull(mx) ? new Verdict.Refuse(NULL_MX) : otherwise);
                    }
                });
        if (!isAnswered.get()) {
            timer.after(
                    PATIENCE,
                    () -> {
                        if (isAnswered.compareAndSet(false, true)) {
                            answer.accept(otherwise);
                        }
                    });
        }
    }

    /// RFC 7505 §3: a single record with the root as its exchange.
    private static boolean isNull(DnsAnswer answer) {
        return answer instanceof DnsAnswer.Records(List<DnsRecord> records, _, _)
                && records.size() == 1
                && records.getFirst() instanceof DnsRecord.Mx(_, String exchange)
                && exchange.equals(".");
    }
}
