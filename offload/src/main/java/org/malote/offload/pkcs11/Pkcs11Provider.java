package org.malote.offload.pkcs11;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.malote.offload.KeyEnvironment;
import org.malote.offload.KeyReference;
import org.malote.offload.OffloadProvider;
import org.malote.offload.OpenedKey;
import org.malote.offload.PrivateKeyOps;
import org.malote.offload.Secrets;
import org.malote.offload.SignatureScheme;
import org.malote.offload.SigningPool;
import org.malote.offload.TlsProblems;

/// Keys on PKCS#11 tokens, reached through the module's own functions, with no JCA provider in
/// between: what a module answers is seen, and a module can be initialised again.
public final class Pkcs11Provider implements OffloadProvider {
    private static final byte[] PROBE = "malote".getBytes(StandardCharsets.US_ASCII);

    /// By file. A module is one for the whole process.
    private final Map<String, Pkcs11Module> modules = new ConcurrentHashMap<>();

    @Override
    public String name() {
        return "pkcs11";
    }

    @Override
    public String describe() {
        return "keys on a PKCS#11 token or card, on threads of their own; needs a key such as"
                + " pkcs11:token=NAME;object=KEY?module-path=FILE&pin-source=file:FILE";
    }

    /// Looks at files alone: a token that hangs must not stop whoever opens. The first signature
    /// finds the rest.
    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        String location = reference.location();
        if (!location.startsWith("pkcs11:")) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "key %s is not on a token: write pkcs11:token=NAME;object=KEY, or choose provider"
                                    + " \"native\"",
                            location));
        }
        Pkcs11Uri uri = Pkcs11Uri.parse(location, environment.credentials());
        if (uri.module().startsWith("/") && !Files.isReadable(Path.of(uri.module()))) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "the PKCS#11 module %s of key %s is not there: install it, or correct module-path",
                            uri.module(), uri.shortText()));
        }
        Path pinFile = uri.pinFile();
        if (pinFile != null) {
            Arrays.fill(Secrets.read(pinFile), (byte) 0);
        }
        PublicKey publicKey = reference.certificate().getPublicKey();
        SignatureScheme usual = SignatureScheme.usual(publicKey);
        TokenSessions sessions =
                new TokenSessions(
                        uri,
                        modules.computeIfAbsent(uri.module(), Pkcs11Module::new),
                        publicKey,
                        environment.random());
        SigningPool<TokenSessions.Session> pool =
                new SigningPool<>(
                        uri.shortText(),
                        reference.limits(),
                        environment,
                        sessions,
                        session -> sessions.sign(session, usual, PROBE));
        return new OpenedKey.Offloaded(new Ops(pool, sessions, usual.family()));
    }

    private record Ops(
            SigningPool<TokenSessions.Session> pool,
            TokenSessions sessions,
            SignatureScheme.Family family)
            implements PrivateKeyOps {
        @Override
        public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
            if (scheme.family() != family) {
                return CompletableFuture.failedFuture(
                        new IllegalArgumentException("the key is no " + scheme.family() + " key"));
            }
            if (family == SignatureScheme.Family.EC) {
                return pool.submit(
                        session -> EcdsaSignature.der(sessions.sign(session, scheme, message)));
            }
            return pool.submit(session -> sessions.sign(session, scheme, message));
        }

        @Override
        public Health health() {
            return pool.health();
        }

        @Override
        public int queued() {
            return pool.queued();
        }

        @Override
        public void close() {
            pool.close();
        }
    }
}
