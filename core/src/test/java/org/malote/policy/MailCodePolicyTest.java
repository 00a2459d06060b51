package org.malote.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.CodeClaim.Fault;
import org.malote.amtp.CodePolicies;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.PolicyDeclarations;
import org.malote.session.Greeting;
import org.malote.session.Question;
import org.malote.session.Replies;
import org.malote.session.Transaction;
import org.malote.session.Verdict;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Mailbox;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.Reply;
import org.malote.smtp.ReversePath;

final class MailCodePolicyTest {
    private static final Greeting GREETING = new Greeting(new DomainName("peer.example"), true);
    private static final Peer PEER =
            new Peer(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 2525),
                    InetAddress.getLoopbackAddress());
    private static final Verdict NO = new Verdict.Refuse(Reply.of(550, "5.7.1", "no relay"));
    private static final Verdict REFUSED = new Verdict.Refuse(Replies.CODE_REFUSED);
    private static final Verdict WATCHED = new Verdict.AcceptWatched(Replies.CODE_REFUSED);

    private static PolicyDeclarations declarations(String text) {
        return ((PolicyDeclarations.Parsed.Valid) PolicyDeclarations.parse(text)).declarations();
    }

    private static CodeClaim stated(boolean isEnforced) {
        return new CodeClaim.Stated(MailPolicyCode.NOTIFICATION, isEnforced);
    }

    /// What is answered when the next policy says `otherwise`.
    private static Verdict verdict(Question question, Verdict otherwise) {
        CodeSettings settings =
                new CodeSettings(
                        declarations("DENY=*/optout"),
                        Map.of(
                                "mx.example",
                                declarations("DENY=net/*"),
                                "xn--bcher-kva.example",
                                declarations("DENY=net/*")),
                        Map.of(),
                        false,
                        ForeignHeaders.REFUSE);
        List<Verdict> verdicts = new ArrayList<>();
        new MailCodePolicy(
                        (_, _, answer) -> answer.accept(otherwise),
                        new CodePolicies(settings),
                        new DomainName("mx.example"))
                .decide(PEER, question, verdicts::add);
        assertEquals(1, verdicts.size());
        return verdicts.getFirst();
    }

    private static Question mail(CodeClaim claim) {
        return new Question.MaySend(GREETING, ReversePath.NULL, MailParameters.NONE, claim);
    }

    private static Question rcpt(CodeClaim claim, ForwardPath to) {
        return new Question.MayReceive(
                GREETING,
                new Transaction(ReversePath.NULL, MailParameters.NONE, claim, List.of()),
                to,
                RecipientParameters.NONE);
    }

    private static ForwardPath at(String domain) {
        return new ForwardPath.Recipient(new Mailbox("ann", new DomainName(domain)));
    }

    @Test
    void aMessageWithoutACodeIsNotItsConcern() {
        assertEquals(Verdict.ACCEPT, verdict(mail(CodeClaim.NONE), Verdict.ACCEPT));
        assertEquals(
                Verdict.ACCEPT, verdict(rcpt(CodeClaim.NONE, at("mx.example")), Verdict.ACCEPT));
        assertEquals(NO, verdict(mail(CodeClaim.NONE), NO));
    }

    @Test
    void whatIsDeniedIsRefusedAndWhatIsNotIsAskedOn() {
        assertEquals(REFUSED, verdict(rcpt(stated(true), at("mx.example")), Verdict.ACCEPT));
        assertEquals(Verdict.ACCEPT, verdict(rcpt(stated(true), at("b.example")), Verdict.ACCEPT));
        assertEquals(NO, verdict(rcpt(stated(true), at("b.example")), NO));
    }

    /// What is watched never makes an acceptance of another's refusal.
    @Test
    void whatIsWatchedIsToldWithTheAcceptanceOfTheNext() {
        assertEquals(WATCHED, verdict(rcpt(stated(false), at("mx.example")), Verdict.ACCEPT));
        assertEquals(NO, verdict(rcpt(stated(false), at("mx.example")), NO));
        CodeClaim missing = new CodeClaim.Faulty(Fault.MISSING, false);
        assertEquals(
                new Verdict.AcceptWatched(Replies.faulty(Fault.MISSING)),
                verdict(mail(missing), Verdict.ACCEPT));
        assertEquals(Verdict.ACCEPT, verdict(rcpt(missing, at("mx.example")), Verdict.ACCEPT));
    }

    /// RFC 5321 §4.5.1.
    @Test
    void postmasterWithoutADomainIsOfOurOwn() {
        assertEquals(
                REFUSED, verdict(rcpt(stated(true), new ForwardPath.Postmaster()), Verdict.ACCEPT));
    }

    /// RFC 5890 §2.3.2.1.
    @Test
    void bothFormsOfADomainAreOne() {
        assertEquals(REFUSED, verdict(rcpt(stated(true), at("b\u00fccher.example")), NO));
        assertEquals(REFUSED, verdict(rcpt(stated(true), at("xn--bcher-kva.example")), NO));
    }
}
