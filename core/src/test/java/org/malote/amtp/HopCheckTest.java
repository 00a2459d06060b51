package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.malote.amtp.ReverseFinding.Forward;
import org.malote.offload.PeerCertificate;
import org.malote.offload.PeerCertificate.Standing;
import org.malote.smtp.DomainName;

/// What an operator is told of a peer beside the verdict. The verdicts themselves are in the
/// transcripts.
final class HopCheckTest {
    private static final String NAME = "out1.peer.example";

    @Test
    void theReasonIsThatOfTheVerdict() {
        assertEquals(
                "the certificate does not hold: expired yesterday",
                told(new Standing.NotHeld("expired yesterday"), NAME, ""));
        assertEquals(
                "the certificate is denied: CN=x is on /crl",
                told(new Standing.Revoked("CN=x is on /crl"), NAME, ""));
        assertEquals(
                "the certificate is denied: the deny list has name *.peer.example",
                told(new Standing.Held("00"), NAME, "name *.peer.example"));
        assertEquals("verified: ", told(new Standing.Held("00"), NAME, "name *.spam.example"));
        // What is missing first is told, and nothing of what would come after.
        assertEquals(
                "the name of EHLO is not fully qualified: ",
                told(new Standing.NotHeld("expired yesterday"), "out1", ""));
    }

    private static String told(Standing standing, String greeted, String denied) {
        DenyList list =
                switch (DenyList.parse(denied)) {
                    case DenyList.Parsed.Valid(var valid) -> valid;
                    case DenyList.Parsed.Invalid(var faults) ->
                            throw new IllegalArgumentException(faults.toString());
                };
        TrustBase base = new TrustBase(Map.of(), Set.of(), list, CommonNames.NEVER);
        PendingReverse reverse = new PendingReverse();
        reverse.accept(ReverseFinding.of(List.of(NAME), Map.of(NAME, Forward.CONFIRMED)));
        HopCheck check =
                new HopCheck(
                        "amtp", IdentitySettings.OFF, () -> base, InstantSource.system(), reverse);
        check.secured(new PeerCertificate(List.of(NAME), null, "CN=x", "11", "22", standing));
        AtomicReference<HopIdentity> found = new AtomicReference<>(HopIdentity.UNKNOWN);
        check.identify(new DomainName(greeted), found::set);
        return found.get().verdict() + ": " + found.get().fault();
    }
}
