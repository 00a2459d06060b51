package org.malote.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.HopNetwork;
import org.malote.auth.Exchange.Fault;
import org.malote.auth.Exchange.Move;
import org.malote.offload.PeerIdentity;

/// The server's side of SCRAM, beside the example of RFC 7677 §3.
final class ScramExchangeTest {
    private static final String CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
    private static final String SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private static final String CLIENT_FIRST = "n,,n=user,r=" + CLIENT_NONCE;
    private static final String SERVER_FIRST =
            "r=" + CLIENT_NONCE + SERVER_NONCE + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private static final String UNPROVED = "c=biws,r=" + CLIENT_NONCE + SERVER_NONCE;
    private static final String CLIENT_FINAL =
            UNPROVED + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static final String SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    private static final ScramVerifier VERIFIER =
            ScramVerifier.of(
                    "pencil", 4096, Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ=="));
    static final User USER = new User("user", null, VERIFIER, Set.of(), null, List.of());

    @Test
    void saysWhatTheExampleOfTheRfcSays() {
        Move.Ask named = assertInstanceOf(Move.Ask.class, begin().on(CLIENT_FIRST));
        assertEquals(new Claim.Verifier("user"), named.claim());
        Move.Challenge challenge = challenge(named);
        assertEquals(SERVER_FIRST, challenge.text());
        Move.Ask proved = assertInstanceOf(Move.Ask.class, challenge.next().on(CLIENT_FINAL));
        assertTrue(assertInstanceOf(Claim.Proof.class, proved.claim()).isRight());
        Move.Challenge told =
                assertInstanceOf(Move.Challenge.class, proved.next().on(new Answer.Proven(USER)));
        assertEquals(SERVER_FINAL, told.text());
        assertEquals(new Move.Succeed(USER), told.next().on(""));
    }

    /// Each character of the proof counts.
    @Test
    void takesNoOtherProof() {
        String proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        for (int i = 0; i < proof.length() - 2; i++) {
            char other = proof.charAt(i) == 'A' ? 'B' : 'A';
            String changed = proof.substring(0, i) + other + proof.substring(i + 1);
            Move move = challenged().on(UNPROVED + ",p=" + changed);
            Claim.Proof claim =
                    assertInstanceOf(
                            Claim.Proof.class, assertInstanceOf(Move.Ask.class, move).claim());
            assertFalse(claim.isRight(), changed);
        }
        for (String shorter : List.of("AAAA", proof + "AAAA")) {
            Move move = challenged().on(UNPROVED + ",p=" + shorter.replace("=A", "AA"));
            if (move instanceof Move.Ask(Claim.Proof claim, _)) {
                assertFalse(claim.isRight(), shorter);
            } else {
                assertEquals(new Move.Fail(Fault.MALFORMED), move);
            }
        }
    }

    @Test
    void neitherPrintsNorKeepsTheProofInText() {
        Move move = challenged().on(CLIENT_FINAL);
        assertFalse(move.toString().contains("dHzb"), move.toString());
        assertFalse(VERIFIER.toString().contains("W22"), VERIFIER.toString());
        Move plain =
                Exchange.begin(Mechanism.PLAIN, new PeerIdentity.Unknown(), HopNetwork.NONE)
                        .on("\0tim\0tanstaaftanstaaf");
        assertFalse(plain.toString().contains("tanstaaf"), plain.toString());
    }

    /// RFC 5802 §5.1.
    @Test
    void readsCommasAndEqualsSignsInNames() {
        Move.Ask named = assertInstanceOf(Move.Ask.class, begin().on("n,,n=a=2Cb=3Dc=3D2C,r=x"));
        assertEquals(new Claim.Verifier("a,b=c=2C"), named.claim());
    }

    /// RFC 5802 §5.1: the server passes over what it does not know, but for what is mandatory.
    @Test
    void passesOverExtensions() {
        assertInstanceOf(Move.Ask.class, begin().on(CLIENT_FIRST + ",x=1,y=2"));
        assertInstanceOf(Move.Ask.class, challenged().on(CLIENT_FINAL.replace(",p=", ",x=abc,p=")));
        assertEquals(
                new Move.Fail(Fault.MALFORMED), begin().on(CLIENT_FIRST + ",x=1".repeat(3000)));
    }

    /// Whatever comes has an answer.
    @Test
    void doesNotThrowAtAnything() {
        SplittableRandom random = new SplittableRandom(1);
        String alphabet = "npr=,acxyms01+/\0é ";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(i % 2 == 0 ? "n,,n=" : "c=biws,r=");
            int length = random.nextInt(24);
            for (int k = 0; k < length; k++) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            assertNotNull(begin().on(text.toString()));
            assertNotNull(challenged().on(text.toString()));
        }
        assertNotNull(begin().on("n,,n=" + "a".repeat(9000) + ",r=x"));
        assertNotNull(challenged().on("c=" + "A".repeat(9000)));
    }

    @Test
    void aVerifierIsReadAsItIsWritten() {
        ScramVerifier read = ScramVerifier.parse(VERIFIER.text());
        assertNotNull(read);
        assertEquals(
                "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
                        + ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                read.text());
        for (String bad :
                List.of(
                        "",
                        "SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$AAAA:AAAA",
                        VERIFIER.text().replace("4096", "4095"),
                        VERIFIER.text().replace("4096", "10000001"),
                        VERIFIER.text().replace("W22ZaJ0SNY7soEsUEjb6gQ==", "W22Z"),
                        VERIFIER.text().replace("$WG5d", "$WG"),
                        VERIFIER.text() + "=",
                        VERIFIER.text().replace("$WG5d", "$W====G5d"))) {
            assertNull(ScramVerifier.parse(bad), bad);
        }
    }

    private static Exchange.Listening begin() {
        return Exchange.begin(Mechanism.SCRAM_SHA_256, new PeerIdentity.Unknown(), HopNetwork.NONE);
    }

    private static Move.Challenge challenge(Move.Ask named) {
        return assertInstanceOf(
                Move.Challenge.class,
                named.next().on(new Answer.Verifiable(VERIFIER, USER, SERVER_NONCE)));
    }

    /// The claim of the example.
    static Claim.Proof proof(@Nullable User user) {
        Move.Ask named = assertInstanceOf(Move.Ask.class, begin().on(CLIENT_FIRST));
        Move.Challenge challenge =
                assertInstanceOf(
                        Move.Challenge.class,
                        named.next().on(new Answer.Verifiable(VERIFIER, user, SERVER_NONCE)));
        Move.Ask proved = assertInstanceOf(Move.Ask.class, challenge.next().on(CLIENT_FINAL));
        return assertInstanceOf(Claim.Proof.class, proved.claim());
    }

    private static Exchange.Listening challenged() {
        return challenge(assertInstanceOf(Move.Ask.class, begin().on(CLIENT_FIRST))).next();
    }
}
