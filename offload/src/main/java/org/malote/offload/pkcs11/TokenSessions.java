package org.malote.offload.pkcs11;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.malote.offload.KeyUnavailable;
import org.malote.offload.Secrets;
import org.malote.offload.SignatureScheme;
import org.malote.offload.SigningPool;
import org.malote.offload.TlsProblems;

/// Opens sessions at the token of one key, logs in, finds the key, and signs.
final class TokenSessions implements SigningPool.Sessions<TokenSessions.Session> {
    private final Pkcs11Uri uri;
    private final Pkcs11Module module;
    private final PublicKey publicKey;
    private final SecureRandom random;

    /// @param generation of the module, with which it ends
    /// @param handle of the session
    /// @param key the handle of the private key
    /// @param mechanisms of the token
    /// @param wantsPinAlways whether each signature needs the PIN
    record Session(
            long generation, long handle, long key, Set<Long> mechanisms, boolean wantsPinAlways) {}

    /// Enters the module, which [#close] leaves.
    TokenSessions(Pkcs11Uri uri, Pkcs11Module module, PublicKey publicKey, SecureRandom random) {
        this.uri = uri;
        this.module = module;
        this.publicKey = publicKey;
        this.random = random;
        module.enter();
    }

    @Override
    public Session open(boolean isAiling) throws Exception {
        module.start();
        long generation = module.generation();
        try {
            return module.call(generation, cryptoki -> open(cryptoki, generation));
        } catch (Pkcs11Exception | TlsProblems e) {
            if (!isAiling) {
                throw e;
            }
            // A token that was gone is found again only by the module's own beginning.
            module.restart(generation);
            long next = module.generation();
            return module.call(next, cryptoki -> open(cryptoki, next));
        }
    }

    private Session open(Cryptoki cryptoki, long generation)
            throws Pkcs11Exception, TlsProblems, KeyUnavailable {
        long slot = slot(cryptoki);
        Cryptoki.TokenInfo token = cryptoki.tokenInfo(slot);
        long handle = cryptoki.openSession(slot);
        boolean isOpened = false;
        try {
            if (token.isLoginRequired()) {
                login(cryptoki, handle, token);
            }
            long key = find(cryptoki, handle, token);
            Session session =
                    new Session(
                            generation,
                            handle,
                            key,
                            cryptoki.mechanisms(slot),
                            cryptoki.isAlwaysAuthenticated(handle, key));
            requireMechanisms(session.mechanisms(), token);
            isOpened = true;
            return session;
        } finally {
            if (!isOpened) {
                closeQuietly(cryptoki, handle);
            }
        }
    }

    /// A token that was found before is looked for where it was: the one in the next slot may hang.
    private long slot(Cryptoki cryptoki) throws Pkcs11Exception, TlsProblems {
        Long before = module.slots().get(uri.text());
        if (before != null) {
            try {
                if (uri.fits(cryptoki.tokenInfo(before))) {
                    return before;
                }
            } catch (Pkcs11Exception _) {
                // It may be in another slot by now.
            }
        }
        long found = search(cryptoki);
        module.slots().put(uri.text(), found);
        return found;
    }

    private long search(Cryptoki cryptoki) throws Pkcs11Exception, TlsProblems {
        List<Long> fitting = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        for (long slot : cryptoki.slots()) {
            Cryptoki.TokenInfo info = cryptoki.tokenInfo(slot);
            labels.add("\"" + info.label() + "\"");
            if (uri.fits(info)) {
                fitting.add(slot);
            }
        }
        if (fitting.size() != 1) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "%s token of the module %s fits key %s: it has %s",
                            fitting.isEmpty() ? "no" : "more than one",
                            uri.module(),
                            uri.shortText(),
                            labels.isEmpty() ? "none" : String.join(", ", labels)));
        }
        return fitting.getFirst();
    }

    /// Once for all sessions of a token, so most find themselves logged in.
    private void login(Cryptoki cryptoki, long session, Cryptoki.TokenInfo token)
            throws Pkcs11Exception, TlsProblems, KeyUnavailable {
        Path file = uri.pinFile();
        if (file == null) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "the token \"%s\" of key %s wants a PIN: add ?pin-source=file:/PATH to the key",
                            token.label(), uri.shortText()));
        }
        Pkcs11Module.Logins logins = module.logins(token);
        synchronized (logins) {
            FileTime written = lastModified(file);
            if (logins.isRefused(file, written)) {
                throw new KeyUnavailable(
                        String.format(
                                "the token \"%s\" refused the PIN of %s: correct the file",
                                token.label(), file));
            }
            byte[] pin = Secrets.read(file);
            try {
                if (token.isLocked() || token.isLastTry()) {
                    // Only a login that succeeds clears it; ours must not be the one that locks.
                    throw new KeyUnavailable(
                            String.format(
                                    "the PIN of token \"%s\" is %s: log in by hand first",
                                    token.label(),
                                    token.isLocked() ? "locked" : "before its last try"));
                }
                cryptoki.login(session, Cryptoki.CKU_USER, pin);
            } catch (Pkcs11Exception e) {
                if (e.code() == Pkcs11Exception.USER_ALREADY_LOGGED_IN) {
                    return;
                }
                if (e.code() == Pkcs11Exception.PIN_INCORRECT
                        || e.code() == Pkcs11Exception.PIN_LOCKED) {
                    logins.refuse(file, written);
                    throw Pkcs11Uri.problem(
                            String.format(
                                    "the token \"%s\" refused the PIN of %s (%s): correct the file",
                                    token.label(), file, Pkcs11Exception.name(e.code())));
                }
                throw e;
            } finally {
                Arrays.fill(pin, (byte) 0);
            }
        }
    }

    private static FileTime lastModified(Path file) throws TlsProblems {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException _) {
            throw Pkcs11Uri.problem(
                    String.format("the PIN file %s is not there: create it, mode 600", file));
        }
    }

    private long find(Cryptoki cryptoki, long session, Cryptoki.TokenInfo token)
            throws Pkcs11Exception, TlsProblems {
        boolean isRsa = publicKey instanceof RSAPublicKey;
        List<Cryptoki.Attribute> template = new ArrayList<>();
        template.add(Cryptoki.Attribute.of(Cryptoki.CKA_CLASS, Cryptoki.CKO_PRIVATE_KEY));
        template.add(
                Cryptoki.Attribute.of(
                        Cryptoki.CKA_KEY_TYPE, isRsa ? Cryptoki.CKK_RSA : Cryptoki.CKK_EC));
        String object = uri.object();
        if (object != null) {
            template.add(
                    new Cryptoki.Attribute(
                            Cryptoki.CKA_LABEL, object.getBytes(StandardCharsets.UTF_8)));
        }
        String id = uri.id();
        if (id != null) {
            template.add(new Cryptoki.Attribute(Cryptoki.CKA_ID, HexFormat.of().parseHex(id)));
        }
        long[] found = cryptoki.find(session, template.toArray(Cryptoki.Attribute[]::new), 2);
        if (found.length != 1) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "the token \"%s\" has %s private %s key for %s: name one with object= or id=",
                            token.label(),
                            found.length == 0 ? "no" : "more than one",
                            isRsa ? "RSA" : "EC",
                            uri.shortText()));
        }
        return found[0];
    }

    private void requireMechanisms(Set<Long> mechanisms, Cryptoki.TokenInfo token)
            throws TlsProblems {
        boolean isFit =
                publicKey instanceof ECPublicKey
                        ? mechanisms.contains(Cryptoki.CKM_ECDSA)
                        : mechanisms.contains(Cryptoki.CKM_RSA_X_509)
                                || (mechanisms.contains(Cryptoki.CKM_RSA_PKCS_PSS)
                                        && mechanisms.contains(Cryptoki.CKM_RSA_PKCS));
        if (!isFit) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "the token \"%s\" of key %s has not the mechanisms that TLS needs (%s): use"
                                    + " another kind of key, or another token",
                            token.label(),
                            uri.shortText(),
                            publicKey instanceof ECPublicKey
                                    ? "CKM_ECDSA"
                                    : "CKM_RSA_PKCS_PSS and CKM_RSA_PKCS, or CKM_RSA_X_509"));
        }
    }

    /// A signature as TLS carries it.
    byte[] sign(Session session, SignatureScheme scheme, byte[] message) throws Exception {
        byte[] pin = null;
        Path file = uri.pinFile();
        if (session.wantsPinAlways() && file != null) {
            pin = Secrets.read(file);
        }
        try {
            byte[] forToken = pin;
            return module.call(
                    session.generation(),
                    cryptoki -> {
                        Operation operation = operation(session.mechanisms(), scheme, message);
                        return cryptoki.sign(
                                session.handle(),
                                session.key(),
                                operation.mechanism,
                                operation.parameters,
                                forToken,
                                operation.data);
                    });
        } finally {
            if (pin != null) {
                Arrays.fill(pin, (byte) 0);
            }
        }
    }

    /// What a token is asked for.
    private static final class Operation {
        private final long mechanism;
        private final long[] parameters;
        private final byte[] data;

        private Operation(long mechanism, long[] parameters, byte[] data) {
            this.mechanism = mechanism;
            this.parameters = parameters;
            this.data = data;
        }
    }

    private Operation operation(Set<Long> mechanisms, SignatureScheme scheme, byte[] message) {
        SignatureScheme.Digest digest = scheme.digest();
        if (!(publicKey instanceof RSAPublicKey rsa)) {
            return new Operation(Cryptoki.CKM_ECDSA, NO_PARAMETERS, digest.of(message));
        }
        int modulusBits = rsa.getModulus().bitLength();
        if (scheme.isPss()) {
            return mechanisms.contains(Cryptoki.CKM_RSA_PKCS_PSS)
                    ? new Operation(
                            Cryptoki.CKM_RSA_PKCS_PSS, pssParameters(digest), digest.of(message))
                    : new Operation(
                            Cryptoki.CKM_RSA_X_509,
                            NO_PARAMETERS,
                            RsaPadding.pss(digest, message, modulusBits, random));
        }
        return mechanisms.contains(Cryptoki.CKM_RSA_PKCS)
                ? new Operation(
                        Cryptoki.CKM_RSA_PKCS,
                        NO_PARAMETERS,
                        RsaPadding.digestInfo(digest, message))
                : new Operation(
                        Cryptoki.CKM_RSA_X_509,
                        NO_PARAMETERS,
                        RsaPadding.pkcs1(digest, message, modulusBits));
    }

    private static final long[] NO_PARAMETERS = {};

    /// CK_RSA_PKCS_PSS_PARAMS: CKM_SHA..., CKG_MGF1_SHA..., the salt's length.
    private static long[] pssParameters(SignatureScheme.Digest digest) {
        return switch (digest) {
            case SHA256 -> new long[] {0x250, 2, digest.bytes()};
            case SHA384 -> new long[] {0x260, 3, digest.bytes()};
            case SHA512 -> new long[] {0x270, 4, digest.bytes()};
        };
    }

    @Override
    public void close(Session session) {
        try {
            boolean _ =
                    module.call(
                            session.generation(),
                            cryptoki -> {
                                closeQuietly(cryptoki, session.handle());
                                return true;
                            });
        } catch (Pkcs11Exception | TlsProblems | KeyUnavailable _) {
            // It has ended with its generation.
        }
    }

    private static void closeQuietly(Cryptoki cryptoki, long session) {
        try {
            cryptoki.closeSession(session);
        } catch (Pkcs11Exception _) {
            // It was broken before.
        }
    }

    @Override
    public void close() {
        module.leave();
    }
}
