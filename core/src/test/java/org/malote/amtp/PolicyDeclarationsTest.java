package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.malote.amtp.PolicyDeclaration.Keyword;
import org.malote.amtp.PolicyDeclarations.Parsed;

final class PolicyDeclarationsTest {
    private static final List<String> COLUMNS =
            List.of(
                    "per/individual",
                    "com/individual",
                    "com/confirmed",
                    "com/optout",
                    "ngo/optout",
                    "mpc/individual");

    private static final List<String> ROLES =
            List.of("per", "com", "ngo", "net", "gov", "pol", "mpc");
    private static final List<String> CLASSES =
            List.of("individual", "autoresponse", "customer", "optout", "optin", "confirmed");

    /// The conformance vectors: the text after the keyword, and A or D for each column. The first
    /// is what no line at all means.
    @Test
    void theVectorsComeOutAsTheyMust() {
        assertEquals("A A A A A A", row(PolicyDeclarations.ALL.mask()));
        assertEquals("A A A D A A", row("DENY=com/* ALLOW=com/individual ALLOW=com/confirmed"));
        assertEquals("A A A D D A", row("DENY=*/optout"));
        assertEquals("A A D D D A", row("ALLOW=*/individual"));
        assertEquals("D D D D D A", row("ALLOW=com/individual DENY=com/*"));
        assertEquals("D D D D D A", row("DENY=*/*"));
    }

    /// draft-weinman-amtp-03 §4.4.2.1.
    @Test
    void readsTheExamplesOfTheDraftToo() {
        assertEquals("A A A D A A", row("DENY com/* ALLOW com/individual ALLOW com/confirmed"));
        assertEquals("A A A D D A", row("DENY */optout"));
        assertEquals("A A D D D A", row("deny=com/*  Allow COM/Individual DENY ngo/optout"));
    }

    @Test
    void saysWhatIsNoDeclaration() {
        for (String text :
                List.of(
                        "com/*",
                        "ALLOW",
                        "DENY=",
                        "DENY=com",
                        "DENY com/* ALLOW",
                        "DENY==com/*",
                        "DENY = com/*",
                        "DENY=com/**",
                        "DENY=com/*/*",
                        "DENY=com/*,ALLOW=per/*",
                        "PERMIT=com/*")) {
            assertInstanceOf(Parsed.Malformed.class, PolicyDeclarations.parse(text), text);
        }
        assertInstanceOf(Parsed.Undefined.class, PolicyDeclarations.parse("DENY=foo/*"));
        assertInstanceOf(Parsed.Undefined.class, PolicyDeclarations.parse("DENY=*/autoresponder"));
        for (String text : List.of("", "  ", "DENY=com/* ".repeat(46))) {
            assertInstanceOf(Parsed.BadLength.class, PolicyDeclarations.parse(text), text);
        }
        assertInstanceOf(Parsed.Valid.class, PolicyDeclarations.parse("DENY=com/* ".repeat(45)));
    }

    /// Text and value are one; and the masks say what a reader would find who goes through the
    /// declarations with a finger.
    @Test
    void masksAgreeWithASlowReader() {
        RandomGenerator random = new SplittableRandom(2004);
        for (int i = 0; i < 5_000; i++) {
            List<PolicyDeclaration> list = new ArrayList<>();
            for (int n = random.nextInt(6); n >= 0; n--) {
                list.add(
                        new PolicyDeclaration(
                                random.nextBoolean() ? Keyword.ALLOW : Keyword.DENY,
                                random.nextInt(3) == 0 ? "*" : pick(random, ROLES),
                                random.nextInt(3) == 0 ? "*" : pick(random, CLASSES)));
            }
            PolicyDeclarations declarations = new PolicyDeclarations(list);
            assertEquals(
                    new Parsed.Valid(declarations), PolicyDeclarations.parse(declarations.text()));
            PolicyMask mask = declarations.mask();
            for (MailPolicyCode code : MailPolicyCode.ALL) {
                assertEquals(
                        slowlyAllows(list, code.text()),
                        mask.allows(code),
                        declarations.text() + " of " + code);
            }
        }
    }

    private static String pick(RandomGenerator random, List<String> words) {
        return words.get(random.nextInt(words.size()));
    }

    private static boolean slowlyAllows(List<PolicyDeclaration> list, String code) {
        if (code.equals("mpc/individual")) {
            return true;
        }
        boolean answer = list.getFirst().keyword() == Keyword.DENY;
        for (PolicyDeclaration one : list) {
            if (code.matches(one.role().replace("*", ".*") + "/" + one.kind().replace("*", ".*"))) {
                answer = one.keyword() == Keyword.ALLOW;
            }
        }
        return answer;
    }

    private static String row(String text) {
        return row(
                assertInstanceOf(Parsed.Valid.class, PolicyDeclarations.parse(text), text)
                        .declarations()
                        .mask());
    }

    private static String row(PolicyMask mask) {
        List<String> row = new ArrayList<>();
        for (String column : COLUMNS) {
            MailPolicyCode code =
                    assertInstanceOf(
                                    MailPolicyCode.Parsed.Known.class, MailPolicyCode.parse(column))
                            .code();
            row.add(mask.allows(code) ? "A" : "D");
        }
        return String.join(" ", row);
    }
}
