package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/// Reads the certificates of the settings, opens their keys, and proves each pair with a signature.
///
/// @param served in the order of the settings' certificates
/// @param problems what keeps TLS from being served
/// @param warnings what an operator must see to, though TLS can be served: validity, dead keys
record CertificateStore(
        List<ServedCertificate> served, List<String> problems, List<String> warnings) {

    /// A leaf and its issuers; public hierarchies have three.
    static final int CHAIN_CERTIFICATES_MAX = 10;

    /// RFC 9325 §4.5.
    static final int RSA_BITS_MIN = 2048;

    /// How long the signature that proves a key may take: generous for a token on the network.
    static final int PROOF_SECONDS_MAX = 10;

    CertificateStore {
        served = List.copyOf(served);
        problems = List.copyOf(problems);
        warnings = List.copyOf(warnings);
    }

    static CertificateStore load(TlsSettings settings, Instant now, TlsEnvironment environment) {
        OffloadProviders providers = environment.providers();
        List<ServedCertificate> served = new ArrayList<>();
        List<String> problems = new ArrayList<>(providers.problems());
        List<String> warnings = new ArrayList<>();
        boolean isProviderThere = providers.has(settings.provider());
        if (!isProviderThere) {
            problems.add(providers.unknown(settings.provider()));
        }
        for (CertificateSettings certificate : settings.certificates()) {
            try {
                List<X509Certificate> chain =
                        PemFile.read(certificate.chain(), "certificate").certificates();
                List<String> faults = faults(certificate, chain);
                problems.addAll(faults);
                warnings.addAll(validity(certificate, chain.getFirst(), now));
                if (faults.isEmpty() && isProviderThere) {
                    served.add(open(environment, settings, certificate, chain, warnings));
                }
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
            }
        }
        for (ServedCertificate one : new NamedCertificates(served).neverServed(served)) {
            problems.add(
                    String.format(
                            "certificate %s is never served: others with %s keys come before it and"
                                    + " have all of its names",
                            one.file(), one.family()));
        }
        return new CertificateStore(served, problems, warnings);
    }

    /// Closes every key that was opened.
    void close() {
        for (ServedCertificate one : served) {
            one.close();
        }
    }

    /// @param warnings where is told of a key that cannot sign while its fallback does
    private static ServedCertificate open(
            TlsEnvironment environment,
            TlsSettings settings,
            CertificateSettings certificate,
            List<X509Certificate> chain,
            List<String> warnings)
            throws TlsProblems {
        OffloadProviders providers = environment.providers();
        X509Certificate leaf = chain.getFirst();
        String provider = OffloadProviders.nameFor(settings.provider(), certificate.key());
        OpenedKey key =
                watched(
                        providers.open(
                                settings.provider(),
                                new KeyReference(certificate.key(), leaf, settings.keyLimits())),
                        provider,
                        leaf,
                        environment);
        OpenedKey fallback = null;
        boolean proven = false;
        try {
            KeyProof proof =
                    new KeyProof(certificate.key(), certificate.chain(), leaf.getPublicKey());
            String fallbackKey = certificate.fallbackKey();
            if (fallbackKey == null) {
                prove(key, proof);
            } else {
                fallback =
                        providers.openFile(
                                new KeyReference(fallbackKey, leaf, settings.keyLimits()));
                prove(
                        fallback,
                        new KeyProof(fallbackKey, certificate.chain(), leaf.getPublicKey()));
                key = provenOrAwaited(key, proof, warnings);
                fallback = watchedFallback(fallback, leaf, environment);
            }
            proven = true;
            return new ServedCertificate(
                    certificate.chain(),
                    chain,
                    familyOf(leaf.getPublicKey()),
                    provider,
                    key,
                    fallback);
        } finally {
            if (!proven) {
                ServedCertificate.operations(key).close();
                if (fallback != null) {
                    ServedCertificate.operations(fallback).close();
                }
            }
        }
    }

    /// A key that only a dead card keeps from signing is served by its fallback from the start on.
    private static OpenedKey provenOrAwaited(OpenedKey key, KeyProof proof, List<String> warnings)
            throws TlsProblems {
        List<String> problems = tryProof(key, proof);
        if (problems.isEmpty()) {
            return key;
        }
        if (!(key instanceof OpenedKey.Offloaded(var operations))) {
            // The engine asks for no fallback of a key that signs at once.
            throw new TlsProblems(problems);
        }
        String reason = String.join("; ", problems);
        warnings.add(
                String.format(
                        "certificate %s is served with its fallback-key until its own key signs: %s",
                        proof.certificate(), reason));
        return new OpenedKey.Offloaded(new AwaitedOps(operations, proof, reason));
    }

    private static OpenedKey watchedFallback(
            OpenedKey fallback, X509Certificate leaf, TlsEnvironment environment) {
        return watched(
                new OpenedKey.Inline(ServedCertificate.operations(fallback)),
                ServedCertificate.FALLBACK,
                leaf,
                environment);
    }

    private static OpenedKey watched(
            OpenedKey key, String provider, X509Certificate leaf, TlsEnvironment environment) {
        KeyEnvironment keys = environment.providers().environment();
        if (keys == null) {
            return key;
        }
        Function<PrivateKeyOps, PrivateKeyOps> watched =
                operations ->
                        new WatchedOps(
                                operations,
                                provider,
                                ServedCertificate.keyType(leaf.getPublicKey()),
                                keys.nanoTime(),
                                environment.signatures());
        return switch (key) {
            case OpenedKey.InProcess inProcess -> inProcess;
            case OpenedKey.Inline(var operations) ->
                    new OpenedKey.Inline(watched.apply(operations));
            case OpenedKey.Offloaded(var operations) ->
                    new OpenedKey.Offloaded(watched.apply(operations));
        };
    }

    private static void prove(OpenedKey key, KeyProof proof) throws TlsProblems {
        List<String> problems = tryProof(key, proof);
        if (!problems.isEmpty()) {
            throw new TlsProblems(problems);
        }
    }

    /// @return why there is no signature; nothing when there is one
    /// @throws TlsProblems when there is one, of another key
    private static List<String> tryProof(OpenedKey key, KeyProof proof) throws TlsProblems {
        boolean matches;
        try {
            matches =
                    proof.isVerified(
                            ServedCertificate.operations(key)
                                    .sign(proof.scheme(), KeyProof.message())
                                    .toCompletableFuture()
                                    .get(PROOF_SECONDS_MAX, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof TlsProblems problems) {
                return problems.problems(); // found on another thread
            }
            if (cause instanceof GeneralSecurityException && key instanceof OpenedKey.InProcess) {
                matches = false; // a key of another kind than the certificate's
            } else {
                return List.of(proof.cannotSign(cause));
            }
        } catch (TimeoutException e) {
            return List.of(
                    String.format(
                            "key %s gave no signature within %d seconds: see to what holds it",
                            proof.location(), PROOF_SECONDS_MAX));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw PemFile.problem(
                    String.format(
                            "key %s could not be tried: the start was interrupted",
                            proof.location()));
        }
        if (!matches) {
            throw PemFile.problem(proof.isAnothers());
        }
        return List.of();
    }

    private static List<String> faults(
            CertificateSettings certificate, List<X509Certificate> chain) {
        List<String> faults = new ArrayList<>();
        if (chain.size() > CHAIN_CERTIFICATES_MAX) {
            faults.add(
                    String.format(
                            "certificate file %s holds %d certificates: keep the server's own and"
                                    + " its issuers, at most %d",
                            certificate.chain(), chain.size(), CHAIN_CERTIFICATES_MAX));
        }
        for (int i = 1; i < chain.size(); i++) {
            // RFC 5246 §7.4.2: each certificate certifies the one before it. RFC 8446 is milder;
            // old peers are not.
            if (!chain.get(i)
                    .getSubjectX500Principal()
                    .equals(chain.get(i - 1).getIssuerX500Principal())) {
                faults.add(
                        String.format(
                                "certificate file %s is out of order at certificate %d (%s): put the"
                                        + " server's own first and each issuer after it",
                                certificate.chain(),
                                i + 1,
                                chain.get(i).getSubjectX500Principal().getName()));
                break;
            }
        }
        switch (chain.getFirst().getPublicKey()) {
            case RSAPublicKey rsa -> {
                if (rsa.getModulus().bitLength() < RSA_BITS_MIN) {
                    faults.add(
                            String.format(
                                    "certificate %s has an RSA key of %d bits: make one of at least"
                                            + " %d",
                                    certificate.chain(),
                                    rsa.getModulus().bitLength(),
                                    RSA_BITS_MIN));
                }
            }
            case ECPublicKey ec -> {
                int bits = ec.getParams().getCurve().getField().getFieldSize();
                if (bits != 256 && bits != 384) {
                    faults.add(
                            String.format(
                                    "certificate %s has an elliptic-curve key of %d bits: make one"
                                            + " on P-256",
                                    certificate.chain(), bits));
                }
            }
            case PublicKey other ->
                    faults.add(
                            String.format(
                                    "certificate %s has a key of kind %s that mail peers cannot use:"
                                            + " make one with P-256 or RSA",
                                    certificate.chain(), other.getAlgorithm()));
        }
        return faults;
    }

    private static List<String> validity(
            CertificateSettings certificate, X509Certificate leaf, Instant now) {
        Instant notBefore = leaf.getNotBefore().toInstant();
        Instant notAfter = leaf.getNotAfter().toInstant();
        if (now.isAfter(notAfter)) {
            return List.of(
                    String.format(
                            "certificate %s expired at %s: renew it",
                            certificate.chain(), notAfter));
        }
        if (now.isBefore(notBefore)) {
            return List.of(
                    String.format(
                            "certificate %s is not valid before %s: check the clock or renew it",
                            certificate.chain(), notBefore));
        }
        return List.of();
    }

    private static SignatureScheme.Family familyOf(PublicKey key) {
        return key instanceof ECPublicKey ? SignatureScheme.Family.EC : SignatureScheme.Family.RSA;
    }
}
