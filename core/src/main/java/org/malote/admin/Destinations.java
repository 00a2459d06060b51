package org.malote.admin;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.malote.dns.Idna;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;

/// Names of destinations. The queue has a domain as the sender's client wrote it: in A-labels or in
/// U-labels (RFC 5890 §2.3.2.1). To an operator both are one.
final class Destinations {
    private Destinations() {}

    /// Every name that the queue may have for a domain.
    ///
    /// @param domain a domain or an address literal, in any case and form
    /// @throws IllegalArgumentException when the text is neither; the message says so
    static Set<String> parse(String domain) {
        AddressLiteral literal = AddressLiteral.parse(domain);
        if (literal != null) {
            return Set.of(literal.text());
        }
        String plain = domain.endsWith(".") ? domain.substring(0, domain.length() - 1) : domain;
        DomainName name = DomainName.parse(plain);
        String ascii = name == null ? null : Idna.toAscii(name.text());
        if (name == null || ascii == null) {
            throw new IllegalArgumentException(
                    "\"" + domain + "\" is neither a domain nor an address such as [192.0.2.1]");
        }
        Set<String> forms = new TreeSet<>(List.of(name.text(), ascii));
        forms.add(Idna.toUnicode(ascii).toLowerCase(Locale.ROOT));
        return forms;
    }

    /// The one name under which the operator sees it: in A-labels, of which no two look alike.
    static String shown(String destination) {
        String ascii = Idna.toAscii(destination);
        return ascii == null ? destination : ascii;
    }
}
