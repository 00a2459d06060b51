package org.malote.amtp;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.offload.PeerCertificate;
import org.malote.smtp.Printable;

/// Peers that are not believed any more, whoever vouches for them. The draft has no revocation; to
/// shut out an operator that is trusted no longer is what it wants certificates for
/// (draft-weinman-amtp-03 §2, §3.1).
///
/// Deviation: the draft says nothing of how that is done. It is done by this list, and by the
/// revocation lists of authorities.
///
/// A line names a certificate or a key by its SHA-256 in hexadecimal, or a host:
///
/// ```
/// # sold its list in May
/// certificate 3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855e
/// key
/// 9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B:2B:0B:82:2C:D1:5D:6C:15:B0:F0:0A:08
/// name        out1.spam.example
/// name        *.spam.example
/// ```
public final class DenyList {
    /// Ours: some tens of megabytes of memory.
    public static final int ENTRIES_MAX = 100_000;

    /// Nobody.
    public static final DenyList EMPTY = new DenyList(Set.of(), Set.of(), Set.of(), Set.of());

    private static final String BELOW = "*.";
    private static final int DIGEST_CHARS = 64;

    private final Set<String> certificates;
    private final Set<String> keys;
    private final Set<String> names;

    /// Names whose subordinates are meant.
    private final Set<String> parents;

    private DenyList(
            Set<String> certificates, Set<String> keys, Set<String> names, Set<String> parents) {
        this.certificates = Set.copyOf(certificates);
        this.keys = Set.copyOf(keys);
        this.names = Set.copyOf(names);
        this.parents = Set.copyOf(parents);
    }

    /// What a text is.
    public sealed interface Parsed {
        /// A list.
        record Valid(DenyList list) implements Parsed {}

        /// Lines that cannot be read.
        ///
        /// @param faults at least one, in the order of their lines
        record Invalid(List<Fault> faults) implements Parsed {
            public Invalid {
                faults = List.copyOf(faults);
            }
        }
    }

    /// @param line from 1
    /// @param sentence what is wrong, and what to write
    public record Fault(int line, String sentence) {}

    /// Reads a text. Total: all lines that are wrong are told.
    public static Parsed parse(String text) {
        Set<String> certificates = new HashSet<>();
        Set<String> keys = new HashSet<>();
        Set<String> names = new HashSet<>();
        Set<String> parents = new HashSet<>();
        List<Fault> faults = new ArrayList<>();
        int number = 0;
        int entries = 0;
        for (String line : text.lines().toList()) {
            number++;
            int comment = line.indexOf('#');
            String said = (comment < 0 ? line : line.substring(0, comment)).strip();
            if (said.isEmpty()) {
                continue;
            }
            if (++entries > ENTRIES_MAX) {
                faults.add(new Fault(number, "there are more than " + ENTRIES_MAX + " entries"));
                break;
            }
            String[] words = said.split("\\s+", 2);
            String value = words.length == 2 ? words[1] : "";
            String fault =
                    switch (words[0].toLowerCase(Locale.ROOT)) {
                        case "certificate" -> addDigest(value, certificates);
                        case "key" -> addDigest(value, keys);
                        case "name" -> addName(value, names, parents);
                        default ->
                                "\""
                                        + Printable.escape(words[0])
                                        + "\" is none of certificate, key, name";
                    };
            if (!fault.isEmpty()) {
                faults.add(new Fault(number, fault));
            }
        }
        return faults.isEmpty()
                ? new Parsed.Valid(new DenyList(certificates, keys, names, parents))
                : new Parsed.Invalid(faults);
    }

    private static String addDigest(String value, Set<String> digests) {
        String digest = value.replace(":", "").toLowerCase(Locale.ROOT);
        if (digest.length() != DIGEST_CHARS || !digest.matches("[0-9a-f]+")) {
            return "\""
                    + Printable.escape(value)
                    + "\" is no SHA-256 of 64 hexadecimal digits; openssl x509 -fingerprint -sha256"
                    + " prints one";
        }
        digests.add(digest);
        return "";
    }

    private static String addName(String value, Set<String> names, Set<String> parents) {
        boolean isParent = value.startsWith(BELOW);
        String name = HostName.plain(isParent ? value.substring(BELOW.length()) : value);
        if (name == null) {
            return "\""
                    + Printable.escape(value)
                    + "\" is no name such as out1.isp.example or *.isp.example";
        }
        (isParent ? parents : names).add(name);
        return "";
    }

    /// How many entries there are.
    public int size() {
        return certificates.size() + keys.size() + names.size() + parents.size();
    }

    /// The entry by which a peer is on it: for its certificate, its key, or any name that the
    /// certificate has or that EHLO gave.
    ///
    /// @param greeted the name of EHLO in its plain form; null when it was none
    /// @return the entry as a line of the file; null when there is none
    @Nullable String find(PeerCertificate shown, @Nullable String greeted) {
        if (certificates.contains(shown.digest())) {
            return "certificate " + shown.digest();
        }
        if (keys.contains(shown.keyDigest())) {
            return "key " + shown.keyDigest();
        }
        String entry = greeted == null ? null : findName(greeted);
        String commonName = shown.commonName();
        if (entry == null && commonName != null) {
            entry = findName(commonName);
        }
        for (String name : shown.names()) {
            if (entry == null) {
                entry = findName(name);
            }
        }
        return entry == null ? null : "name " + entry;
    }

    private @Nullable String findName(String text) {
        String name = HostName.plain(text);
        if (name == null) {
            return null;
        }
        if (names.contains(name)) {
            return name;
        }
        for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
            String parent = name.substring(dot + 1);
            if (parents.contains(parent)) {
                return BELOW + parent;
            }
        }
        return null;
    }
}
