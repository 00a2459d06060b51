package org.malote.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PasswordHashTest {
    /// The reference implementation's tests have these: 64 MiB, and 256 KiB with two lanes.
    @Test
    void agreesWithTheReferenceImplementation() {
        for (String hash :
                List.of(
                        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
                        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc")) {
            PasswordHash parsed = PasswordHash.parse(hash);
            assertNotNull(parsed, hash);
            assertEquals(hash, parsed.text());
            assertTrue(parsed.isOf("password"), hash);
            assertFalse(parsed.isOf("Password"), hash);
        }
    }

    @Test
    void aNewHashIsOfItsPasswordAlone() {
        PasswordHash.Cost cost = new PasswordHash.Cost(64, 1, 1);
        PasswordHash one = PasswordHash.of("correct horse", cost, new Random(1));
        PasswordHash other = PasswordHash.of("correct horse", cost, new Random(2));
        assertTrue(one.isOf("correct horse"));
        assertTrue(other.isOf("correct horse"));
        assertFalse(one.isOf("correct horse "));
        assertFalse(one.isOf(""));
        assertFalse(one.text().equals(other.text()), "each has its own salt");
        assertEquals(cost, one.cost());
        assertFalse(PasswordHash.ofNobody(cost).isOf(""));
    }

    @Test
    void readsNothingElse() {
        String good =
                "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
        assertNotNull(PasswordHash.parse(good));
        for (String bad :
                List.of(
                        "",
                        "$6$salt$hash",
                        good.replace("argon2id", "argon2i"),
                        good.replace("v=19", "v=16"),
                        good.replace("m=256", "m=15"),
                        good.replace("m=256", "m=262145"),
                        good.replace("m=256", "m=999999999"),
                        good.replace("m=256", "m=99999999999"),
                        good.replace("t=2", "t=0"),
                        good.replace("t=2", "t=65"),
                        good.replace("p=2", "p=0"),
                        good.replace("p=2", "p=17"),
                        good.replace("c29tZXNhbHQ", "c29t"),
                        good.replace("bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "bQk8"),
                        good.replace("c29tZXNhbHQ", "c29tZXNhb"),
                        good + "$",
                        good + "=")) {
            assertNull(PasswordHash.parse(bad), bad);
        }
    }

    @Test
    void doesNotPrintItself() {
        assertEquals(
                "an Argon2id hash",
                PasswordHash.of("x", new PasswordHash.Cost(64, 1, 1), new Random(1)).toString());
    }
}
