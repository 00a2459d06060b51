package org.malote.auth;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.malote.offload.PeerIdentity;

/// Says who has proved to be whom: the one place where a [Claim] becomes a user. For all threads;
/// answers on any.
///
/// Nothing that can be seen from outside tells whether a name is there: a password for a user that
/// is not costs what one costs that is (RFC 5802 §7 asks the same of salts), and failures are told
/// late and in one way.
public final class Authenticator {
    /// RFC 5802 §5.1 asks for randomness that cannot be guessed. 18 octets are 24 characters.
    private static final int NONCE_OCTETS = 18;

    private static final int SECRET_OCTETS = 32;

    private static final Answer BUSY = new Answer.Busy();
    private static final Answer BLOCKED = new Answer.Blocked();

    private final Supplier<AuthSettings> settings;
    private final Supplier<Users> users;
    private final Predicate<InetAddress> isUncounted;
    private final AuthEnvironment environment;
    private final FailureMemory failures = new FailureMemory();

    /// What the salts of users are made of that are not there. It ends with the process.
    private final byte[] secret = new byte[SECRET_OCTETS];

    /// The suppliers are asked for each claim, so that what they give can be exchanged.
    ///
    /// @param isUncounted clients whose failures are not counted together, such as a web mail
    ///     server with many users
    public Authenticator(
            Supplier<AuthSettings> settings,
            Supplier<Users> users,
            Predicate<InetAddress> isUncounted,
            AuthEnvironment environment) {
        this.settings = settings;
        this.users = users;
        this.isUncounted = isUncounted;
        this.environment = environment;
        environment.random().nextBytes(secret);
    }

    /// What is configured now.
    public AuthSettings settings() {
        return settings.get();
    }

    /// Answers exactly once, now or later, on any thread. Never blocks. The session may be gone
    /// when the answer comes.
    public void decide(InetAddress client, Claim claim, Consumer<Answer> answer) {
        AuthSettings limits = settings.get();
        boolean isCounted = !isUncounted.test(client);
        if (isCounted) {
            switch (failures.begin(client, limits, environment.nanoTime().getAsLong())) {
                case OPEN -> {}
                case BUSY -> {
                    answer.accept(BUSY);
                    return;
                }
                case BLOCKED -> {
                    answer.accept(BLOCKED);
                    return;
                }
            }
        }
        Consumer<Answer> counted =
                given -> {
                    boolean isFailure = given instanceof Answer.Refused;
                    if (isCounted) {
                        failures.end(client, isFailure, limits, environment.nanoTime().getAsLong());
                    }
                    if (isFailure && !limits.failureDelay().isZero()) {
                        environment
                                .timer()
                                .after(limits.failureDelay(), () -> answer.accept(given));
                    } else {
                        answer.accept(given);
                    }
                };
        switch (claim) {
            case Claim.Password password -> verify(password, counted);
            case Claim.Verifier(var name) -> counted.accept(verifiable(name));
            case Claim.Proof proof -> counted.accept(proven(proof));
            case Claim.Certificate certificate -> counted.accept(proven(certificate));
        }
    }

    private void verify(Claim.Password claim, Consumer<Answer> answer) {
        Users now = users.get();
        String name = Prepared.userName(claim.name());
        String password = Prepared.password(claim.password());
        User user = name == null ? null : now.find(name);
        PasswordHash hash = user == null ? null : user.hash();
        try {
            environment
                    .hashing()
                    .execute(
                            () -> {
                                Answer given = BUSY;
                                try {
                                    // All that can be wrong costs the same.
                                    boolean isRight =
                                            (hash == null ? now.nobody() : hash)
                                                    .isOf(password == null ? "" : password);
                                    given =
                                            isRight
                                                            && user != null
                                                            && hash != null
                                                            && password != null
                                                    ? new Answer.Proven(user)
                                                    : new Answer.Refused(user);
                                } finally {
                                    // A session waits, whatever happens here.
                                    answer.accept(given);
                                }
                            });
        } catch (RejectedExecutionException _) {
            answer.accept(BUSY);
        }
    }

    /// RFC 5802 §5.1: the salt of a user that is not there must be the same each time.
    private Answer verifiable(String claimed) {
        Users now = users.get();
        String name = Prepared.userName(claimed);
        User user = name == null ? null : now.find(name);
        ScramVerifier verifier = user == null ? null : user.verifier();
        if (verifier == null) {
            byte[] salt =
                    Arrays.copyOf(
                            ScramVerifier.hmac(secret, "salt " + (name == null ? claimed : name)),
                            now.saltOctets());
            byte[] unknown = ScramVerifier.hmac(secret, "key " + (name == null ? claimed : name));
            verifier = new ScramVerifier(now.iterations(), salt, unknown, unknown);
        }
        byte[] nonce = new byte[NONCE_OCTETS];
        environment.random().nextBytes(nonce);
        return new Answer.Verifiable(verifier, user, Base64.getEncoder().encodeToString(nonce));
    }

    private static Answer proven(Claim.Proof claim) {
        User user = claim.verifiable().user();
        // Both are looked at, so that both take the time.
        boolean isRight = claim.isRight();
        return isRight && user != null && user.verifier() != null
                ? new Answer.Proven(user)
                : new Answer.Refused(user);
    }

    private Answer proven(Claim.Certificate claim) {
        if (!(claim.peer() instanceof PeerIdentity.Trusted peer)) {
            return new Answer.Refused(null);
        }
        if (claim.name().isEmpty()) {
            User user = users.get().of(peer, claim.network());
            return user == null ? new Answer.Refused(null) : new Answer.Proven(user);
        }
        String name = Prepared.userName(claim.name());
        User user = name == null ? null : users.get().find(name);
        return user != null && CertificateNames.vouchFor(peer, claim.network(), user)
                ? new Answer.Proven(user)
                : new Answer.Refused(user);
    }
}
