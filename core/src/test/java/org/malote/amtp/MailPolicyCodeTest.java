package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.malote.amtp.MailPolicyCode.Parsed;

final class MailPolicyCodeTest {
    /// draft-weinman-amtp-03 §4.5, as it is written there.
    private static final Pattern DEFINED =
            Pattern.compile(
                    "(per|com|ngo|net|gov|pol)/"
                            + "(individual|autoresponse|customer|optout|optin|confirmed)"
                            + "|mpc/individual",
                    Pattern.CASE_INSENSITIVE);

    /// The same, §4.4.2.
    private static final Pattern WRITTEN =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9][A-Za-z0-9-]*");

    @Test
    void thereAre37EachWithItsOwnBit() {
        assertEquals(37, MailPolicyCode.ALL.size());
        Set<Long> bits = new HashSet<>();
        for (int i = 0; i < 37; i++) {
            MailPolicyCode code = MailPolicyCode.ALL.get(i);
            assertEquals(i, code.index());
            bits.add(PolicyMask.bit(code));
        }
        assertEquals(37, bits.size());
        assertEquals((1L << 37) - 1, PolicyMask.ALL.bits());
        assertThrows(
                IllegalArgumentException.class,
                () -> new MailPolicyCode(CodeRole.MPC, CodeClass.OPTIN));
    }

    @Test
    void readsWhatItWritesInAnyCase() {
        for (MailPolicyCode code : MailPolicyCode.ALL) {
            assertEquals(new Parsed.Known(code), MailPolicyCode.parse(code.text()));
            assertEquals(
                    new Parsed.Known(code),
                    MailPolicyCode.parse(code.text().toUpperCase(Locale.ROOT)));
            assertEquals(
                    code,
                    MailPolicyCode.ofAttributes(Map.of(MailPolicyCode.ATTRIBUTE, code.text())));
        }
        assertNull(MailPolicyCode.ofAttributes(Map.of()));
        assertNull(MailPolicyCode.ofAttributes(Map.of(MailPolicyCode.ATTRIBUTE, "per/newer")));
    }

    /// The negative vectors; two of the first kind are examples and text of the draft itself
    /// (§4.4.2.1, §6.4).
    @Test
    void tellsWhatIsNotDefinedFromWhatIsNotWritten() {
        for (String text : List.of("individual/confirmed", "per/autoresponder", "mpc/optin")) {
            assertInstanceOf(Parsed.Undefined.class, MailPolicyCode.parse(text), text);
        }
        for (String text : List.of("com", "com/", "/optin", "*/optin", "com/*", "", "/")) {
            assertInstanceOf(Parsed.Malformed.class, MailPolicyCode.parse(text), text);
        }
        // U+0130 and U+017F are i and s to those who fold case without looking at the alphabet.
        assertInstanceOf(Parsed.Malformed.class, MailPolicyCode.parse("per/\u0130ndividual"));
        assertInstanceOf(Parsed.Malformed.class, MailPolicyCode.parse("net/autore\u017fponse"));
    }

    @Test
    void everyTextHasTheAnswerOfTheGrammar() {
        char[] alphabet = {'a', 'Z', '0', '-', '/', '*', '='};
        StringBuilder text = new StringBuilder();
        int cases = enumerate(alphabet, text, 5);
        assertEquals(19_608, cases);
        RandomGenerator random = new SplittableRandom(37);
        List<String> pieces =
                List.of("per", "COM", "mpc", "optin", "individual", "/", "-", "*", " ", "\u00e9");
        for (int i = 0; i < 20_000; i++) {
            text.setLength(0);
            for (int n = random.nextInt(5); n >= 0; n--) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            check(text.toString());
        }
    }

    private static int enumerate(char[] alphabet, StringBuilder text, int more) {
        check(text.toString());
        int cases = 1;
        if (more > 0) {
            for (char c : alphabet) {
                text.append(c);
                cases += enumerate(alphabet, text, more - 1);
                text.setLength(text.length() - 1);
            }
        }
        return cases;
    }

    private static void check(String text) {
        Parsed parsed = MailPolicyCode.parse(text);
        if (DEFINED.matcher(text).matches()) {
            Parsed.Known known = assertInstanceOf(Parsed.Known.class, parsed, text);
            assertEquals(text.toLowerCase(Locale.ROOT), known.code().text());
        } else if (WRITTEN.matcher(text).matches()) {
            assertInstanceOf(Parsed.Undefined.class, parsed, text);
        } else {
            assertInstanceOf(Parsed.Malformed.class, parsed, text);
        }
    }
}
