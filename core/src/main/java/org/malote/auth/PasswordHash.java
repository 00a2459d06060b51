package org.malote.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;
import org.jspecify.annotations.Nullable;

/// A password's Argon2id hash (RFC 9106), as `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`: the form
/// of
/// the reference implementation, with base64 that has no padding.
public final class PasswordHash {
    /// What a new hash costs. RFC 9106 §4 recommends 64 MiB where memory allows; a server that
    /// verifies several at a time takes the least that OWASP recommends: 19 MiB, two passes,
    /// and some 40 ms.
    public static final Cost USUAL = new Cost(19_456, 2, 1);

    /// Beyond these a line of the file would hold up the server. Ours.
    private static final int MEMORY_KIB_MAX = 256 * 1024;

    private static final int PASSES_MAX = 64;
    private static final int LANES_MAX = 16;

    private static final int SALT_OCTETS = 16; // RFC 9106 §3.1
    private static final int HASH_OCTETS = 32; // RFC 9106 §4
    private static final int SALT_OCTETS_MIN = 8; // as the reference implementation
    private static final int HASH_OCTETS_MIN = 16; // RFC 9106 §4: 128 bits

    /// Ours: nobody makes longer ones.
    private static final int OCTETS_MAX = 64;

    private static final Pattern FORM =
            Pattern.compile(
                    "\\$argon2id\\$v=19\\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})"
                            + "\\$([A-Za-z0-9+/]{1,100})\\$([A-Za-z0-9+/]{1,100})");

    private final Cost cost;
    private final byte[] salt;
    private final byte[] hash;

    private PasswordHash(Cost cost, byte[] salt, byte[] hash) {
        this.cost = cost;
        this.salt = salt;
        this.hash = hash;
    }

    /// What a hash costs to make, and to try.
    ///
    /// @param memoryKib 8 for each lane at least
    /// @param passes over the memory
    /// @param lanes that could be filled side by side
    public record Cost(int memoryKib, int passes, int lanes) {
        public Cost {
            if (lanes < 1
                    || lanes > LANES_MAX
                    || memoryKib < 8 * lanes // RFC 9106 §3.1
                    || memoryKib > MEMORY_KIB_MAX
                    || passes < 1
                    || passes > PASSES_MAX) {
                throw new IllegalArgumentException(
                        "a hash has 1 to 16 lanes, 8 KiB for each to 256 MiB, and 1 to 64 passes");
            }
        }
    }

    /// Hashes a password with a new salt.
    ///
    /// @param password prepared
    public static PasswordHash of(String password, Cost cost, RandomGenerator random) {
        byte[] salt = new byte[SALT_OCTETS];
        random.nextBytes(salt);
        return new PasswordHash(cost, salt, hash(password, cost, salt, HASH_OCTETS));
    }

    /// A hash that no password has, to be tried for a user that is not there: who asks must not
    /// learn from the time that it takes.
    static PasswordHash ofNobody(Cost cost) {
        return new PasswordHash(cost, new byte[SALT_OCTETS], new byte[HASH_OCTETS]);
    }

    /// Reads the form.
    ///
    /// @return null for what is none, or costs too much
    public static @Nullable PasswordHash parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            return null;
        }
        try {
            Cost cost =
                    new Cost(
                            Integer.parseInt(form.group(1)),
                            Integer.parseInt(form.group(2)),
                            Integer.parseInt(form.group(3)));
            byte[] salt = Base64.getDecoder().decode(form.group(4));
            byte[] hash = Base64.getDecoder().decode(form.group(5));
            boolean isFit =
                    salt.length >= SALT_OCTETS_MIN
                            && salt.length <= OCTETS_MAX
                            && hash.length >= HASH_OCTETS_MIN
                            && hash.length <= OCTETS_MAX;
            return !isFit ? null : new PasswordHash(cost, salt, hash);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /// Takes tens of milliseconds and [Cost#memoryKib] of memory: not for an event loop. The time
    /// does not depend on the password.
    boolean isOf(String password) {
        byte[] tried = hash(password, cost, salt, hash.length);
        return MessageDigest.isEqual(tried, hash);
    }

    Cost cost() {
        return cost;
    }

    /// The form in the file.
    public String text() {
        Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
        return "$argon2id$v=19$m="
                + cost.memoryKib
                + ",t="
                + cost.passes
                + ",p="
                + cost.lanes
                + "$"
                + base64.encodeToString(salt)
                + "$"
                + base64.encodeToString(hash);
    }

    /// Nothing that could be tried against a list of passwords.
    @Override
    public String toString() {
        return "an Argon2id hash";
    }

    private static byte[] hash(String password, Cost cost, byte[] salt, int octets) {
        Argon2BytesGenerator generator = new Argon2BytesGenerator();
        generator.init(
                new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                        .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                        .withMemoryAsKB(cost.memoryKib)
                        .withIterations(cost.passes)
                        .withParallelism(cost.lanes)
                        .withSalt(salt)
                        .build());
        byte[] hash = new byte[octets];
        byte[] secret = password.getBytes(StandardCharsets.UTF_8);
        generator.generateBytes(secret, hash);
        Arrays.fill(secret, (byte) 0);
        return hash;
    }
}
