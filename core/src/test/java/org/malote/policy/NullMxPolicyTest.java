package org.malote.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.HopIdentity;
import org.malote.auth.User;
import org.malote.dns.DnsAnswer;
import org.malote.dns.DnsRecord;
import org.malote.dns.RecordType;
import org.malote.session.Greeting;
import org.malote.session.Question;
import org.malote.session.Verdict;
import org.malote.smtp.Command;
import org.malote.smtp.DomainName;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.CommandParser;

/// N02, the inbound half: RFC 7505 §4.2.
final class NullMxPolicyTest {
    private static final String STRANGER = "203.0.113.9";
    private static final User ANN = new User("ann", null, null, Set.of(), null, List.of());
    private static final DnsRecord NULL_MX = new DnsRecord.Mx(0, ".");

    private final List<String> asked = new ArrayList<>();
    private DnsAnswer told = new DnsAnswer.NoData();
    private Verdict relayVerdict = Verdict.ACCEPT;

    @Test
    void refusesASenderWhoseDomainTakesNoMail() throws UnknownHostException {
        told = records(NULL_MX);
        Verdict verdict = decide(STRANGER, "<a@null.example>");
        assertEquals(
                "550 5.7.27 the sender's domain takes no mail (null MX)",
                verdict instanceof Verdict.Refuse(Reply reply) ? reply.oneLine() : verdict);
        assertEquals(List.of("null.example MX"), asked);
    }

    @Test
    void takesEverythingThatIsNoNullMx() throws UnknownHostException {
        for (DnsAnswer answer :
                List.of(
                        records(new DnsRecord.Mx(0, "mx.example")),
                        // RFC 7505 §3: beside another record it means nothing
                        records(NULL_MX, new DnsRecord.Mx(10, "mx.example")),
                        new DnsAnswer.NoData(),
                        new DnsAnswer.NoSuchName(),
                        new DnsAnswer.TryLater("time-out"))) {
            told = answer;
            assertEquals(Verdict.ACCEPT, decide(STRANGER, "<a@some.example>"), answer.toString());
        }
    }

    @Test
    void looksNobodyUpWhoNeedsNoAnswer() throws UnknownHostException {
        told = records(NULL_MX);
        assertEquals(Verdict.ACCEPT, decide(STRANGER, "<>"));
        assertEquals(Verdict.ACCEPT, decide(STRANGER, "<a@[192.0.2.1]>"));
        assertEquals(Verdict.ACCEPT, decide("127.0.0.1", "<a@null.example>"));
        assertEquals(Verdict.ACCEPT, decide(STRANGER, "<a@null.example>", ANN));
        relayVerdict = new Verdict.Refuse(Reply.of(452, "4.3.1", "full"));
        assertEquals(relayVerdict, decide(STRANGER, "<a@null.example>"));
        assertEquals(List.of(), asked);
    }

    @Test
    void answersOnceAndWaitsForNoSlowNameServer() throws UnknownHostException {
        assertEquals(List.of(Verdict.ACCEPT), answers(true));
        assertInstanceOf(Verdict.Refuse.class, answers(false).getFirst());
        assertEquals(1, answers(false).size());
    }

    private List<Verdict> answers(boolean isSlow) throws UnknownHostException {
        AtomicReference<Consumer<DnsAnswer>> later = new AtomicReference<>();
        AtomicReference<Runnable> timeOut = new AtomicReference<>();
        List<Verdict> answers = new ArrayList<>();
        new NullMxPolicy(
                        (_, _, verdict) -> verdict.accept(relayVerdict),
                        RelaySettings.defaults(),
                        (_, _, answered) -> later.set(answered),
                        (_, task) -> timeOut.set(task))
                .decide(peer(STRANGER), sender("<a@slow.example>", null), answers::add);
        assertEquals(List.of(), answers);
        if (isSlow) {
            timeOut.get().run();
        }
        later.get().accept(records(NULL_MX));
        if (!isSlow) {
            timeOut.get().run();
        }
        return answers;
    }

    private static DnsAnswer records(DnsRecord... records) {
        return new DnsAnswer.Records(List.of(records), 60, false);
    }

    private @Nullable Verdict decide(String client, String path) throws UnknownHostException {
        return decide(client, path, null);
    }

    private @Nullable Verdict decide(String client, String path, @Nullable User user)
            throws UnknownHostException {
        AtomicReference<@Nullable Verdict> answer = new AtomicReference<>();
        new NullMxPolicy(
                        (_, _, verdict) -> verdict.accept(relayVerdict),
                        RelaySettings.defaults(),
                        this::lookup,
                        (_, _) -> {})
                .decide(peer(client), sender(path, user), answer::set);
        return answer.get();
    }

    private void lookup(String name, RecordType type, Consumer<DnsAnswer> answered) {
        asked.add(name + " " + type);
        answered.accept(told);
    }

    private static Peer peer(String client) throws UnknownHostException {
        return new Peer(
                new InetSocketAddress(InetAddress.getByName(client), 40000),
                InetAddress.getByName("192.0.2.25"));
    }

    private static Question sender(String path, @Nullable User user) {
        Command.Mail mail = (Command.Mail) CommandParser.parse("MAIL FROM:" + path);
        return new Question.MaySend(
                new Greeting(new DomainName("peer.example"), true, HopIdentity.UNKNOWN, user),
                mail.from(),
                mail.parameters(),
                CodeClaim.NONE);
    }
}
