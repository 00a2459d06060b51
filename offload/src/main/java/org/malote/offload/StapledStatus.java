package org.malote.offload;

import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.jspecify.annotations.Nullable;

/// What the issuer of a host's certificate says of it now (OCSP, RFC 6960), as the host brought it
/// along in the handshake (RFC 6066 §8, RFC 8446 §4.4.2.1). Nobody is ever asked for it.
///
/// Only a word that holds counts: of the issuer or of whom it has charged, of this certificate, of
/// this time. One that does not is as none: who has the key of a certificate that was taken back
/// brings none, so refusing it would hurt nobody but hosts whose stapling is out of order. A
/// certificate that says that it comes with one (RFC 7633) is at fault without.
public final class StapledStatus {
    /// id-pe-tlsfeature, RFC 7633 §6.
    private static final String TLS_FEATURE = "1.3.6.1.5.5.7.1.24";

    /// RFC 6066 §1.1.
    private static final int STATUS_REQUEST = 5;

    /// Nothing was brought.
    static final StapledStatus MISSING = new StapledStatus(new byte[0], true);

    /// Nobody can say whether something was brought.
    static final StapledStatus UNTOLD = new StapledStatus(new byte[0], false);

    private final byte[] response;
    private final boolean isTold;

    private StapledStatus(byte[] response, boolean isTold) {
        this.response = response;
        this.isTold = isTold;
    }

    /// @param response DER, as the host sent it; null or empty when it sent none
    static StapledStatus of(byte @Nullable [] response) {
        return response == null || response.length == 0
                ? MISSING
                : new StapledStatus(response, true);
    }

    /// Of the handshake that is under way, or of the session.
    static StapledStatus of(SSLEngine engine) {
        if (engine instanceof ReferenceCountedOpenSslEngine library) {
            try {
                return of(library.getOcspResponse());
            } catch (IllegalStateException _) {
                return UNTOLD; // the host was not asked
            }
        }
        SSLSession handshake = engine.getHandshakeSession();
        SSLSession session = handshake == null ? engine.getSession() : handshake;
        if (!(session instanceof ExtendedSSLSession extended)) {
            return UNTOLD;
        }
        List<byte[]> responses = extended.getStatusResponses();
        return responses.isEmpty() ? MISSING : of(responses.getFirst());
    }

    /// Whether something was brought, whatever it says.
    public boolean isThere() {
        return response.length > 0;
    }

    /// @param issuer of the leaf, by a path that holds
    void judge(X509Certificate leaf, X509Certificate issuer, Instant now)
            throws CertificateRefused {
        String missing = missing(leaf, issuer, now);
        if (missing != null && isTold && demandsStatus(leaf)) {
            throw HostJudge.refused(
                    CertificateRefused.Reason.STATUS,
                    "it must come with its issuer's word of today (RFC 7633), and " + missing);
        }
    }

    /// @return why there is no word that holds; null when there is one
    private @Nullable String missing(X509Certificate leaf, X509Certificate issuer, Instant now)
            throws CertificateRefused {
        if (response.length == 0) {
            return "the host brought none";
        }
        try {
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(issuer, null)));
            parameters.setDate(Date.from(now));
            CertPathValidator validator = CertPathValidator.getInstance("PKIX");
            if (!(validator.getRevocationChecker() instanceof PKIXRevocationChecker checker)) {
                throw new IllegalStateException("every JDK's PKIX has a revocation checker");
            }
            checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK));
            checker.setOcspResponses(Map.of(leaf, response));
            parameters.addCertPathChecker(checker);
            validator.validate(
                    CertificateFactory.getInstance("X.509").generateCertPath(List.of(leaf)),
                    parameters);
            return null;
        } catch (CertPathValidatorException e) {
            if (e.getCause() instanceof CertificateRevokedException revoked) {
                throw HostJudge.refused(
                        CertificateRefused.Reason.REVOKED,
                        "its issuer took it back at " + revoked.getRevocationDate().toInstant());
            }
            return "what the host brought does not hold: " + PemFile.firstLine(e.getMessage());
        } catch (GeneralSecurityException e) {
            return "what the host brought cannot be understood: "
                    + PemFile.firstLine(e.getMessage());
        }
    }

    /// RFC 7633 §4.
    private static boolean demandsStatus(X509Certificate leaf) {
        byte[] value = leaf.getExtensionValue(TLS_FEATURE);
        if (value == null) {
            return false;
        }
        try {
            byte[] features = ASN1OctetString.getInstance(value).getOctets();
            for (ASN1Encodable one : ASN1Sequence.getInstance(features)) {
                if (ASN1Integer.getInstance(one).hasValue(STATUS_REQUEST)) {
                    return true;
                }
            }
        } catch (IllegalArgumentException _) {
            // An issuer that wrote something else demands nothing that can be kept.
        }
        return false;
    }
}
