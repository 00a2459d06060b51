package org.malote.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

final class AuthenticatorTest {
    private static final PasswordHash.Cost CHEAP = new PasswordHash.Cost(64, 1, 1);
    private static final User ANN =
            new User(
                    "ann",
                    PasswordHash.of("secret", CHEAP, new Random(1)),
                    ScramVerifier.of("secret", 4096, new Random(1)),
                    Set.of(),
                    null,
                    List.of());
    private static final User SCRAM_ONLY =
            new User("bob", null, ANN.verifier(), Set.of(), null, List.of());

    private final Deque<Runnable> hashes = new ArrayDeque<>();
    private final List<Duration> delays = new ArrayList<>();
    private final List<Answer> answers = new ArrayList<>();
    private int hashesMax = Integer.MAX_VALUE;
    private long nowNanos;
    private InetAddress uncounted = address("192.0.2.99");
    private final Authenticator authenticator =
            new Authenticator(
                    () ->
                            new AuthSettings(
                                    null,
                                    Set.of(Mechanism.values()),
                                    3,
                                    2,
                                    Duration.ofMinutes(10),
                                    Duration.ofSeconds(1)),
                    () -> new Users(List.of(ANN, SCRAM_ONLY)),
                    client -> client.equals(uncounted),
                    new AuthEnvironment(
                            task -> {
                                if (hashes.size() >= hashesMax) {
                                    throw new RejectedExecutionException();
                                }
                                hashes.add(task);
                            },
                            (delay, task) -> {
                                delays.add(delay);
                                task.run();
                            },
                            () -> nowNanos,
                            new Random(2)));

    @Test
    void aPasswordIsTriedOnTheExecutor() {
        ask("192.0.2.1", "ann", "secret");
        assertEquals(List.of(), answers);
        hash();
        assertEquals(List.of(new Answer.Proven(ANN)), answers);
        assertEquals(List.of(), delays);
    }

    /// Whatever is wrong, one hash of the same cost is made, and the answer comes late.
    @Test
    void whatIsWrongCannotBeTold() {
        int asked = 0;
        for (String[] wrong :
                new String[][] {
                    {"ann", "Secret"},
                    {"nobody", "secret"},
                    {"bob", "secret"},
                    {"a b", "secret"},
                    {"ann", "sec\u0000ret"},
                    {"", "secret"}
                }) {
            ask("192.0.2." + ++asked, wrong[0], wrong[1]);
            assertEquals(1, hashes.size(), wrong[0]);
            hash();
            assertInstanceOf(Answer.Refused.class, answers.getLast(), wrong[0]);
            assertEquals(asked, delays.size());
        }
        assertEquals(CHEAP, new Users(List.of(ANN)).nobody().cost());
        assertEquals(new Answer.Refused(ANN), answers.getFirst());
        assertEquals(new Answer.Refused(null), answers.get(1));
    }

    @Test
    void aFullExecutorIsNotTheUsersFault() {
        hashesMax = 0;
        for (int i = 0; i < 5; i++) {
            ask("192.0.2.1", "ann", "secret");
            assertEquals(new Answer.Busy(), answers.getLast());
        }
        hashesMax = 1;
        ask("192.0.2.1", "ann", "secret");
        hash();
        assertEquals(new Answer.Proven(ANN), answers.getLast());
    }

    @Test
    void aNetworkThatFailsTooOftenIsNotHeard() {
        for (int i = 0; i < 2; i++) {
            ask("192.0.2.1", "ann", "wrong");
            hash();
        }
        ask("192.0.2.1", "ann", "secret");
        assertEquals(new Answer.Blocked(), answers.getLast());
        assertEquals(0, hashes.size(), "nothing is tried");
        ask("192.0.2.2", "ann", "secret");
        hash();
        assertEquals(new Answer.Proven(ANN), answers.getLast(), "the neighbour is heard");
        nowNanos += Duration.ofMinutes(10).toNanos();
        ask("192.0.2.1", "ann", "secret");
        hash();
        assertEquals(new Answer.Proven(ANN), answers.getLast(), "it is forgotten");
    }

    /// Who has one right password cannot try others without end.
    @Test
    void aSuccessForgivesNothing() {
        ask("192.0.2.1", "ann", "wrong");
        hash();
        ask("192.0.2.1", "ann", "secret");
        hash();
        ask("192.0.2.1", "ann", "wrong");
        hash();
        ask("192.0.2.1", "ann", "secret");
        assertEquals(new Answer.Blocked(), answers.getLast());
    }

    /// Else many sessions could try many passwords before the first has failed.
    @Test
    void asManyAreTriedAtOnceAsMayFail() {
        ask("192.0.2.1", "ann", "secret");
        ask("192.0.2.1", "ann", "secret");
        ask("192.0.2.1", "ann", "secret");
        assertEquals(List.of(new Answer.Busy()), answers);
        hash();
        hash();
        assertEquals(new Answer.Proven(ANN), answers.getLast());
    }

    @Test
    void inIpv6ACustomerIsANetwork() {
        for (int i = 0; i < 2; i++) {
            ask("2001:db8:0:1" + i + "::1", "ann", "wrong");
            hash();
        }
        ask("2001:db8:0:1f::9", "ann", "secret");
        assertEquals(new Answer.Blocked(), answers.getLast());
        ask("2001:db8:0:200::1", "ann", "secret");
        hash();
        assertEquals(new Answer.Proven(ANN), answers.getLast());
    }

    @Test
    void aRelayNetworkHasManyUsers() {
        uncounted = address("192.0.2.1");
        for (int i = 0; i < 9; i++) {
            ask("192.0.2.1", "ann", "wrong");
            hash();
        }
        ask("192.0.2.1", "ann", "secret");
        hash();
        assertEquals(new Answer.Proven(ANN), answers.getLast());
    }

    /// RFC 5802 §5.1: a salt does not tell whether the name is there.
    @Test
    void aVerifierOfNobodyLooksLikeOneOfSomebody() {
        Answer.Verifiable known = verifiable("ANN");
        Answer.Verifiable one = verifiable("nobody");
        Answer.Verifiable again = verifiable("Nobody");
        Answer.Verifiable other = verifiable("nobody2");
        Answer.Verifiable none = verifiable("a b");
        assertEquals(ANN, known.user());
        for (Answer.Verifiable each : List.of(one, again, other, none)) {
            assertNull(each.user());
            assertEquals(known.verifier().iterations(), each.verifier().iterations());
            assertEquals(known.verifier().saltOctets(), each.verifier().saltOctets());
        }
        assertEquals(one.verifier().saltText(), again.verifier().saltText());
        assertNotEquals(one.verifier().saltText(), other.verifier().saltText());
        assertNotEquals(one.nonce(), again.nonce());
        assertEquals(24, one.nonce().length());
    }

    /// A proof that is right, for a user that has gone meanwhile or never was.
    @Test
    void aProofForNobodyIsRefused() {
        Claim.Proof proof = ScramExchangeTest.proof(null);
        assertTrue(proof.isRight());
        authenticator.decide(address("192.0.2.1"), proof, answers::add);
        authenticator.decide(
                address("192.0.2.1"),
                ScramExchangeTest.proof(ScramExchangeTest.USER),
                answers::add);
        assertEquals(
                List.of(new Answer.Refused(null), new Answer.Proven(ScramExchangeTest.USER)),
                answers);
    }

    private void ask(String client, String name, String password) {
        authenticator.decide(address(client), new Claim.Password(name, password), answers::add);
    }

    private Answer.Verifiable verifiable(String name) {
        authenticator.decide(address("192.0.2.1"), new Claim.Verifier(name), answers::add);
        return assertInstanceOf(Answer.Verifiable.class, answers.getLast());
    }

    private void hash() {
        hashes.remove().run();
    }

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
