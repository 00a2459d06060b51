package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ocsp.RevokedInfo;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.UnknownStatus;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a host's issuer says of it, as the host brings it along: which word counts, and what none
/// means.
final class StapledStatusTest {
    private static final Instant NOW = TestCertificates.NOW;
    private static final Instant HOUR_AGO = NOW.minus(Duration.ofHours(1));
    private static final Instant DAY_AGO = NOW.minus(Duration.ofDays(1));
    private static final Instant TOMORROW = NOW.plus(Duration.ofDays(1));
    private static final @Nullable CertificateStatus GOOD = null;
    private static final CertificateStatus REVOKED =
            new RevokedStatus(new RevokedInfo(new ASN1GeneralizedTime(Date.from(DAY_AGO)), null));

    @TempDir private Path directory;
    private @Nullable TestAuthority authority;
    private List<X509Certificate> usual = List.of();
    private List<X509Certificate> demanding = List.of();

    @BeforeEach
    void issue() throws Exception {
        authority = new TestAuthority(directory, "known");
        usual = chain(known().issue("mx", "mx1.isp.example"));
        demanding = chain(known().issueWithStatus("must", TOMORROW, "mx1.isp.example"));
    }

    private TestAuthority known() {
        return Objects.requireNonNull(authority);
    }

    private static List<X509Certificate> chain(CertificateSettings issued) throws TlsProblems {
        return PemFile.read(issued.chain(), "certificate").certificates();
    }

    private byte[] says(List<X509Certificate> chain, @Nullable CertificateStatus state)
            throws Exception {
        return known().says(chain.getFirst(), known().certificate(), state, HOUR_AGO, TOMORROW);
    }

    private void judge(List<X509Certificate> chain, StapledStatus status) throws Exception {
        new HostJudge(Authorities.read(known().file())).judge(chain, status, NOW);
    }

    private void assertBelieved(List<X509Certificate> chain, StapledStatus status) {
        assertDoesNotThrow(() -> judge(chain, status));
    }

    private CertificateRefused refusal(List<X509Certificate> chain, StapledStatus status) {
        return assertThrows(CertificateRefused.class, () -> judge(chain, status));
    }

    private void assertRevoked(List<X509Certificate> chain, byte[] response) {
        CertificateRefused refused = refusal(chain, StapledStatus.of(response));
        assertEquals(CertificateRefused.Reason.REVOKED, refused.reason());
        assertEquals(
                "the certificate is not believed: its issuer took it back at " + DAY_AGO,
                refused.getMessage());
    }

    @Test
    void whatItsIssuerTookBackIsRefused() throws Exception {
        assertRevoked(usual, says(usual, REVOKED));
        assertRevoked(demanding, says(demanding, REVOKED));
    }

    @Test
    void whomTheIssuerHasChargedSpeaksForIt() throws Exception {
        assertRevoked(
                usual,
                known().saysThrough(
                                KeyPurposeId.id_kp_OCSPSigning,
                                usual.getFirst(),
                                REVOKED,
                                HOUR_AGO,
                                TOMORROW));
    }

    @Test
    void theIssuerIsWhoIssuedItAndNotTheTop() throws Exception {
        TestAuthority middle = known().middle("middle", TOMORROW);
        List<X509Certificate> through = chain(middle.issue("below", "mx1.isp.example"));
        X509Certificate leaf = through.getFirst();
        assertRevoked(
                through, middle.says(leaf, middle.certificate(), REVOKED, HOUR_AGO, TOMORROW));
        assertBelieved(
                through,
                StapledStatus.of(
                        known().says(leaf, middle.certificate(), REVOKED, HOUR_AGO, TOMORROW)));
    }

    @Test
    void aGoodWordIsTakenAndNoneWillDo() throws Exception {
        assertBelieved(usual, StapledStatus.of(says(usual, GOOD)));
        assertBelieved(usual, StapledStatus.MISSING);
        assertBelieved(usual, StapledStatus.UNTOLD);
        assertTrue(StapledStatus.of(says(usual, GOOD)).isThere());
    }

    /// Who has the key of a certificate that was taken back brings no word: refusing one that does
    /// not hold would keep nobody out.
    @Test
    void aWordThatDoesNotHoldIsAsNone() throws Exception {
        for (Map.Entry<String, byte[]> each : broken(usual, REVOKED).entrySet()) {
            assertDoesNotThrow(
                    () -> judge(usual, StapledStatus.of(each.getValue())), each.getKey());
        }
    }

    @Test
    void aCertificateThatDemandsAWordIsRefusedWithoutOneThatHolds() throws Exception {
        assertBelieved(demanding, StapledStatus.of(says(demanding, GOOD)));
        CertificateRefused none = refusal(demanding, StapledStatus.of(new byte[0]));
        assertEquals(CertificateRefused.Reason.STATUS, none.reason());
        assertEquals(
                "the certificate is not believed: it must come with its issuer's word of today"
                        + " (RFC 7633), and the host brought none",
                none.getMessage());
        for (Map.Entry<String, byte[]> each : broken(demanding, GOOD).entrySet()) {
            CertificateRefused refused = refusal(demanding, StapledStatus.of(each.getValue()));
            assertEquals(CertificateRefused.Reason.STATUS, refused.reason(), each.getKey());
            String told = String.valueOf(refused.getMessage());
            assertTrue(told.contains("what the host brought does not hold: "), told);
        }
        // An engine that cannot tell yet would refuse every such host.
        assertBelieved(demanding, StapledStatus.UNTOLD);
    }

    @Test
    void whatTheOperatorNamedNeedsNoIssuer() throws Exception {
        Path file = known().issueWithStatus("self", TOMORROW, "mx1.isp.example").chain();
        List<X509Certificate> itself = PemFile.read(file, "certificate").certificates();
        assertDoesNotThrow(
                () ->
                        new HostJudge(Authorities.read(file))
                                .judge(itself, StapledStatus.MISSING, NOW));
    }

    /// Words that say `state` and must not count.
    private Map<String, byte[]> broken(
            List<X509Certificate> chain, @Nullable CertificateStatus state) throws Exception {
        X509Certificate leaf = chain.getFirst();
        TestAuthority stranger = new TestAuthority(directory, "stranger");
        Map<String, byte[]> broken = new HashMap<>();
        broken.put("no OCSP at all", "good".getBytes(StandardCharsets.US_ASCII));
        broken.put("not to be asked now: tryLater", new byte[] {0x30, 3, 0x0a, 1, 3});
        broken.put("unknown", says(chain, new UnknownStatus()));
        broken.put("of another certificate", says(chain.equals(usual) ? demanding : usual, state));
        broken.put("old", known().says(leaf, known().certificate(), state, DAY_AGO, HOUR_AGO));
        broken.put(
                "of tomorrow",
                known().says(
                                leaf,
                                known().certificate(),
                                state,
                                TOMORROW,
                                TOMORROW.plus(Duration.ofDays(1))));
        broken.put(
                "by a stranger",
                stranger.says(leaf, known().certificate(), state, HOUR_AGO, TOMORROW));
        broken.put(
                "by whom it has charged with other things",
                known().saysThrough(
                                KeyPurposeId.id_kp_serverAuth, leaf, state, HOUR_AGO, TOMORROW));
        byte[] changed = says(chain, state);
        changed[changed.length - 1] ^= 1;
        broken.put("with another signature", changed);
        broken.put(
                "of a stranger's", says(chain(stranger.issue("theirs", "mx1.isp.example")), state));
        return broken;
    }
}
