package org.malote.delivery;

import org.jspecify.annotations.Nullable;
import org.malote.dns.Idna;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;
import org.malote.smtp.Printable;

/// Which destinations a route is for: `isp.example` that domain alone, `*.isp.example` any domain
/// below it (and not itself), `*` everything, `[192.0.2.1]` that address literal.
///
/// @param text in lower case and A-labels (RFC 5890 §2.3.2.1)
public record DomainPattern(String text) {
    public DomainPattern {
        if (!isValid(text)) {
            throw new IllegalArgumentException(
                    "not a domain, \"*.domain\" or \"*\": " + Printable.escape(text));
        }
    }

    /// Reads a pattern in any case.
    ///
    /// @return the pattern, or null when the text is none
    public static @Nullable DomainPattern parse(String text) {
        if (text.startsWith("[")) {
            AddressLiteral literal = AddressLiteral.parse(text);
            return literal == null ? null : new DomainPattern(literal.text());
        }
        boolean isBelow = text.startsWith("*.");
        DomainName name = DomainName.parse(isBelow ? text.substring(2) : text);
        // One domain has two forms, and mail comes for either.
        String ascii = name == null ? null : Idna.toAscii(name.text());
        if (ascii != null) {
            return new DomainPattern(isBelow ? "*." + ascii : ascii);
        }
        return text.equals("*") ? new DomainPattern("*") : null;
    }

    /// Whether it matches everything.
    public boolean isCatchAll() {
        return text.equals("*");
    }

    /// @param destination a domain in lower case and A-labels, or an address literal
    public boolean matches(String destination) {
        if (isCatchAll()) {
            return true;
        }
        if (text.startsWith("*.")) {
            return destination.length() > text.length() - 1
                    && destination.endsWith(text.substring(1));
        }
        return text.equalsIgnoreCase(destination);
    }

    @Override
    public String toString() {
        return text;
    }

    private static boolean isValid(String text) {
        if (text.equals("*")) {
            return true;
        }
        if (text.startsWith("[")) {
            return AddressLiteral.parse(text) != null;
        }
        String name = text.startsWith("*.") ? text.substring(2) : text;
        DomainName parsed = DomainName.parse(name);
        return parsed != null && parsed.text().equals(name);
    }
}
