package org.malote.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.ReverseDns;
import org.malote.amtp.Shortcoming;
import org.malote.auth.User;
import org.malote.queue.Refusal;
import org.malote.session.Greeting;
import org.malote.session.Question;
import org.malote.session.Transaction;
import org.malote.session.Verdict;
import org.malote.smtp.Command;
import org.malote.smtp.DomainName;
import org.malote.smtp.MailParameters;
import org.malote.smtp.ReversePath;
import org.malote.smtp.wire.CommandParser;

/// P12: no form of address gets mail relayed for a stranger.
final class RelayPolicyTest {
    private static final Greeting GREETING = new Greeting(new DomainName("peer.example"), true);
    private Greeting greeting = GREETING;
    private final RelayPolicy policy =
            new RelayPolicy(
                    new DomainName("mx.example"),
                    RelaySettings.defaults(),
                    "routed.example"::equals,
                    "stored.example"::equals,
                    octets -> octets > 1000 ? Refusal.NO_SPACE : null);

    @Test
    void takesMailForRoutedDomainsFromAnyone() throws UnknownHostException {
        for (String path :
                new String[] {
                    "<a@routed.example>",
                    "<a@ROUTED.Example>",
                    "<\"a b\"@routed.example>",
                    "<@x.example,@y.example:a@routed.example>",
                    "<postmaster>",
                    "<postmaster@mx.example>",
                    "<Postmaster@[192.0.2.25]>"
                }) {
            assertInstanceOf(Verdict.Accept.class, verdict("203.0.113.9", path), path);
        }
    }

    @Test
    void relaysForNoStranger() throws UnknownHostException {
        for (String path :
                new String[] {
                    "<a@other.example>",
                    "<a%other.example@routed.example>",
                    "<other.example!a@routed.example>",
                    "<\"a@other.example\"@routed.example>",
                    "<@routed.example:a@other.example>",
                    "<a@sub.routed.example>",
                    "<a@routed.example.other.example>",
                    "<a@[192.0.2.25]>",
                    "<a@[198.51.100.1]>",
                    "<a@[IPv6:2001:db8::25]>",
                    "<a@mx.example>",
                    "<postmaster@other.example>",
                    "<\"postmaster@other.example\"@mx.example>",
                    "<\":include:/etc/passwd\"@routed.example>"
                }) {
            assertEquals(
                    550,
                    assertInstanceOf(Verdict.Refuse.class, verdict("203.0.113.9", path), path)
                            .reply()
                            .code(),
                    path);
        }
        for (String path :
                new String[] {
                    "<a@routed.example@other.example>",
                    "<a@routed.example.>",
                    "<a>",
                    "<a@routed.example,b@other.example>",
                    "<a@other.example\\0@routed.example>",
                    "<a@routed.example:25>",
                    "<|cat@routed.example >"
                }) {
            assertInstanceOf(Command.Malformed.class, CommandParser.parse("RCPT TO:" + path), path);
        }
    }

    @Test
    void relaysForItsOwnNetworks() throws UnknownHostException {
        assertInstanceOf(Verdict.Accept.class, verdict("127.0.0.9", "<a@other.example>"));
        assertInstanceOf(Verdict.Accept.class, verdict("::1", "<a%b@other.example>"));
    }

    /// RFC 6409 §4.3: wherever they are.
    @Test
    void relaysForItsUsers() throws UnknownHostException {
        User ann = new User("ann", null, null, Set.of(), null, List.of());
        greeting = new Greeting(new DomainName("peer.example"), true, HopIdentity.UNKNOWN, ann);
        assertInstanceOf(Verdict.Accept.class, verdict("203.0.113.9", "<a@other.example>"));
        assertInstanceOf(Verdict.Accept.class, verdict("203.0.113.9", "<a%b@other.example>"));
    }

    /// Draft-weinman-amtp-03 §5.1: not even for a relay network, nor for who is verified.
    @Test
    void relaysNothingOnwardFromAPublicNetwork() throws UnknownHostException {
        for (String client : new String[] {"203.0.113.9", "127.0.0.9"}) {
            Peer peer = peer(client, RelayReach.INWARD);
            for (HopNetwork network : HopNetwork.values()) {
                HopIdentity verified = identity(network, null);
                assertEquals(550, code(peer, verified, "<a@routed.example>"));
                assertEquals(550, code(peer, verified, "<a@other.example>"));
                assertEquals(250, code(peer, verified, "<postmaster>"));
            }
        }
    }

    /// Draft-weinman-amtp-03 §7: who is verified there, and nobody else.
    @Test
    void relaysForVerifiedMembersOfAPrivateNetworkAlone() throws UnknownHostException {
        Peer peer = peer("203.0.113.9", RelayReach.OF_MEMBERS);
        assertEquals(250, code(peer, identity(HopNetwork.PRIVATE, null), "<a@other.example>"));
        assertEquals(
                550,
                code(
                        peer,
                        identity(HopNetwork.PRIVATE, Shortcoming.OTHER_NAME),
                        "<a@other.example>"));
        assertEquals(550, code(peer, identity(HopNetwork.PUBLIC, null), "<a@other.example>"));
        assertEquals(550, code(peer, HopIdentity.UNKNOWN, "<a@other.example>"));
        assertEquals(
                550,
                code(
                        peer("203.0.113.9", RelayReach.USUAL),
                        identity(HopNetwork.PRIVATE, null),
                        "<a@other.example>"));
    }

    private static HopIdentity identity(HopNetwork network, @Nullable Shortcoming shortcoming) {
        return new HopIdentity(
                network, "peer.example", "CN=x", new ReverseDns.Unasked(), shortcoming);
    }

    private static Peer peer(String client, RelayReach reach) throws UnknownHostException {
        return new Peer(
                new InetSocketAddress(InetAddress.getByName(client), 40000),
                InetAddress.getByName("192.0.2.25"),
                reach);
    }

    /// @return 250, or the code of the refusal
    private int code(Peer peer, HopIdentity identity, String path) {
        Command.Rcpt rcpt =
                assertInstanceOf(Command.Rcpt.class, CommandParser.parse("RCPT TO:" + path), path);
        AtomicReference<Verdict> answer = new AtomicReference<>();
        policy.decide(
                peer,
                new Question.MayReceive(
                        new Greeting(new DomainName("peer.example"), true, identity),
                        new Transaction(
                                ReversePath.NULL, MailParameters.NONE, CodeClaim.NONE, List.of()),
                        rcpt.to(),
                        rcpt.parameters()),
                answer::set);
        return answer.get() instanceof Verdict.Refuse(var reply) ? reply.code() : 250;
    }

    @Test
    void asksTheQueueBeforeATransactionOpens() throws UnknownHostException {
        Question small =
                new Question.MaySend(
                        GREETING, ReversePath.NULL, MailParameters.NONE, CodeClaim.NONE);
        Command.Mail big = (Command.Mail) CommandParser.parse("MAIL FROM:<> SIZE=1001");
        assertInstanceOf(Verdict.Accept.class, decide("203.0.113.9", small));
        assertEquals(
                452,
                assertInstanceOf(
                                Verdict.Refuse.class,
                                decide(
                                        "203.0.113.9",
                                        new Question.MaySend(
                                                GREETING,
                                                big.from(),
                                                big.parameters(),
                                                CodeClaim.NONE)))
                        .reply()
                        .code());
    }

    private Verdict verdict(String client, String path) throws UnknownHostException {
        Command.Rcpt rcpt =
                assertInstanceOf(Command.Rcpt.class, CommandParser.parse("RCPT TO:" + path), path);
        return decide(
                client,
                new Question.MayReceive(
                        greeting,
                        new Transaction(
                                ReversePath.NULL, MailParameters.NONE, CodeClaim.NONE, List.of()),
                        rcpt.to(),
                        rcpt.parameters()));
    }

    private Verdict decide(String client, Question question) throws UnknownHostException {
        AtomicReference<Verdict> answer = new AtomicReference<>();
        policy.decide(
                new Peer(
                        new InetSocketAddress(InetAddress.getByName(client), 40000),
                        InetAddress.getByName("192.0.2.25")),
                question,
                answer::set);
        return answer.get();
    }
}
