package org.malote.policy;

import java.util.List;
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
/// bounce could reach them. The relay networks are not asked, and a name server that does not
/// answer refuses nobody.
public final class NullMxPolicy implements Policy {
    private static final Reply NULL_MX =
            Reply.of(550, "5.7.27", "the sender's domain takes no mail (null MX)");

    private final Policy next;
    private final RelaySettings relay;
    private final Dns dns;

    /// @param next asked first; only a sender that it accepts is looked up
    public NullMxPolicy(Policy next, RelaySettings relay, Dns dns) {
        this.next = next;
        this.relay = relay;
        this.dns = dns;
    }

    @Override
    public void decide(Peer peer, Question question, Consumer<Verdict> answer) {
        if (question instanceof Question.MaySend(_, ReversePath.Sender(var mailbox), _)
                && mailbox.host() instanceof DomainName domain
                && !relay.contains(peer.address())) {
            next.decide(
                    peer,
                    question,
                    verdict -> {
                        if (verdict instanceof Verdict.Accept) {
                            dns.lookup(
                                    domain.text(),
                                    RecordType.MX,
                                    mx -> answer.accept(isNull(mx) ? refusal() : verdict));
                        } else {
                            answer.accept(verdict);
                        }
                    });
        } else {
            next.decide(peer, question, answer);
        }
    }

    private static Verdict refusal() {
        return new Verdict.Refuse(NULL_MX);
    }

    /// RFC 7505 §3: a single record with the root as its exchange.
    private static boolean isNull(DnsAnswer answer) {
        return answer instanceof DnsAnswer.Records(List<DnsRecord> records, _, _)
                && records.size() == 1
                && records.getFirst() instanceof DnsRecord.Mx(_, String exchange)
                && exchange.equals(".");
    }
}
