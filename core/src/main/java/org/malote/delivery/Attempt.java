package org.malote.delivery;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeHeader;
import org.malote.amtp.MailPolicyCode;
import org.malote.queue.ClaimedRecipient;
import org.malote.smtp.MailParameters;
import org.malote.smtp.RecipientParameters;

/// One try for some recipients of one message over the hops of their destination, in order. What a
/// host refuses for now, and what it does not finish, goes to the next one. Belongs to the agent
/// thread.
///
/// Hops of AMTP may be followed by hops of SMTP. Those are for who reached no host of AMTP: what
/// one has answered stands, be it for now or for good, since policy must not be got round.
final class Attempt {
    /// Connections that turn out to be closed by the host before they are used. Ours: beyond that,
    /// it is no accident of timing.
    private static final int UNHEARD_MAX = 3;

    private final String sender;
    private final Message message;
    private final List<Hop> hops;
    private final ConnectionPool pool;
    private final ConnectionPool.Site site;
    private final int recipientsPerTransactionMax;
    private final Consumer<AttemptResult> done;

    private final List<ClaimedRecipient> all;
    private final Map<Integer, OutboundTransaction.To> addressed = new HashMap<>();
    private final Map<Integer, RecipientOutcome> outcomes = new HashMap<>();

    /// What secured the connection of each outcome.
    private final Map<Integer, String> security = new HashMap<>();

    /// Those that a host of AMTP spoke of, or for: what it says is not got round by SMTP.
    private final Set<Integer> heardOf = new HashSet<>();

    /// For the hop being tried, and for the one after it.
    private Deque<ClaimedRecipient> here = new ArrayDeque<>();

    private Deque<ClaimedRecipient> next = new ArrayDeque<>();
    private int hop;
    private int unheard;

    /// What is sent.
    ///
    /// @param parameters those of MAIL, with the size of the message as it is in the queue
    /// @param body the message as it is in the queue
    /// @param code its Mail Policy Code, null when it has none
    /// @param amtpCode the code that hosts of AMTP are told; null: none of the hops is one
    /// @param isFromPublicAmtp whether it came over a public connection of AMTP
    record Message(
            MailParameters parameters,
            BodySource body,
            @Nullable MailPolicyCode code,
            @Nullable MailPolicyCode amtpCode,
            boolean isFromPublicAmtp) {
        /// draft-weinman-amtp-03 §5.1 would not have it go on at all. Where the operator lets it,
        /// whoever reads it is told that who brings it now is accountable to nobody.
        private static final byte[] MARK =
                "X-AMTP-Left: smtp\r\n".getBytes(StandardCharsets.US_ASCII);

        /// The message for a host. draft-weinman-amtp-03 §4.4.4: to a host of AMTP the code goes
        /// with MAIL, and never as a header; on relay by another protocol it is a header.
        ///
        /// Deviation: a host of another protocol that offers codes is told by MAIL too. It keeps
        /// the code with the envelope, and would have to refuse the header.
        OutboundTransaction to(
                Protocol protocol,
                HostFacts facts,
                String sender,
                List<OutboundTransaction.To> recipients) {
            MailPolicyCode told = protocol == Protocol.AMTP ? amtpCode : code;
            int added = added(protocol, facts).length;
            return new OutboundTransaction(
                    sender,
                    added == 0 ? parameters : parameters.withSize(parameters.sizeOctets() + added),
                    isParameter(protocol, facts) ? told : null,
                    recipients);
        }

        /// Its octets for the same host.
        BodySource body(Protocol protocol, HostFacts facts) {
            return body.after(added(protocol, facts));
        }

        private static boolean isParameter(Protocol protocol, HostFacts facts) {
            return protocol == Protocol.AMTP || facts.codeKeyword() != null;
        }

        /// What we put before the message.
        private byte[] added(Protocol protocol, HostFacts facts) {
            byte[] header =
                    isParameter(protocol, facts) ? new byte[0] : CodeHeader.of(code, "\r\n");
            if (!isFromPublicAmtp || protocol != Protocol.SMTP) {
                return header;
            }
            byte[] both = Arrays.copyOf(MARK, MARK.length + header.length);
            System.arraycopy(header, 0, both, MARK.length, header.length);
            return both;
        }
    }

    /// @param hops at least one; all of them are tried
    /// @param done told once, on the agent
    /// @throws IllegalArgumentException when an address or a parameter is not fit for a command
    Attempt(
            String sender,
            Message message,
            List<ClaimedRecipient> recipients,
            List<Hop> hops,
            ConnectionPool pool,
            ConnectionPool.Site site,
            int recipientsPerTransactionMax,
            Consumer<AttemptResult> done) {
        this.sender = sender;
        this.message = message;
        this.all = recipients;
        this.hops = hops;
        this.pool = pool;
        this.site = site;
        this.recipientsPerTransactionMax = recipientsPerTransactionMax;
        this.done = done;
        for (ClaimedRecipient recipient : recipients) {
            addressed.put(
                    recipient.index(),
                    new OutboundTransaction.To(
                            recipient.index(),
                            recipient.recipient().address(),
                            RecipientParameters.fromAttributes(
                                    recipient.recipient().attributes())));
        }
        // Fails now or never, while no connection is held.
        var _ =
                new OutboundTransaction(
                        sender, message.parameters(), null, List.copyOf(addressed.values()));
    }

    void start() {
        here.addAll(all);
        goOn();
    }

    private void goOn() {
        if (here.isEmpty()) {
            here = next;
            next = new ArrayDeque<>();
            hop++;
            if (hop < hops.size() && hops.get(hop).protocol() != Protocol.AMTP) {
                here.removeIf(one -> heardOf.contains(one.index()));
            }
        }
        if (here.isEmpty() || hop >= hops.size()) {
            List<AttemptResult.Entry> entries = new ArrayList<>(all.size());
            for (ClaimedRecipient recipient : all) {
                RecipientOutcome outcome = outcomes.get(recipient.index());
                if (outcome == null) {
                    throw new IllegalStateException("a recipient was tried nowhere");
                }
                entries.add(
                        new AttemptResult.Entry(
                                recipient.index(), outcome, security.get(recipient.index())));
            }
            done.accept(new AttemptResult(entries));
            return;
        }
        pool.acquire(hops.get(hop), site, this::onLease);
    }

    private void onLease(ConnectionPool.Lease lease) {
        switch (lease) {
            case ConnectionPool.Unavailable(Failure failure, boolean isUnreached) -> {
                if (!isUnreached) {
                    hearOf(here);
                }
                giveUpHere(failure.ofHost());
                goOn();
            }
            case ConnectionPool.Leased(ConnectionPool.Connection connection, boolean isReused) ->
                    transact(connection, isReused);
        }
    }

    private void transact(ConnectionPool.Connection connection, boolean isReused) {
        int said = connection.facts().recipientsMax();
        int max =
                said == 0
                        ? recipientsPerTransactionMax
                        : Math.min(said, recipientsPerTransactionMax); // RFC 9422 §4
        List<ClaimedRecipient> group = new ArrayList<>();
        List<OutboundTransaction.To> to = new ArrayList<>();
        while (group.size() < max && !here.isEmpty()) {
            ClaimedRecipient recipient = here.removeFirst();
            group.add(recipient);
            OutboundTransaction.To address = addressed.get(recipient.index());
            if (address == null) {
                throw new IllegalStateException("every recipient has its address");
            }
            to.add(address);
        }
        Protocol protocol = hops.get(hop).protocol();
        HostFacts facts = connection.facts();
        hearOf(group);
        connection.begin(
                message.to(protocol, facts, sender, to),
                message.body(protocol, facts),
                end -> {
                    pool.release(connection, end.afterwards());
                    group.forEach(one -> security.put(one.index(), connection.security()));
                    onEnd(group, end, isReused);
                });
    }

    private void onEnd(List<ClaimedRecipient> group, OutboundHandler.End end, boolean isReused) {
        if (end.isUnheard() && isReused && unheard++ < UNHEARD_MAX) {
            // The host let an idle connection go as we took it: that says nothing of the message.
            for (int i = group.size() - 1; i >= 0; i--) {
                here.addFirst(group.get(i));
            }
            goOn();
            return;
        }
        boolean someWereTaken =
                end.outcomes().stream().anyMatch(RecipientOutcome.Delivered.class::isInstance);
        Failure ofSession = null;
        for (int i = 0; i < group.size(); i++) {
            ClaimedRecipient recipient = group.get(i);
            RecipientOutcome outcome = end.outcomes().get(i);
            if (outcome instanceof RecipientOutcome.Failed(Failure failure)) {
                if (someWereTaken && Trouble.isTooManyRecipients(failure)) {
                    here.addLast(recipient); // RFC 5321 §4.5.3.1.10: in another transaction
                    continue;
                }
                if (failure.scope() == FailureScope.SESSION) {
                    ofSession = failure;
                }
                fail(recipient, failure);
            } else {
                outcomes.put(recipient.index(), outcome);
            }
        }
        if (ofSession != null) {
            hearOf(here);
            giveUpHere(ofSession);
        }
        goOn();
    }

    private void hearOf(Collection<ClaimedRecipient> recipients) {
        if (hops.get(hop).protocol() == Protocol.AMTP) {
            recipients.forEach(one -> heardOf.add(one.index()));
        }
    }

    /// Nobody else is tried at this hop.
    private void giveUpHere(Failure failure) {
        while (!here.isEmpty()) {
            fail(here.removeFirst(), failure);
        }
    }

    /// A failure for now, or one of this host alone, leaves the next host to try. If one of them
    /// may succeed later, so may the recipient.
    private void fail(ClaimedRecipient recipient, Failure failure) {
        boolean isFinal =
                failure.isPermanent()
                        && switch (failure.scope()) {
                            case SESSION, HOST -> false;
                            case MESSAGE, RECIPIENT -> true;
                        };
        RecipientOutcome before = outcomes.get(recipient.index());
        boolean maySucceedLater =
                before instanceof RecipientOutcome.Failed(Failure earlier)
                        && !earlier.isPermanent();
        if (isFinal || !failure.isPermanent() || !maySucceedLater) {
            outcomes.put(recipient.index(), new RecipientOutcome.Failed(failure));
        }
        if (!isFinal) {
            next.addLast(recipient);
        }
    }
}
