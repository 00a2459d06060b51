package org.malote.benchmarks;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.malote.amtp.CodeClaim;
import org.malote.amtp.CodePolicies;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.PolicyDeclarations;
import org.malote.policy.MailCodePolicy;
import org.malote.policy.Peer;
import org.malote.policy.Policy;
import org.malote.session.Greeting;
import org.malote.session.Question;
import org.malote.session.Transaction;
import org.malote.session.Verdict;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Mailbox;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.ReversePath;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/// What a Mail Policy Code costs a message: its text read, and the questions of MAIL and RCPT
/// answered, on a host where the site, a thousand domains and ten thousand recipients have said
/// what they take.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class PolicyCodes {
    private static final int DOMAINS = 1_000;
    private static final int RECIPIENTS_OF_A_DOMAIN = 10;

    /// The first of all, the last, and one that is refused by the recipient below.
    @Param({"per/individual", "mpc/individual", "com/confirmed"})
    String code;

    private Policy policy;
    private Peer peer;
    private Question maySend;
    private Question mayReceive;

    @Setup
    public void make() {
        Map<String, PolicyDeclarations> domains = new HashMap<>();
        Map<Mailbox, PolicyDeclarations> recipients = new HashMap<>();
        for (int i = 0; i < DOMAINS; i++) {
            DomainName domain = domain(i);
            domains.put(domain.text(), declarations("DENY=ngo/optout"));
            for (int j = 0; j < RECIPIENTS_OF_A_DOMAIN; j++) {
                recipients.put(new Mailbox("box" + j, domain), declarations("DENY=com/confirmed"));
            }
        }
        Policy taken = (_, _, answer) -> answer.accept(Verdict.ACCEPT);
        policy =
                new MailCodePolicy(
                        taken,
                        new CodePolicies(
                                new CodeSettings(
                                        declarations("DENY=com/optout"),
                                        domains,
                                        recipients,
                                        false,
                                        ForeignHeaders.REFUSE)),
                        new DomainName("mx.test"));
        InetAddress loopback = InetAddress.getLoopbackAddress();
        peer = new Peer(new InetSocketAddress(loopback, 2525), loopback);
        var greeting = new Greeting(new DomainName("peer.example"), true);
        var sender = new ReversePath.Sender(new Mailbox("load", new DomainName("peer.example")));
        CodeClaim claim =
                switch (MailPolicyCode.parse(code)) {
                    case MailPolicyCode.Parsed.Known(var known) ->
                            new CodeClaim.Stated(known, true);
                    case MailPolicyCode.Parsed.Undefined _, MailPolicyCode.Parsed.Malformed _ ->
                            throw new IllegalArgumentException(code);
                };
        maySend = new Question.MaySend(greeting, sender, MailParameters.NONE, claim);
        mayReceive =
                new Question.MayReceive(
                        greeting,
                        new Transaction(sender, MailParameters.NONE, claim, List.of()),
                        new ForwardPath.Recipient(new Mailbox("box7", domain(DOMAINS / 2))),
                        RecipientParameters.NONE);
    }

    private static DomainName domain(int number) {
        return new DomainName("d" + number + ".isp.example");
    }

    private static PolicyDeclarations declarations(String text) {
        return switch (PolicyDeclarations.parse(text)) {
            case PolicyDeclarations.Parsed.Valid(var declarations) -> declarations;
            case PolicyDeclarations.Parsed bad -> throw new IllegalArgumentException(text + bad);
        };
    }

    @Benchmark
    public MailPolicyCode.Parsed parse() {
        return MailPolicyCode.parse(code);
    }

    /// After MAIL.
    @Benchmark
    public void maySend(Blackhole verdicts) {
        policy.decide(peer, maySend, verdicts::consume);
    }

    /// After RCPT.
    @Benchmark
    public void mayReceive(Blackhole verdicts) {
        policy.decide(peer, mayReceive, verdicts::consume);
    }
}
