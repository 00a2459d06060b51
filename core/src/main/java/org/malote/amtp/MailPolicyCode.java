package org.malote.amtp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A Mail Policy Code, `role/class` (draft-weinman-amtp-03 §4.5). There are 37: every role but
/// `mpc` with every class, and `mpc/individual`.
public record MailPolicyCode(CodeRole role, CodeClass kind) {
    private static final int CLASSES = CodeClass.values().length;

    /// Under which name the queue keeps the code with the envelope (draft-weinman-amtp-03 §4.4.4).
    public static final String ATTRIBUTE = "mpc";

    /// All codes, each at its [#index].
    public static final List<MailPolicyCode> ALL = all();

    /// Administrators about violations: taken by every system (draft-weinman-amtp-03 §4.5).
    public static final MailPolicyCode MPC_INDIVIDUAL =
            new MailPolicyCode(CodeRole.MPC, CodeClass.INDIVIDUAL);

    /// What every notification has (draft-weinman-amtp-03 §6.4).
    public static final MailPolicyCode NOTIFICATION =
            new MailPolicyCode(CodeRole.NET, CodeClass.AUTORESPONSE);

    public MailPolicyCode {
        if (role == CodeRole.MPC && kind != CodeClass.INDIVIDUAL) {
            throw new IllegalArgumentException("mpc stands with individual alone");
        }
    }

    /// What a text is.
    public sealed interface Parsed {
        /// One of the codes.
        record Known(MailPolicyCode code) implements Parsed {}

        /// Two halves, of which one is not defined, or `mpc` with another class than `individual`.
        record Undefined() implements Parsed {}

        /// Not two halves of letters, digits and hyphens with a slash between.
        record Malformed() implements Parsed {}
    }

    private static final Parsed UNDEFINED = new Parsed.Undefined();
    private static final Parsed MALFORMED = new Parsed.Malformed();
    private static final List<Parsed> KNOWN =
            ALL.stream().map(code -> (Parsed) new Parsed.Known(code)).toList();

    /// Reads the value of the MAIL parameter, in any case. Total: any text has an answer, and it is
    /// looked through once.
    ///
    /// Deviation: the draft writes `mpc-value` for two things, of which one has the wildcard `*`
    /// (§4.4.2) and the other has not (§4.5). A message has one code, so here `*` is malformed.
    public static Parsed parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !isWord(text, 0, slash) || !isWord(text, slash + 1, text.length())) {
            return MALFORMED;
        }
        for (MailPolicyCode code : ALL) {
            if (is(code.role.name(), text, 0, slash)
                    && is(code.kind.name(), text, slash + 1, text.length())) {
                return KNOWN.get(code.index());
            }
        }
        return UNDEFINED;
    }

    /// The code of a message in the queue, or null when it has none. One that cannot be read was
    /// put there by another version, and says nothing to this one.
    public static @Nullable MailPolicyCode ofAttributes(Map<String, String> attributes) {
        String text = attributes.get(ATTRIBUTE);
        return text != null && parse(text) instanceof Parsed.Known(var code) ? code : null;
    }

    /// From 0 to 36, and the same in every version: a bit of a mask.
    public int index() {
        return role.place() * CLASSES + kind.place();
    }

    /// The code as it is written, in lower case: `com/confirmed`. It is never another one
    /// (draft-weinman-amtp-03 §4.4.4), and a code is the same in any case.
    public String text() {
        return role.word() + "/" + kind.word();
    }

    @Override
    public String toString() {
        return text();
    }

    /// Draft-weinman-amtp-03 §4.4.2: `(ALPHA / DIGIT) *(ALPHA / DIGIT / "-")`.
    static boolean isWord(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            boolean isLetterOrDigit =
                    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!isLetterOrDigit && (c != '-' || i == from)) {
                return false;
            }
        }
        return from < to;
    }

    private static boolean is(String word, String text, int from, int to) {
        return word.length() == to - from && text.regionMatches(true, from, word, 0, to - from);
    }

    private static List<MailPolicyCode> all() {
        List<MailPolicyCode> codes = new ArrayList<>();
        for (CodeRole role : CodeRole.values()) {
            for (CodeClass kind : CodeClass.values()) {
                if (role != CodeRole.MPC || kind == CodeClass.INDIVIDUAL) {
                    codes.add(new MailPolicyCode(role, kind));
                }
            }
        }
        return List.copyOf(codes);
    }
}
