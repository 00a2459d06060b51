package org.malote.auth;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Names and passwords in the one form in which they are compared (RFC 8265), whatever keyboard
/// they were typed on.
///
/// Names: UsernameCaseMapped (§3.3). Wide and narrow letters become ordinary ones, capitals small
/// ones, then NFC; letters, digits, marks and printable ASCII are taken. A colon is not, since it
/// ends the name in the file. Passwords: OpaqueString (§4.2). Spaces become U+0020, then NFC;
/// controls, format characters, surrogates and what is not assigned are not taken.
///
/// Not done: the direction rule (RFC 5893 §2) and the rules that look at neighbours (RFC 5892
/// appendix A). They keep people from mistaking one name for another on a screen; here names are
/// only compared.
public final class Prepared {
    /// RFC 4616 §2: at least 255 octets must be taken of each.
    static final int NAME_OCTETS_MAX = 255;

    static final int PASSWORD_OCTETS_MAX = 1024;

    /// The block that holds the wide and narrow forms.
    private static final int WIDTH_FORMS_FIRST = 0xff00;

    private static final int WIDTH_FORMS_LAST = 0xffef;

    private Prepared() {}

    /// @return null for what is no name
    public static @Nullable String userName(String text) {
        StringBuilder narrow = new StringBuilder(text.length());
        text.codePoints()
                .forEach(
                        c -> {
                            String one = Character.toString(c);
                            narrow.append(
                                    c >= WIDTH_FORMS_FIRST && c <= WIDTH_FORMS_LAST
                                            ? Normalizer.normalize(one, Normalizer.Form.NFKC)
                                            : one);
                        });
        String name =
                Normalizer.normalize(
                        narrow.toString().toLowerCase(Locale.ROOT), Normalizer.Form.NFC);
        boolean isName =
                !name.startsWith("#")
                        && name.codePoints().allMatch(Prepared::isOfName)
                        && isLong(name, NAME_OCTETS_MAX);
        return isName ? name : null;
    }

    /// @return null for what is no password
    public static @Nullable String password(String text) {
        StringBuilder spaced = new StringBuilder(text.length());
        text.codePoints()
                .map(c -> Character.getType(c) == Character.SPACE_SEPARATOR ? ' ' : c)
                .forEach(spaced::appendCodePoint);
        String password = Normalizer.normalize(spaced.toString(), Normalizer.Form.NFC);
        boolean isPassword =
                password.codePoints().allMatch(Prepared::isOfPassword)
                        && isLong(password, PASSWORD_OCTETS_MAX);
        return isPassword ? password : null;
    }

    private static boolean isLong(String text, int octetsMax) {
        int octets = text.getBytes(StandardCharsets.UTF_8).length;
        return octets > 0 && octets <= octetsMax;
    }

    /// RFC 8264 §4.2: the IdentifierClass.
    private static boolean isOfName(int c) {
        if (c < 0x80) {
            return c > 0x20 && c < 0x7f && c != ':';
        }
        return Character.isLetterOrDigit(c)
                || switch (Character.getType(c)) {
                    case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK -> true;
                    default -> false;
                };
    }

    /// RFC 8264 §4.3: the FreeformClass.
    private static boolean isOfPassword(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.PRIVATE_USE,
                    Character.SURROGATE,
                    Character.UNASSIGNED ->
                    false;
            default -> true;
        };
    }
}
