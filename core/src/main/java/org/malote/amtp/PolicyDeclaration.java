package org.malote.amtp;

import java.util.Locale;

/// One `ALLOW=role/class` or `DENY=role/class` (draft-weinman-amtp-03 §4.4.2).
///
/// @param role a role in lower case, or `*` for all of them
/// @param kind a class in lower case, or `*` for all of them
public record PolicyDeclaration(Keyword keyword, String role, String kind) {
    /// All values of a half.
    public static final String ANY = "*";

    /// What is said of the codes that match.
    public enum Keyword {
        ALLOW,
        DENY
    }

    public PolicyDeclaration {
        role = role.toLowerCase(Locale.ROOT);
        kind = kind.toLowerCase(Locale.ROOT);
        if (!isHalf(role) || !isHalf(kind)) {
            throw new IllegalArgumentException("not role/class: " + role + "/" + kind);
        }
    }

    static boolean isHalf(String text) {
        return text.equals(ANY) || MailPolicyCode.isWord(text, 0, text.length());
    }

    /// The codes that it is about; a half that is not defined is about none.
    long bits() {
        long bits = 0;
        for (MailPolicyCode code : MailPolicyCode.ALL) {
            if ((role.equals(ANY) || role.equals(code.role().word()))
                    && (kind.equals(ANY) || kind.equals(code.kind().word()))) {
                bits |= PolicyMask.bit(code);
            }
        }
        return bits;
    }

    /// The declaration as the grammar has it.
    ///
    /// Deviation: the examples of the draft write `ALLOW com/*`, its grammar `ALLOW=com/*`. We
    /// write what the grammar says, and read both.
    public String text() {
        return keyword + "=" + role + "/" + kind;
    }
}
