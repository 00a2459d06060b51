package org.malote.delivery;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.malote.dns.Idna;
import org.malote.smtp.MailHost;
import org.malote.smtp.Mailbox;

/// The template of a Maildir route: a path in which `{domain}` and `{local}` stand for the
/// recipient's parts. What comes from the recipient is never more than one file name or a part of
/// one, whatever the peer wrote.
///
/// In a name that comes from a peer the letters, digits and `_ + = - , @ .` stand for themselves.
/// Everything else becomes `%` and two upper-case hexadecimal digits for each octet of its UTF-8
/// form, and so does a dot that a name begins with. So `/`, NUL, `.` and `..` cannot come out, no
/// two recipients share a folder by accident, and the recipient can be read back.
///
/// The local part keeps its case: RFC 5321 §2.4 leaves it to the host whether `Bob` and `bob` are
/// one mailbox, and to take them for one would hand one user's mail to another where they are two.
/// The domain is in lower case with A-labels, so that both forms of a name lead to one folder.
public final class MaildirPath {
    private static final String DOMAIN = "{domain}";
    private static final String LOCAL = "{local}";

    private static final String HEX = "0123456789ABCDEF";

    private final Path base;
    private final List<String> names;

    private MaildirPath(Path base, List<String> names) {
        this.base = base;
        this.names = names;
    }

    /// Reads a template. A relative one is resolved against `directory`.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    public static MaildirPath parse(String template, Path directory) {
        if (template.isEmpty()) {
            throw new IllegalArgumentException(
                    "a maildir route needs a path, as maildir:/var/mail/{domain}/{local}");
        }
        List<String> fixed = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (String name : template.split("/+", -1)) {
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            String literal = name.replace(DOMAIN, "").replace(LOCAL, "");
            if (literal.indexOf('{') >= 0 || literal.indexOf('}') >= 0) {
                throw new IllegalArgumentException(
                        "a maildir path knows {domain} and {local}, and no other braces: "
                                + template);
            }
            boolean isFixed = literal.length() == name.length();
            if (isFixed && names.isEmpty()) {
                fixed.add(name);
            } else if (name.equals("..")) {
                throw new IllegalArgumentException(
                        "a maildir path must not go up behind a placeholder: " + template);
            } else {
                names.add(name);
            }
        }
        Path base = template.startsWith("/") ? Path.of("/") : directory.toAbsolutePath();
        for (String name : fixed) {
            base = base.resolve(name);
        }
        return new MaildirPath(base.normalize(), List.copyOf(names));
    }

    /// The part of the path that is the same for every recipient: no recipient's mail is written
    /// elsewhere.
    public Path base() {
        return base;
    }

    /// The Maildir of a recipient, in or below [#base()].
    public Path resolve(Mailbox recipient) {
        String domain = encode(domain(recipient.host()));
        // An empty quoted local part (RFC 5321 §4.1.2 has "") still is a name, and one that no
        // other local part has.
        String local = recipient.localPart().isEmpty() ? "%" : encode(recipient.localPart());
        Path path = base;
        for (String name : names) {
            path = path.resolve(name.replace(DOMAIN, domain).replace(LOCAL, local));
        }
        return path;
    }

    private static String domain(MailHost host) {
        String ascii = Idna.toAscii(host.text());
        return ascii == null ? host.text() : ascii;
    }

    /// A file name, or a part of one.
    static String encode(String text) {
        StringBuilder encoded = new StringBuilder(text.length() + 8);
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (octet & 0xff);
            if (isPlain(c) && !(c == '.' && encoded.isEmpty())) {
                encoded.append(c);
            } else {
                encoded.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 0xf));
            }
        }
        return encoded.toString();
    }

    private static boolean isPlain(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "_+=-,@.".indexOf(c) >= 0;
    }
}
