package org.malote.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.HopNetwork;
import org.malote.offload.PeerIdentity;

/// Draft-weinman-amtp-03 §7: the subject of a certificate and another token.
final class CertificateNamesTest {
    private static final User ANN = user("ann");
    private static final User BOX = user("box", "box7.customers.example");

    @Test
    void onAPrivateNetworkTheNamesOfTheCertificateAreTheOperators() {
        for (String name : List.of("ann.isp.example", "ANN.isp.example.", "ann")) {
            assertTrue(vouches(HopNetwork.PRIVATE, ANN, "other.example", name), name);
        }
        assertTrue(vouches(HopNetwork.PRIVATE, user("ann.isp.example"), "ann.isp.example"));
        assertTrue(vouches(HopNetwork.PRIVATE, user("ann@isp.example"), "ann.isp.example"));
        for (String name :
                List.of(
                        "bob.isp.example",
                        "annette.isp.example",
                        "x.ann.isp.example",
                        "*.ann",
                        "")) {
            assertFalse(vouches(HopNetwork.PRIVATE, ANN, name), name);
        }
        assertFalse(vouches(HopNetwork.PRIVATE, user("ann@other.example"), "ann.isp.example"));
    }

    /// Anybody can have a certificate for ann.attacker.example.
    @Test
    void elsewhereOnlyTheFileOfUsersCounts() {
        for (HopNetwork network : List.of(HopNetwork.PUBLIC, HopNetwork.NONE)) {
            assertFalse(vouches(network, ANN, "ann.attacker.example"));
            assertFalse(vouches(network, ANN, "ann"));
            assertFalse(vouches(network, user("ann.isp.example"), "ann.isp.example"));
            assertTrue(vouches(network, BOX, "Box7.customers.example"));
            assertFalse(vouches(network, BOX, "box8.customers.example"));
            assertFalse(vouches(network, BOX, "*.customers.example"));
        }
        assertTrue(vouches(HopNetwork.PRIVATE, BOX, "box7.customers.example"));
    }

    @Test
    void aCommonNameIsANameOnlyWithoutOthersAndOnAPrivateNetwork() {
        assertTrue(vouch(HopNetwork.PRIVATE, ANN, "CN=ann,O=ISP\\, Ltd"));
        assertTrue(vouch(HopNetwork.PRIVATE, BOX, "O=ISP,CN=box7.customers.example"));
        assertFalse(vouch(HopNetwork.PUBLIC, BOX, "CN=box7.customers.example"));
        assertFalse(vouch(HopNetwork.PRIVATE, ANN, "O=ann"));
        assertFalse(vouch(HopNetwork.PRIVATE, ANN, "not a subject"));
        assertFalse(
                CertificateNames.vouchFor(
                        new PeerIdentity.Trusted(List.of("bob.example"), "CN=ann"),
                        HopNetwork.PRIVATE,
                        ANN));
    }

    @Test
    void whoseChainDoesNotHoldVouchesForNobody() {
        assertFalse(
                CertificateNames.vouchFor(
                        new PeerIdentity.Untrusted(List.of("box7.customers.example"), "no"),
                        HopNetwork.PRIVATE,
                        BOX));
        assertFalse(CertificateNames.vouchFor(new PeerIdentity.Unknown(), HopNetwork.PRIVATE, BOX));
    }

    @Test
    void aCertificateFindsTheOneUserThatItSpeaksFor() {
        User web = user("web", "web.example");
        User other = user("other", "web.example", "other.example");
        Users users = new Users(List.of(ANN, BOX, web, other));
        assertEquals(BOX, found(users, HopNetwork.PUBLIC, "box7.customers.example"));
        assertNull(found(users, HopNetwork.PUBLIC, "web.example"), "it has two users");
        assertEquals(other, found(users, HopNetwork.PUBLIC, "other.example"));
        assertNull(found(users, HopNetwork.PUBLIC, "ann.isp.example"));
        assertEquals(ANN, found(users, HopNetwork.PRIVATE, "ann.isp.example"));
        assertNull(
                found(users, HopNetwork.PUBLIC, "other.example", "box7.customers.example"),
                "it is two at once");
    }

    private static @Nullable User found(Users users, HopNetwork network, String... names) {
        return users.of(new PeerIdentity.Trusted(List.of(names), "CN=x"), network);
    }

    private static User user(String name, String... certificates) {
        return new User(name, null, null, Set.of(), null, List.of(certificates));
    }

    private static boolean vouches(HopNetwork network, User user, String... names) {
        return CertificateNames.vouchFor(
                new PeerIdentity.Trusted(List.of(names), "CN=x"), network, user);
    }

    private static boolean vouch(HopNetwork network, User user, String subject) {
        return CertificateNames.vouchFor(
                new PeerIdentity.Trusted(List.of(), subject), network, user);
    }
}
