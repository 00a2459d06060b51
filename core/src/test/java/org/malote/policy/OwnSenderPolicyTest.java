package org.malote.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.HopIdentity;
import org.malote.auth.User;
import org.malote.session.Greeting;
import org.malote.session.Question;
import org.malote.session.Verdict;
import org.malote.smtp.Command;
import org.malote.smtp.DomainName;
import org.malote.smtp.wire.CommandParser;

/// RFC 6409 §6.1.
final class OwnSenderPolicyTest {
    private static final User FREE = user(Set.of());
    private static final User BOUND = user(Set.of("ann@isp.example", "@xn--bcher-kva.example"));
    private final List<Question> passedOn = new ArrayList<>();

    @Test
    void refusesWhatIsAnothers() {
        for (String sender : List.of("bob@isp.example", "ann@isp.example.org", "ann@[192.0.2.1]")) {
            assertEquals(
                    "Refuse[reply=553 5.7.1 that sender is not among those of your account]",
                    decide(BOUND, sender),
                    sender);
        }
        assertEquals(List.of(), passedOn);
    }

    @Test
    void asksTheNextForEverythingElse() {
        for (String sender : List.of("ANN@isp.example", "x@xn--bcher-kva.example", "")) {
            assertEquals(Verdict.ACCEPT.toString(), decide(BOUND, sender), sender);
        }
        assertEquals(Verdict.ACCEPT.toString(), decide(FREE, "bob@isp.example"));
        assertEquals(Verdict.ACCEPT.toString(), decide(null, "bob@isp.example"));
        assertEquals(5, passedOn.size());
    }

    private String decide(@Nullable User user, String sender) {
        Command.Mail mail = (Command.Mail) CommandParser.parse("MAIL FROM:<" + sender + ">");
        List<Verdict> answers = new ArrayList<>();
        InetAddress loopback = InetAddress.getLoopbackAddress();
        new OwnSenderPolicy(
                        (_, question, answer) -> {
                            passedOn.add(question);
                            answer.accept(Verdict.ACCEPT);
                        })
                .decide(
                        new Peer(new InetSocketAddress(loopback, 40000), loopback),
                        new Question.MaySend(
                                new Greeting(
                                        new DomainName("peer.example"),
                                        true,
                                        HopIdentity.UNKNOWN,
                                        user),
                                mail.from(),
                                mail.parameters(),
                                CodeClaim.NONE),
                        answers::add);
        assertEquals(1, answers.size());
        return answers.getFirst().toString();
    }

    private static User user(Set<String> senders) {
        return new User("ann", null, null, senders, null, List.of());
    }
}
