package org.malote.accept;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.HeaderRule;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.TrustHeaders;
import org.malote.amtp.TrustLevel;
import org.malote.auth.User;
import org.malote.offload.TlsSummary;
import org.malote.policy.Peer;
import org.malote.queue.CommitResult;
import org.malote.queue.Envelope;
import org.malote.queue.MailQueue;
import org.malote.queue.MessageWriter;
import org.malote.queue.Recipient;
import org.malote.session.Greeting;
import org.malote.session.MessageOutcome;
import org.malote.session.SessionFacts;
import org.malote.session.Transaction;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.Mailbox;

/// Opens messages in the queue, and turns what the queue says of them into outcomes: the one place
/// where a receipt becomes the promise of RFC 5321 §6.1.
public final class Acceptance {
    /// Attributes that an envelope has beside the protocol's: where the message came from.
    public static final String CLIENT = "client";

    public static final String HELO = "helo";
    public static final String SESSION = "session";

    /// The name of the user that sent it; not there when nobody has said who that is.
    public static final String USER = "user";

    private final MailQueue queue;
    private final InstantSource clock;
    private final Supplier<TrustSettings> trust;

    /// @param trust what is told of peers to the filters behind us, now
    public Acceptance(MailQueue queue, InstantSource clock, Supplier<TrustSettings> trust) {
        this.queue = queue;
        this.clock = clock;
        this.trust = trust;
    }

    /// Begins a message: our fields are written, its octets are to follow.
    ///
    /// @param session the session's name in the log
    public MessageIntake begin(
            String session,
            SessionFacts facts,
            Peer peer,
            Arrival arrival,
            Greeting greeting,
            Transaction transaction) {
        HopIdentity identity = greeting.identity();
        TrustLevel level =
                TrustLevel.of(
                        identity, arrival.isAmtp(), facts.tls() != null, arrival.isAuthenticated());
        Map<String, String> attributes =
                new LinkedHashMap<>(transaction.parameters().toAttributes());
        HopAttributes.put(attributes, identity, level);
        if (arrival.isAmtp()) {
            identity.network().noteConnection(attributes);
        }
        Envelope envelope =
                envelope(attributes, session, facts.hostname(), peer, greeting, transaction);
        MessageWriter writer = queue.begin();
        Instant now = clock.instant();
        TrustSettings told = trust.get();
        if (told.writes(arrival.isReported())) {
            TlsSummary tls = facts.tls();
            writer.write(
                    ByteBuffer.wrap(
                            TrustHeaders.of(
                                    told.authservId(),
                                    identity,
                                    level,
                                    tls == null ? null : tls.version(),
                                    peer.address(),
                                    greeting.name(),
                                    transaction.code() instanceof CodeClaim.Stated(var code, _)
                                            ? code
                                            : null)));
        }
        writer.write(
                ByteBuffer.wrap(
                        TraceHeader.received(
                                facts, peer, greeting, transaction, writer.id(), now)));
        HeaderRule onCode = facts.codes().onHeader(transaction.code());
        return new MessageIntake(
                writer,
                envelope,
                facts.limits().messageOctetsMax(),
                facts.limits().receivedHeadersMax(),
                onCode,
                BorderFilter.of(
                        told.removes(peer.address()) ? told.authservId() : null,
                        onCode == HeaderRule.REMOVE));
    }

    /// Only here does a receipt become an outcome that the session answers with 250.
    static MessageOutcome outcome(CommitResult result) {
        return switch (result) {
            case CommitResult.Committed(var receipt) -> new MessageOutcome.Kept(receipt);
            case CommitResult.Refused(var refusal) -> new MessageOutcome.NotKept(refusal);
        };
    }

    private static Envelope envelope(
            Map<String, String> attributes,
            String session,
            DomainName hostname,
            Peer peer,
            Greeting greeting,
            Transaction transaction) {
        if (transaction.code() instanceof CodeClaim.Stated(var code, _)) {
            // draft-weinman-amtp-03 §4.4.4: with the envelope, as it came
            attributes.put(MailPolicyCode.ATTRIBUTE, code.text());
        }
        attributes.put(CLIENT, IpAddresses.format(peer.address()));
        attributes.put(HELO, greeting.name().text());
        attributes.put(SESSION, session);
        User user = greeting.user();
        if (user != null) {
            attributes.put(USER, user.name());
        }
        List<Recipient> recipients = new ArrayList<>(transaction.recipients().size());
        for (Transaction.Recipient recipient : transaction.recipients()) {
            Mailbox mailbox =
                    switch (recipient.to()) {
                        case ForwardPath.Recipient(var to) ->
                                isOurPostmaster(to, peer)
                                        ? new Mailbox("postmaster", hostname)
                                        : to;
                        case ForwardPath.Postmaster _ -> new Mailbox("postmaster", hostname);
                    };
            recipients.add(
                    new Recipient(
                            mailbox.text(),
                            mailbox.host().text(),
                            recipient.parameters().toAttributes()));
        }
        return new Envelope(transaction.from().text(), attributes, recipients);
    }

    /// RFC 5321 §4.5.1, §4.1.3: postmaster at the address that the peer connected to is ours.
    private static boolean isOurPostmaster(Mailbox to, Peer peer) {
        return to.isPostmaster()
                && to.host() instanceof AddressLiteral(var address)
                && address.equals(peer.local());
    }
}
