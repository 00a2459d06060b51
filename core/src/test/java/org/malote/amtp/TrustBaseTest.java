package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.TrustBase.Believing;
import org.malote.amtp.TrustBase.Standing;
import org.malote.offload.PeerCertificate;
import org.malote.offload.PeerTrust;
import org.malote.offload.PeerTrustSettings;

/// Draft-weinman-amtp-03 §1.2, §7: private authorities are nobody else's.
final class TrustBaseTest {
    private static final Instant NOW = Instant.parse("2026-11-26T12:00:00Z");

    @TempDir private Path folder;

    @Test
    void whoVouchesTellsTheNetworksApart() throws Exception {
        TestIssuer federation = issuer("federation", null);
        TestIssuer isp = issuer("isp", null);
        Path both = TestIssuer.bundle(folder.resolve("both.pem"), List.of(federation, isp));
        TrustBase base =
                TrustBase.of(
                        List.of(
                                believing("amtp", Standing.PUBLIC, federation.file()),
                                believing("members", Standing.PRIVATE, isp.file()),
                                believing("mx", Standing.EITHER, both)),
                        DenyList.EMPTY,
                        CommonNames.PRIVATE);
        assertEquals(HopNetwork.PUBLIC, network(base, "mx", federation));
        assertEquals(HopNetwork.PRIVATE, network(base, "mx", isp));
        assertEquals(HopNetwork.PUBLIC, network(base, "amtp", federation));
        assertEquals(HopNetwork.NONE, network(base, "amtp", isp));
        assertEquals(HopNetwork.NONE, network(base, "members", federation));
    }

    @Test
    void anAuthorityOfBothKindsIsRefusedWithItsFileAndName() throws Exception {
        TestIssuer federation = issuer("federation", null);
        TestIssuer isp = issuer("isp", null);
        Path both = TestIssuer.bundle(folder.resolve("both.pem"), List.of(federation, isp));
        assertEquals(
                List.of(
                        "the private authority CN=isp of @/both.pem (listener \"members\") is also in"
                                + " @/isp.pem, which listener \"amtp\" trusts for public networks:"
                                + " make an authority for the private network alone, or take it out"
                                + " of one of the two"),
                problems(
                        believing("members", Standing.PRIVATE, both),
                        believing("amtp", Standing.PUBLIC, isp.file())));
    }

    @Test
    void aPrivateAuthorityThatAPublicOneHasIssuedIsRefused() throws Exception {
        TestIssuer federation = issuer("federation", null);
        TestIssuer isp = issuer("isp", federation);
        assertEquals(
                List.of(
                        "the private authority CN=isp of @/isp.pem (listener \"members\") is issued"
                                + " by CN=federation of @/federation.pem, which listener \"amtp\""
                                + " trusts for public networks: make an authority for the private"
                                + " network alone"),
                problems(
                        believing("amtp", Standing.PUBLIC, federation.file()),
                        believing("members", Standing.PRIVATE, isp.file())));
    }

    /// The name alone makes no authority the same.
    @Test
    void anAuthorityOfTheSameNameIsAnother() throws Exception {
        TestIssuer one = issuer("isp", null);
        Path kept = TestIssuer.bundle(folder.resolve("kept.pem"), List.of(one));
        TestIssuer other = issuer("isp", null);
        assertEquals(
                HopNetwork.PUBLIC,
                network(
                        TrustBase.of(
                                List.of(
                                        believing("amtp", Standing.PUBLIC, kept),
                                        believing("members", Standing.PRIVATE, other.file())),
                                DenyList.EMPTY,
                                CommonNames.PRIVATE),
                        "amtp",
                        one));
    }

    private List<String> problems(Believing... all) {
        return assertThrows(
                        TrustBase.NotDisjoint.class,
                        () -> TrustBase.of(List.of(all), DenyList.EMPTY, CommonNames.PRIVATE))
                .problems()
                .stream()
                .map(one -> one.replace(folder.toString(), "@"))
                .toList();
    }

    private TestIssuer issuer(String name, @Nullable TestIssuer above) throws Exception {
        return new TestIssuer(folder, name, above, NOW);
    }

    private static Believing believing(String name, Standing standing, Path file) throws Exception {
        return new Believing(
                name,
                standing,
                PeerTrust.read(new PeerTrustSettings(List.of(file), false, true, List.of())));
    }

    private static HopNetwork network(TrustBase base, String listener, TestIssuer issuer)
            throws Exception {
        PeerCertificate judged =
                base.of(listener).judge(List.of(issuer.issue("a.example").certificate()), NOW);
        return judged.standing() instanceof PeerCertificate.Standing.Held(var authority)
                ? base.networkOf(authority)
                : HopNetwork.NONE;
    }
}
