package org.malote.offload;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/// Keys and signatures of any JCA provider:
///
/// - `jca:NAME?key=/etc/malote/mx1.key` signs with a PEM file's key;
/// - `jca:NAME?keystore=/etc/malote/mx1.p12&type=PKCS12&alias=mx1&password-file=/...` with a key
///   store's. Without `keystore` the store is one that needs no file, such as a token's.
///
/// NAME is the name of an installed provider, or the class of one on the class path. With
/// `config=FILE` it is configured with that file first, as SunPKCS11 must be.
public final class JcaProvider implements OffloadProvider {
    private static final Set<String> ATTRIBUTES =
            Set.of("key", "keystore", "type", "alias", "password-file", "config");

    @Override
    public String name() {
        return "jca";
    }

    @Override
    public String describe() {
        return "signatures by a JCA provider, on threads of their own; needs a key such as"
                + " jca:PROVIDER?key=FILE, and the provider's jar on the class path";
    }

    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        String location = reference.location();
        if (!location.startsWith("jca:")) {
            throw PemFile.problem(
                    String.format(
                            "key %s names no JCA provider: write it as jca:PROVIDER?key=%s",
                            location, location));
        }
        KeyUri uri = KeyUri.parse(location, ATTRIBUTES);
        Provider provider = provider(uri);
        PrivateKey key = key(uri, provider, reference);
        String name = "jca:" + provider.getName();
        SignatureScheme scheme = SignatureScheme.usual(reference.certificate().getPublicKey());
        return new OpenedKey.Offloaded(
                new Ops(
                        new SigningPool<>(
                                name,
                                reference.limits(),
                                environment,
                                new NoSessions(),
                                _ -> sign(provider, key, scheme, HEALTH_MESSAGE)),
                        provider,
                        key));
    }

    private static final byte[] HEALTH_MESSAGE = {'m', 'a', 'l', 'o', 't', 'e'};

    private static Provider provider(KeyUri uri) throws TlsProblems {
        Provider provider = Security.getProvider(uri.path());
        if (provider == null && uri.path().indexOf('.') > 0) {
            try {
                provider =
                        Class.forName(uri.path())
                                .asSubclass(Provider.class)
                                .getDeclaredConstructor()
                                .newInstance();
            } catch (ReflectiveOperationException | ClassCastException | LinkageError e) {
                throw PemFile.problem(
                        String.format(
                                "the JCA provider %s cannot be made (%s): put its jar on the class"
                                        + " path, or correct the name in key %s",
                                uri.path(), PemFile.firstLine(e.toString()), uri.text()));
            }
        }
        if (provider == null) {
            throw PemFile.problem(
                    String.format(
                            "the JCA provider \"%s\" is not installed: choose one of %s, or write"
                                    + " its class, in key %s",
                            uri.path(),
                            String.join(
                                    ", ",
                                    Arrays.stream(Security.getProviders())
                                            .map(Provider::getName)
                                            .toList()),
                            uri.text()));
        }
        String config = uri.query("config");
        if (config == null) {
            return provider;
        }
        try {
            return provider.configure(config);
        } catch (RuntimeException e) {
            throw PemFile.problem(
                    String.format(
                            "the JCA provider %s refuses the configuration %s (%s): correct it",
                            uri.path(), config, PemFile.firstLine(e.getMessage())));
        }
    }

    private static PrivateKey key(KeyUri uri, Provider provider, KeyReference reference)
            throws TlsProblems {
        String file = uri.query("key");
        if (file == null) {
            return fromStore(uri, provider);
        }
        PrivateKey key = NativeProvider.readKey(file);
        String family = reference.certificate().getPublicKey().getAlgorithm();
        try {
            return provider.getService("KeyFactory", family) == null
                    ? key
                    : KeyFactory.getInstance(family, provider)
                            .generatePrivate(new PKCS8EncodedKeySpec(key.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw PemFile.problem(
                    String.format(
                            "the JCA provider %s refuses the key %s (%s): name the key of the"
                                    + " certificate",
                            provider.getName(), file, PemFile.firstLine(e.getMessage())));
        }
    }

    private static PrivateKey fromStore(KeyUri uri, Provider provider) throws TlsProblems {
        String alias = uri.query("alias");
        String type = uri.query("type");
        if (alias == null || type == null) {
            throw PemFile.problem(
                    String.format(
                            "key %s names neither a file nor a key store: write key=FILE, or type="
                                    + " and alias=",
                            uri.text()));
        }
        char @Nullable [] password = Secrets.password(uri.query("password-file"));
        String file = uri.query("keystore");
        try {
            KeyStore store =
                    provider.getService("KeyStore", type) == null
                            ? KeyStore.getInstance(type)
                            : KeyStore.getInstance(type, provider);
            if (file == null) {
                store.load(null, password);
            } else {
                PemFile.requirePrivate(Path.of(file), "key file");
                try (InputStream in = Files.newInputStream(Path.of(file))) {
                    store.load(in, password);
                }
            }
            Key key = store.getKey(alias, password);
            if (key instanceof PrivateKey found) {
                return found;
            }
            throw PemFile.problem(
                    String.format(
                            "the key store of key %s has no private key \"%s\": it has %s",
                            uri.text(), alias, Collections.list(store.aliases())));
        } catch (NoSuchFileException e) {
            throw PemFile.problem(
                    String.format(
                            "the key store %s does not exist: create it or correct key %s",
                            file, uri.text()));
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            // The runtime kind: a provider that was not made for this store.
            throw PemFile.problem(
                    String.format(
                            "the key store of key %s does not open (%s): correct its file, type or"
                                    + " password",
                            uri.text(), PemFile.firstLine(e.getMessage())));
        } finally {
            if (password != null) {
                Arrays.fill(password, '\0');
            }
        }
    }

    private static byte[] sign(
            Provider provider, PrivateKey key, SignatureScheme scheme, byte[] message)
            throws GeneralSecurityException {
        Signature signature = scheme.jcaSignature(provider);
        signature.initSign(key);
        signature.update(message);
        return signature.sign();
    }

    private record Ops(SigningPool<Object> pool, Provider provider, PrivateKey key)
            implements PrivateKeyOps {
        @Override
        public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
            return pool.submit(_ -> JcaProvider.sign(provider, key, scheme, message));
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

    /// A JCA provider has none that we would see.
    private static final class NoSessions implements SigningPool.Sessions<Object> {
        @Override
        public Object open(boolean isAiling) {
            return this;
        }

        @Override
        public void close(Object session) {}

        @Override
        public void close() {}
    }
}
