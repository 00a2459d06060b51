package org.malote.offload;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
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
/// @param warnings what an operator must see to, though TLS can be served: validity
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
                    served.add(open(environment, settings, certificate, chain));
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

    private static ServedCertificate open(
            TlsEnvironment environment,
            TlsSettings settings,
            CertificateSettings certificate,
            List<X509Certificate> chain)
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
        SignatureScheme.Family family = familyOf(leaf.getPublicKey());
        ServedCertificate served =
                new ServedCertificate(certificate.chain(), chain, family, provider, key, null);
        boolean proven = false;
        try {
            prove(served, certificate.key());
            String fallback = certificate.fallbackKey();
            if (fallback != null) {
                OpenedKey file =
                        providers.openFile(new KeyReference(fallback, leaf, settings.keyLimits()));
                served =
                        new ServedCertificate(
                                certificate.chain(), chain, family, provider, key, file);
                prove(
                        new ServedCertificate(
                                certificate.chain(), chain, family, provider, file, null),
                        fallback);
            }
            proven = true;
        } finally {
            if (!proven) {
                served.close();
            }
        }
        return served;
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

    private static void prove(ServedCertificate served, String key) throws TlsProblems {
        SignatureScheme scheme = SignatureScheme.usual(served.leaf().getPublicKey());
        byte[] message = "malote: does this key belong here?".getBytes(StandardCharsets.US_ASCII);
        boolean matches;
        try {
            byte[] signature =
                    served.operations()
                            .sign(scheme, message)
                            .toCompletableFuture()
                            .get(PROOF_SECONDS_MAX, TimeUnit.SECONDS);
            Signature verifier = scheme.jcaSignature(null);
            verifier.initVerify(served.leaf().getPublicKey());
            verifier.update(message);
            matches = verifier.verify(signature);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof TlsProblems problems) {
                throw problems; // found on another thread
            }
            if (cause instanceof GeneralSecurityException && isInProcess(served)) {
                matches = false; // a key of another kind than the certificate's
            } else {
                throw PemFile.problem(
                        String.format(
                                "key %s cannot sign (%s): see to the key or choose another",
                                key, PemFile.firstLine(cause.getMessage())));
            }
        } catch (TimeoutException e) {
            throw PemFile.problem(
                    String.format(
                            "key %s gave no signature within %d seconds: see to what holds it",
                            key, PROOF_SECONDS_MAX));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw PemFile.problem(
                    String.format("key %s could not be tried: the start was interrupted", key));
        } catch (GeneralSecurityException e) {
            matches = false; // the verifier does not take the signature's form
        }
        if (!matches) {
            throw PemFile.problem(
                    String.format(
                            "key %s does not belong to certificate %s: name the key that the certificate was"
                                    + " made for",
                            key, served.file()));
        }
    }

    private static boolean isInProcess(ServedCertificate served) {
        return switch (served.key()) {
            case OpenedKey.InProcess _ -> true;
            case OpenedKey.Inline _, OpenedKey.Offloaded _ -> false;
        };
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
