package org.malote.policy;

import java.net.InetAddress;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.HopNetwork;
import org.malote.queue.Refusal;
import org.malote.session.Greeting;
import org.malote.session.Question;
import org.malote.session.Question.MayReceive;
import org.malote.session.Question.MaySend;
import org.malote.session.Replies;
import org.malote.session.Verdict;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.Mailbox;
import org.malote.smtp.Reply;

/// The rules that keep this host from being an open relay: mail for a routed domain is taken from
/// anyone, mail for any other domain from users and from the relay networks only, and from the
/// members of a private network where they are served. From a public network of AMTP it is taken
/// for
/// what stays here, from anyone. The queue is asked before a
/// transaction opens, so that a full disk is said at MAIL and not after the message came.
public final class RelayPolicy implements Policy {
    private static final Reply RELAY_DENIED =
            Reply.of(550, "5.7.1", "relaying to that domain is not allowed from your address");
    private static final Reply ONWARD_DENIED =
            Reply.of(550, "5.7.1", "mail that comes by AMTP is not relayed to that domain");
    private static final Reply ROUTED_LOCAL_PART =
            Reply.of(550, "5.7.1", "an address that routes by its local part is not taken");

    private final DomainName hostname;
    private final RelaySettings relay;
    private final Predicate<String> isRouted;
    private final @Nullable Predicate<String> isInward;
    private final LongFunction<@Nullable Refusal> admission;

    /// @param isRouted whether a route is configured for a domain, in lower case
    /// @param isInward whether mail for a domain stays here or goes on by a private connection;
    /// null
    ///     where mail that came by AMTP may go on as any other
    /// @param admission the queue's answer for a message of so many octets, 0 for unknown
    public RelayPolicy(
            DomainName hostname,
            RelaySettings relay,
            Predicate<String> isRouted,
            @Nullable Predicate<String> isInward,
            LongFunction<@Nullable Refusal> admission) {
        this.hostname = hostname;
        this.relay = relay;
        this.isRouted = isRouted;
        this.isInward = isInward;
        this.admission = admission;
    }

    @Override
    public void decide(Peer peer, Question question, Consumer<Verdict> answer) {
        answer.accept(
                switch (question) {
                    case MaySend maySend -> onSender(maySend);
                    case MayReceive mayReceive -> onRecipient(peer, mayReceive);
                });
    }

    private Verdict onSender(MaySend question) {
        Refusal refusal = admission.apply(question.parameters().sizeOctets());
        return refusal == null ? Verdict.ACCEPT : Replies.notAdmitted(refusal);
    }

    private Verdict onRecipient(Peer peer, MayReceive question) {
        return switch (question.to()) {
            // RFC 5321 §4.5.1: <Postmaster> without a domain is always taken.
            case ForwardPath.Postmaster _ -> Verdict.ACCEPT;
            case ForwardPath.Recipient(var mailbox) ->
                    onMailbox(peer, question.greeting(), mailbox);
        };
    }

    private Verdict onMailbox(Peer peer, Greeting greeting, Mailbox mailbox) {
        // Draft-weinman-amtp-03 §5.1: what came by a public connection goes out by none.
        Predicate<String> inward = peer.reach() == RelayReach.INWARD ? isInward : null;
        if (inward == null && mayRelay(peer, greeting)) {
            return Verdict.ACCEPT;
        }
        if (mailbox.isPostmaster() && isOurs(mailbox, peer.local())) {
            return Verdict.ACCEPT; // RFC 5321 §4.5.1
        }
        if (inward != null && !inward.test(mailbox.host().text())) {
            return new Verdict.Refuse(ONWARD_DENIED);
        }
        if (!isRouted.test(mailbox.host().text())) {
            return new Verdict.Refuse(RELAY_DENIED); // RFC 5321 §3.6.2, §7.1
        }
        if (routesByLocalPart(mailbox.localPart())) {
            // A next hop could read a%b, a!b or "a@b" as an address elsewhere, and relay for us.
            return new Verdict.Refuse(ROUTED_LOCAL_PART);
        }
        return Verdict.ACCEPT;
    }

    /// RFC 6409 §4.3: whom we know, and who is of our network.
    private boolean mayRelay(Peer peer, Greeting greeting) {
        return greeting.user() != null
                || relay.contains(peer.address())
                || (peer.reach() == RelayReach.OF_MEMBERS && isMember(greeting.identity()));
    }

    /// Draft-weinman-amtp-03 §7: a private network is that of our own clients, whose mail we send.
    private static boolean isMember(HopIdentity identity) {
        return identity.isVerified() && identity.network() == HopNetwork.PRIVATE;
    }

    private boolean isOurs(Mailbox mailbox, InetAddress local) {
        return switch (mailbox.host()) {
            case DomainName name -> name.equals(hostname);
            case AddressLiteral(var address) -> address.equals(local);
        };
    }

    private static boolean routesByLocalPart(String localPart) {
        for (int i = 0; i < localPart.length(); i++) {
            char c = localPart.charAt(i);
            if (c == '@' || c == '%' || c == '!' || c == ':') {
                return true;
            }
        }
        return false;
    }
}
