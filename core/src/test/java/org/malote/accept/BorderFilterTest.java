package org.malote.accept;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class BorderFilterTest {
    private static final String US = "mx.example";

    private static final List<String> PIECES =
            List.of(
                    "X-AMTP-Trust",
                    "x-amtp-trust",
                    "X-AMTP-Trust: 4\r\n",
                    "MPC: com/optin\r\n",
                    "mp",
                    "c:",
                    "X-AM",
                    "TP-Trust",
                    "Authentication-Results",
                    "AUTHENTICATION-RESULTS:",
                    "Authentication-Results: mx.example; iprev=pass\r\n",
                    "Authentication-Results: other.example; iprev=pass\r\n",
                    ":",
                    ": 4",
                    " ",
                    "\t",
                    "\r\n",
                    "\r\n",
                    "\r\n ",
                    "\r\n\r\n",
                    "\n",
                    "\r",
                    "mx.example",
                    "MX.Example.",
                    "mx.exampl",
                    "other",
                    ";",
                    "(",
                    ")",
                    "\"",
                    "\\",
                    "x: y\r\n");

    /// The rules once more, over a whole message.
    private static final class Twin {
        private final String message;
        private final StringBuilder kept = new StringBuilder();

        Twin(String message) {
            this.message = message;
        }

        static String filter(String message) {
            return new Twin(message).run();
        }

        private String run() {
            int at = 0;
            boolean isAfterCrLf = true;
            while (at < message.length()) {
                int next = lineEnd(at);
                String line = message.substring(at, next);
                if (line.equals("\r\n") && isAfterCrLf) {
                    return kept.append(message.substring(at)).toString();
                }
                int fieldEnd = next;
                while (fieldEnd < message.length() && isBlank(message.charAt(fieldEnd))) {
                    fieldEnd = lineEnd(fieldEnd);
                }
                if (isForged(message.substring(at, fieldEnd).replace("\r", ""))) {
                    at = fieldEnd;
                } else {
                    kept.append(line);
                    isAfterCrLf = line.endsWith("\r\n");
                    at = next;
                }
            }
            return kept.toString();
        }

        private int lineEnd(int from) {
            int lf = message.indexOf('\n', from);
            return lf < 0 ? message.length() : lf + 1;
        }

        private static boolean isForged(String field) {
            if (field.matches("(?is)(x-amtp-trust|mpc)[ \t]*:.*")) {
                return true;
            }
            return field.matches("(?is)authentication-results[ \t]*:.*")
                    && isOurs(field.substring(field.indexOf(':') + 1));
        }

        private static boolean isOurs(String value) {
            int depth = 0;
            int i = 0;
            for (; i < value.length(); i++) {
                char c = value.charAt(i);
                if (depth > 0 && c == '\\') {
                    i++;
                } else if (c == '(') {
                    depth++;
                } else if (depth > 0 && c == ')') {
                    depth--;
                } else if (depth == 0 && c != ' ' && c != '\t' && c != '\n') {
                    break;
                }
            }
            if (i >= value.length()) {
                return false;
            }
            String id = value.charAt(i) == '"' ? unquoted(value.substring(i + 1)) : token(value, i);
            return id.equalsIgnoreCase(US) || id.equalsIgnoreCase(US + ".");
        }

        private static String token(String value, int from) {
            int i = from;
            while (i < value.length() && "()<>@,;:\\\"/[]?= \t\n".indexOf(value.charAt(i)) < 0) {
                i++;
            }
            return value.substring(from, i);
        }

        private static String unquoted(String value) {
            StringBuilder text = new StringBuilder();
            String unfolded = value.replace("\n", "");
            for (int i = 0; i < unfolded.length() && unfolded.charAt(i) != '"'; i++) {
                if (unfolded.charAt(i) == '\\') {
                    i++;
                }
                if (i < unfolded.length()) {
                    text.append(unfolded.charAt(i));
                }
            }
            return text.toString();
        }

        private static boolean isBlank(char c) {
            return c == ' ' || c == '\t';
        }
    }

    private static String filter(String message, IntUnaryOperator lengthAt) {
        return filter("MX.example", message, lengthAt);
    }

    private static String filter(
            @Nullable String authservId, String message, IntUnaryOperator lengthAt) {
        BorderFilter filter = filter(authservId);
        StringBuilder kept = new StringBuilder();
        BorderFilter.Next next =
                (text, index, length) ->
                        kept.append(text.toString(index, length, StandardCharsets.ISO_8859_1));
        ByteBuf octets = Unpooled.copiedBuffer(message, StandardCharsets.ISO_8859_1);
        int at = 0;
        while (at < octets.readableBytes()) {
            int length = Math.min(lengthAt.applyAsInt(at), octets.readableBytes() - at);
            // Octets around it, which are not of the message.
            ByteBuf piece = Unpooled.buffer().writeByte('\n').writeBytes(octets, at, length);
            filter.filter(piece.writeByte(':'), 1, length, next);
            piece.release();
            at += length;
        }
        filter.end(next);
        octets.release();
        return kept.toString();
    }

    private static BorderFilter filter(@Nullable String authservId) {
        return Objects.requireNonNull(BorderFilter.of(authservId, true));
    }

    private static String whole(String message) {
        return filter(message, _ -> Integer.MAX_VALUE);
    }

    @Test
    void takesOutWhatOnlyWeMaySay() {
        assertEquals(
                "Received: from a.example\r\nSubject: x\r\n\r\nX-AMTP-Trust: 4\r\n",
                whole(
                        """
                        X-AMTP-Trust: 4
                        Received: from a.example
                        Authentication-Results: mx.example; iprev=pass
                          policy.iprev=192.0.2.1;
                        \tx-amtp=pass
                        authentication-RESULTS :
                         (a (nested \\) comment)) "MX.\\example"
                         1; none
                        Subject: x
                        x-amtp-trust   : 4
                         and more

                        X-AMTP-Trust: 4
                        """
                                .replace("\n", "\r\n")));
    }

    @Test
    void leavesWhatOthersSay() {
        for (String message :
                List.of(
                        "Authentication-Results: other.example; iprev=pass\r\n\r\n",
                        "Authentication-Results: mx.example.org; none\r\n\r\n",
                        "Authentication-Results: (mx.example) other; none\r\n\r\n",
                        "Authentication-Results:\r\nmx.example: x\r\n\r\n",
                        "ARC-Authentication-Results: i=1; mx.example; none\r\n\r\n",
                        "X-AMTP-Trusted: 4\r\n\r\n",
                        "X-AMTP-Trust\r\n: 4\r\n\r\n",
                        "Subject: a\r\n X-AMTP-Trust: 4\r\n\r\n",
                        "\r\nX-AMTP-Trust: 4\r\n",
                        "X-AMTP-Tr",
                        "")) {
            assertEquals(message, whole(message));
        }
    }

    /// Each of the two is asked for by itself.
    @Test
    void codesAndTrustAreTakenOutApart() {
        String message =
                "MPC: com/optin\r\n x\r\nmpc :\r\nMPCS: x\r\nX-AMTP-Trust: 4\r\n\r\nMPC: x\r\n";
        assertEquals("MPCS: x\r\nX-AMTP-Trust: 4\r\n\r\nMPC: x\r\n", filter(null, message, _ -> 1));
        assertEquals("MPCS: x\r\n\r\nMPC: x\r\n", whole(message));
        StringBuilder kept = new StringBuilder();
        BorderFilter trustAlone = Objects.requireNonNull(BorderFilter.of(US, false));
        ByteBuf octets = Unpooled.copiedBuffer(message, StandardCharsets.ISO_8859_1);
        trustAlone.filter(
                octets,
                0,
                octets.readableBytes(),
                (text, index, length) ->
                        kept.append(text.toString(index, length, StandardCharsets.ISO_8859_1)));
        octets.release();
        assertEquals(message.replace("X-AMTP-Trust: 4\r\n", ""), kept.toString());
        assertNull(BorderFilter.of(null, false));
    }

    @Test
    void everyCutGivesTheSame() {
        for (String message :
                List.of(
                        "A: b\r\nX-AMTP-Trust: 4\r\n c\r\nD: e\r\n\r\nf",
                        "Authentication-Results:\r\n (c) mx.example; none\r\n c\r\nD: e\r\n\r\nf",
                        "Authentication-Results: \"mx.\\example\"; none\r\n c\r\nD: e\r\n",
                        "Authentication-Results: mx.exampler\r\nX-AMTP-Trust: 4\r\n\r\nf",
                        "a\nX-AMTP-Trust: 1\r\n\r\nX-AMTP-Trust: 4\r\n\r\nX-AMTP-Trust: 4\r\n",
                        "X-AM\rTP-Trust: 4\n\nAuthentication-Results: mx.example",
                        "X-AMTP-Trust: 4\r\n\r\n\r\nf")) {
            String expected = Twin.filter(message);
            for (int first = 0; first <= message.length(); first++) {
                for (int second = first; second <= message.length(); second++) {
                    int a = first;
                    int b = second;
                    assertEquals(
                            expected,
                            filter(
                                    message,
                                    at -> at < a ? a - at : at < b ? b - at : message.length()),
                            shown(message) + " cut at " + first + " and " + second);
                }
            }
            assertEquals(expected, filter(message, _ -> 1), shown(message) + " octet by octet");
        }
    }

    /// Whatever the pieces and the cuts: what goes on is what the rules leave, and has nothing left
    /// that they would take out.
    @Test
    void takesOutThatAloneAndTwiceIsOnce() {
        RandomGenerator random = new SplittableRandom(47);
        int changed = 0;
        for (int i = 0; i < 60_000; i++) {
            String message = message(random);
            String expected = Twin.filter(message);
            String shown = shown(message);
            assertEquals(expected, whole(message), shown);
            assertEquals(
                    expected,
                    filter(message, at -> 1 + random.nextInt(message.length() - at)),
                    shown);
            assertEquals(expected, whole(expected), shown);
            changed += expected.equals(message) ? 0 : 1;
        }
        assertTrue(changed > 5_000, "messages with a forged field: " + changed);
    }

    private static String message(RandomGenerator random) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(14); n >= 0; n--) {
            text.append(PIECES.get(random.nextInt(PIECES.size())));
        }
        return text.toString();
    }

    /// The bound holds whatever the cut, and what cannot be told within it is out.
    @Test
    void whatCannotBeToldIsOut() {
        int max = BorderFilter.HELD_OCTETS_MAX;
        String name = "Authentication-Results:";
        for (int step : new int[] {1, 7, 999, 1000, 1001, 5000}) {
            String blanks = " ".repeat(max - name.length() - 1);
            assertEquals(
                    "a: b\r\n" + name + blanks + "o; none\r\n",
                    filter("a: b\r\n" + name + blanks + "o; none\r\n", _ -> step));
            assertEquals(
                    "a: b\r\nc: d\r\n",
                    filter("a: b\r\n" + name + blanks + " o; none\r\n e\r\nc: d\r\n", _ -> step));
            assertEquals(
                    "c: d\r\n",
                    filter("X-AMTP-Trust" + "\t".repeat(5000) + "x\r\nc: d\r\n", _ -> step));
            assertEquals("c: d\r\n", filter(name + "(".repeat(5000) + "\r\nc: d\r\n", _ -> step));
        }
    }

    /// Behind the header section there is nothing to look at, and the octets go on uncopied.
    @Test
    void isOverAtTheFirstEmptyLine() {
        BorderFilter filter = filter(US);
        List<ByteBuf> taken = new ArrayList<>();
        ByteBuf octets =
                Unpooled.copiedBuffer("A: b\r\n\r\nX-AMTP-Trust: 4", StandardCharsets.US_ASCII);
        filter.filter(octets, 0, 7, (text, _, _) -> taken.add(text));
        assertEquals(false, filter.isOver());
        filter.filter(octets, 7, 3, (text, _, _) -> taken.add(text));
        assertTrue(filter.isOver());
        filter.filter(octets, 10, 14, (text, _, _) -> taken.add(text));
        assertSame(octets, taken.getLast());
        octets.release();
    }

    private static String shown(String message) {
        return message.replace("\r", "[CR]").replace("\n", "[LF]");
    }
}
