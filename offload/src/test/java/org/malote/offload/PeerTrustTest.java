package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.offload.PeerCertificate.Standing;

/// Whose word a certificate rests on, and for how long that is remembered.
final class PeerTrustTest {
    private static final Instant NOW = TestCertificates.NOW;
    private static final Instant END = NOW.plus(Duration.ofDays(1));

    @TempDir private Path directory;
    private @Nullable TestAuthority top;
    private @Nullable TestAuthority middle;

    @BeforeEach
    void makeAuthorities() throws Exception {
        TestAuthority made = new TestAuthority(directory, "top");
        top = made;
        middle = made.middle("middle", NOW.plus(Duration.ofDays(60)));
    }

    private TestAuthority top() {
        return Objects.requireNonNull(top);
    }

    private TestAuthority middle() {
        return Objects.requireNonNull(middle);
    }

    @Test
    void aChainThatHoldsIsRememberedByItsLeafAndNotPastItsDates() throws Exception {
        PeerTrust trust = trust(true);
        List<X509Certificate> chain = chain(middle().issue("leaf", END, null, "a.example"));
        PeerCertificate judged = trust.judge(chain, NOW);
        assertEquals(List.of("a.example"), judged.names());
        assertEquals("leaf", judged.commonName());
        assertEquals("CN=middle", judged.issuer());
        assertEquals(
                trust.authorities().getFirst().keyDigest(),
                assertInstanceOf(Standing.Held.class, judged.standing()).authorityKey());
        // The leaf alone would not do, and does for who is remembered.
        List<X509Certificate> alone = chain.subList(0, 1);
        assertEquals(judged, trust.judge(alone, NOW.plusSeconds(60)));
        assertInstanceOf(
                Standing.NotHeld.class,
                trust.judge(alone, NOW.plus(PeerTrust.REMEMBERED)).standing());
        assertEquals(0, trust.rememberedNow());
        Instant nearTheEnd = END.minusSeconds(1);
        assertEquals(judged, trust.judge(chain, nearTheEnd));
        assertInstanceOf(Standing.Held.class, trust.judge(chain, END).standing());
        assertTrue(
                assertInstanceOf(
                                Standing.NotHeld.class,
                                trust.judge(chain, END.plusSeconds(1)).standing())
                        .reason()
                        .contains("validity check failed"));
    }

    /// With its issuers beside it the same leaf may hold.
    @Test
    void aChainThatFailsIsNotRemembered() throws Exception {
        PeerTrust trust = trust(true);
        List<X509Certificate> chain = chain(middle().issue("leaf", END, null, "a.example"));
        assertInstanceOf(Standing.NotHeld.class, trust.judge(chain.subList(0, 1), NOW).standing());
        assertEquals(0, trust.rememberedNow());
        assertInstanceOf(Standing.Held.class, trust.judge(chain, NOW).standing());
        assertEquals(1, trust.rememberedNow());
    }

    @Test
    void aCertificateForServersAloneIsBelievedWhereTheSettingsSaySo() throws Exception {
        List<X509Certificate> chain =
                chain(top().issue("leaf", END, KeyPurposeId.id_kp_serverAuth, "a.example"));
        assertInstanceOf(Standing.Held.class, trust(true).judge(chain, NOW).standing());
        assertEquals(
                new Standing.NotHeld("the certificate is for servers alone"),
                trust(false).judge(chain, NOW).standing());
    }

    @Test
    void everyFileThatCannotBeUsedIsTold() throws Exception {
        Path none = directory.resolve("none.pem");
        Path text = Files.writeString(directory.resolve("text.crl"), "no list\n");
        Path certificate = top().file();
        assertEquals(
                List.of(
                        "certificate file @/none.pem does not exist: create it or correct the path",
                        "revocation list @/none.crl does not exist: create it or correct the path",
                        "revocation list @/text.crl cannot be understood: name a list in PEM or DER",
                        "revocation list @/top-authority.pem cannot be understood: name a list in"
                                + " PEM or DER"),
                assertThrows(
                                TlsProblems.class,
                                () ->
                                        PeerTrust.read(
                                                new PeerTrustSettings(
                                                        List.of(none),
                                                        false,
                                                        true,
                                                        List.of(
                                                                directory.resolve("none.crl"),
                                                                text,
                                                                certificate))))
                        .problems()
                        .stream()
                        .map(one -> one.replace(directory.toString(), "@"))
                        .toList());
    }

    private PeerTrust trust(boolean acceptsServerUse) throws TlsProblems {
        return PeerTrust.read(
                new PeerTrustSettings(List.of(top().file()), false, acceptsServerUse, List.of()));
    }

    private static List<X509Certificate> chain(CertificateSettings issued) throws TlsProblems {
        return PemFile.read(issued.chain(), "certificate").certificates();
    }
}
