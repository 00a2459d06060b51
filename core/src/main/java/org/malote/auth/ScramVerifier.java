package org.malote.auth;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// What a server keeps to verify a password by SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), as
/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`: the form that other servers keep it in,
/// too.
/// Who steals it can try passwords at the cost of the iterations, which is less than that of a
/// [PasswordHash]; but cannot log in with it.
public final class ScramVerifier {
    /// Of a new one: RFC 7677 §4 asks for a tenth of a second of the client's time, and for 4096 at
    /// least.
    public static final int USUAL_ITERATIONS = 100_000;

    private static final int ITERATIONS_MIN = 4096; // RFC 7677 §4

    /// Ours: ten seconds of a client's time.
    private static final int ITERATIONS_MAX = 10_000_000;

    static final int SALT_OCTETS = 16;
    private static final int SALT_OCTETS_MIN = 8;
    private static final int SALT_OCTETS_MAX = 64;
    private static final int KEY_OCTETS = 32;

    private static final Pattern FORM =
            Pattern.compile(
                    "SCRAM-SHA-256\\$([0-9]{1,8}):([A-Za-z0-9+/=]{1,100})"
                            + "\\$([A-Za-z0-9+/=]{1,100}):([A-Za-z0-9+/=]{1,100})");

    private final int iterations;
    private final byte[] salt;
    private final byte[] storedKey;
    private final byte[] serverKey;

    ScramVerifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {
        this.iterations = iterations;
        this.salt = salt;
        this.storedKey = storedKey;
        this.serverKey = serverKey;
    }

    /// Makes one of a password.
    ///
    /// @param password prepared
    public static ScramVerifier of(String password, int iterations, RandomGenerator random) {
        byte[] salt = new byte[SALT_OCTETS];
        random.nextBytes(salt);
        return of(password, iterations, salt);
    }

    static ScramVerifier of(String password, int iterations, byte[] salt) {
        byte[] saltedPassword = saltedPassword(password, iterations, salt);
        byte[] clientKey = hmac(saltedPassword, "Client Key");
        return new ScramVerifier(
                iterations, salt, sha256(clientKey), hmac(saltedPassword, "Server Key"));
    }

    /// Reads the form.
    ///
    /// @return null for what is none
    public static @Nullable ScramVerifier parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            return null;
        }
        int iterations = Integer.parseInt(form.group(1));
        try {
            byte[] salt = Base64.getDecoder().decode(form.group(2));
            byte[] storedKey = Base64.getDecoder().decode(form.group(3));
            byte[] serverKey = Base64.getDecoder().decode(form.group(4));
            boolean isFit =
                    iterations >= ITERATIONS_MIN
                            && iterations <= ITERATIONS_MAX
                            && salt.length >= SALT_OCTETS_MIN
                            && salt.length <= SALT_OCTETS_MAX
                            && storedKey.length == KEY_OCTETS
                            && serverKey.length == KEY_OCTETS;
            return isFit ? new ScramVerifier(iterations, salt, storedKey, serverKey) : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    int iterations() {
        return iterations;
    }

    int saltOctets() {
        return salt.length;
    }

    /// Base64.
    String saltText() {
        return Base64.getEncoder().encodeToString(salt);
    }

    /// RFC 5802 §3: whether a client's proof is of the password that this was made of.
    boolean accepts(String authMessage, byte[] proof) {
        byte[] signature = hmac(storedKey, authMessage);
        if (proof.length != signature.length) {
            return false;
        }
        byte[] clientKey = new byte[KEY_OCTETS];
        for (int i = 0; i < KEY_OCTETS; i++) {
            clientKey[i] = (byte) (proof[i] ^ signature[i]);
        }
        return MessageDigest.isEqual(sha256(clientKey), storedKey);
    }

    /// RFC 5802 §3: by which the client knows that the server has this.
    String serverSignature(String authMessage) {
        return Base64.getEncoder().encodeToString(hmac(serverKey, authMessage));
    }

    /// The form in the file.
    public String text() {
        Base64.Encoder base64 = Base64.getEncoder();
        return "SCRAM-SHA-256$"
                + iterations
                + ":"
                + base64.encodeToString(salt)
                + "$"
                + base64.encodeToString(storedKey)
                + ":"
                + base64.encodeToString(serverKey);
    }

    /// Nothing that could be tried against a list of passwords.
    @Override
    public String toString() {
        return "a SCRAM-SHA-256 verifier";
    }

    private static byte[] saltedPassword(String password, int iterations, byte[] salt) {
        PBEKeySpec key =
                new PBEKeySpec(password.toCharArray(), salt, iterations, KEY_OCTETS * Byte.SIZE);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(key)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has PBKDF2", e);
        } finally {
            key.clearPassword();
        }
    }

    static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HMAC", e);
        }
    }

    private static byte[] sha256(byte[] octets) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(octets);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
