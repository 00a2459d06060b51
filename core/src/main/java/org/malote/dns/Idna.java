package org.malote.dns;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Names beyond ASCII as the DNS has them (RFC 5890 §2.3.2.1): each U-label becomes its A-label.
///
/// The JDK's `java.net.IDN` is not used: it is IDNA2003, which maps `ß` to `ss`, and that is
/// another domain than the one that RFC 5891 names.
public final class Idna {
    // RFC 3492 §5.
    private static final int BASE = 36;
    private static final int T_MIN = 1;
    private static final int T_MAX = 26;
    private static final int SKEW = 38;
    private static final int DAMP = 700;
    private static final int INITIAL_BIAS = 72;
    private static final int INITIAL_N = 0x80;

    private static final int LABEL_OCTETS_MAX = 63; // RFC 1035 §2.3.4

    /// RFC 1035 §2.3.4: 255 octets on the wire, which is 253 characters.
    private static final int NAME_OCTETS_MAX = 253;

    private Idna() {}

    /// The name with A-labels, in lower case, without a final dot.
    ///
    /// @return the name, or null when it cannot stand in the DNS: an empty or over-long label, an
    ///     over-long name, a character that no host name has
    public static @Nullable String toAscii(String name) {
        String plain = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        // RFC 3490 §3.1: the ideographic full stop is what an input method types for a dot, but
        // an address on the wire has a dot (RFC 6531 §3.3), so it is not taken here.
        StringBuilder ascii = new StringBuilder(plain.length() + 16);
        for (String label : plain.split("\\.", -1)) {
            String encoded = label(label);
            if (encoded == null) {
                return null;
            }
            if (!ascii.isEmpty()) {
                ascii.append('.');
            }
            ascii.append(encoded);
            if (ascii.length() > NAME_OCTETS_MAX) {
                return null;
            }
        }
        return ascii.toString();
    }

    /// The name with U-labels: the other direction of [#toAscii]. A label that is no A-label, or
    /// not one that [#toAscii] would make, stays as it is.
    ///
    /// @param ascii a name as [#toAscii] gives it
    public static String toUnicode(String ascii) {
        StringJoiner unicode = new StringJoiner(".");
        for (String label : ascii.split("\\.", -1)) {
            String decoded =
                    label.startsWith("xn--") ? decode(label.substring("xn--".length())) : null;
            unicode.add(decoded != null && label.equals(label(decoded)) ? decoded : label);
        }
        return unicode.toString();
    }

    private static @Nullable String label(String label) {
        String lower = label.toLowerCase(Locale.ROOT);
        boolean ascii = true;
        for (int i = 0; i < lower.length(); i++) {
            char c = lower.charAt(i);
            if (c >= 0x80) {
                ascii = false;
            } else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
                return null;
            }
        }
        // RFC 5891 §5.2: a U-label is in NFC.
        String encoded =
                ascii ? lower : "xn--" + punycode(Normalizer.normalize(lower, Normalizer.Form.NFC));
        return encoded.isEmpty() || encoded.length() > LABEL_OCTETS_MAX ? null : encoded;
    }

    /// RFC 3492 §6.3. The integers cannot overflow: a label has at most some hundred characters
    /// here, since the name came over a wire that bounds it.
    private static String punycode(String label) {
        int[] points = label.codePoints().toArray();
        StringBuilder out = new StringBuilder(LABEL_OCTETS_MAX);
        for (int point : points) {
            if (point < INITIAL_N) {
                out.append((char) point);
            }
        }
        int basic = out.length();
        int handled = basic;
        if (basic > 0) {
            out.append('-');
        }
        int n = INITIAL_N;
        int delta = 0;
        int bias = INITIAL_BIAS;
        while (handled < points.length) {
            int next = Integer.MAX_VALUE;
            for (int point : points) {
                if (point >= n && point < next) {
                    next = point;
                }
            }
            delta += (next - n) * (handled + 1);
            n = next;
            for (int point : points) {
                if (point < n) {
                    delta++;
                } else if (point == n) {
                    appendDelta(out, delta, bias);
                    bias = adapt(delta, handled + 1, handled == basic);
                    delta = 0;
                    handled++;
                }
            }
            delta++;
            n++;
        }
        return out.toString();
    }

    /// RFC 3492 §6.2.
    ///
    /// @return null when the text is no Punycode
    private static @Nullable String decode(String encoded) {
        int delimiter = encoded.lastIndexOf('-');
        List<Integer> points = new ArrayList<>();
        for (int i = 0; i < delimiter; i++) {
            points.add((int) encoded.charAt(i));
        }
        int n = INITIAL_N;
        int bias = INITIAL_BIAS;
        int i = 0;
        int at = delimiter + 1;
        while (at < encoded.length()) {
            int before = i;
            long sum = i;
            long weight = 1;
            for (int k = BASE; ; k += BASE) {
                int digit = at == encoded.length() ? -1 : value(encoded.charAt(at++));
                sum += digit * weight;
                if (digit < 0 || sum > Integer.MAX_VALUE) {
                    return null;
                }
                int t = Math.clamp(k - bias, T_MIN, T_MAX);
                if (digit < t) {
                    break;
                }
                weight *= BASE - t;
                if (weight > Integer.MAX_VALUE) {
                    return null;
                }
            }
            int count = points.size() + 1;
            bias = adapt((int) sum - before, count, before == 0);
            long point = n + sum / count;
            if (point > Character.MAX_CODE_POINT) {
                return null;
            }
            n = (int) point;
            i = (int) (sum % count);
            points.add(i++, n);
        }
        StringBuilder decoded = new StringBuilder(points.size());
        points.forEach(decoded::appendCodePoint);
        return decoded.toString();
    }

    private static int value(char digit) {
        if (digit >= 'a' && digit <= 'z') {
            return digit - 'a';
        }
        return digit >= '0' && digit <= '9' ? digit - '0' + 26 : -1;
    }

    private static void appendDelta(StringBuilder out, int delta, int bias) {
        int q = delta;
        for (int k = BASE; ; k += BASE) {
            int t = Math.clamp(k - bias, T_MIN, T_MAX);
            if (q < t) {
                out.append(digit(q));
                return;
            }
            out.append(digit(t + (q - t) % (BASE - t)));
            q = (q - t) / (BASE - t);
        }
    }

    /// RFC 3492 §6.1.
    private static int adapt(int delta, int points, boolean first) {
        int d = first ? delta / DAMP : delta / 2;
        d += d / points;
        int k = 0;
        while (d > (BASE - T_MIN) * T_MAX / 2) {
            d /= BASE - T_MIN;
            k += BASE;
        }
        return k + (BASE - T_MIN + 1) * d / (d + SKEW);
    }

    private static char digit(int value) {
        return (char) (value < 26 ? 'a' + value : '0' + value - 26);
    }
}
