package org.malote.amtp;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.PolicyDeclaration.Keyword;

/// What a site, a domain or a recipient says of the codes: `DENY=com/* ALLOW=com/confirmed`
/// (draft-weinman-amtp-03 §4.4.2).
///
/// @param declarations in their order, at least one
public record PolicyDeclarations(List<PolicyDeclaration> declarations) {
    /// Denies nothing, as no declaration at all does (draft-weinman-amtp-03 §4.4.2). What a host
    /// gets that sets nothing: its operator has not asked to lose mail by codes.
    public static final PolicyDeclarations ALL =
            new PolicyDeclarations(
                    List.of(
                            new PolicyDeclaration(
                                    Keyword.ALLOW, PolicyDeclaration.ANY, PolicyDeclaration.ANY)));

    /// Characters of a text. An EHLO line has 512 octets (RFC 5321 §4.5.3.1.5), of which
    /// `250-XMPC ` and the line's end take 11.
    public static final int LENGTH_MAX = 501;

    private static final List<String> ROLES =
            Stream.of(CodeRole.values()).map(CodeRole::word).toList();
    private static final List<String> CLASSES =
            Stream.of(CodeClass.values()).map(CodeClass::word).toList();

    public PolicyDeclarations {
        declarations = List.copyOf(declarations);
        if (declarations.isEmpty()) {
            throw new IllegalArgumentException("there is at least one declaration");
        }
    }

    /// What a text is.
    public sealed interface Parsed {
        /// Declarations.
        record Valid(PolicyDeclarations declarations) implements Parsed {}

        /// A piece that is no declaration.
        record Malformed(String piece) implements Parsed {}

        /// A half that is not defined.
        ///
        /// @param defined what could stand there
        record Undefined(String half, List<String> defined) implements Parsed {
            public Undefined {
                defined = List.copyOf(defined);
            }
        }

        /// Nothing, or more than an EHLO line holds.
        record BadLength() implements Parsed {}
    }

    /// Reads a text, in any case. Total.
    ///
    /// Leniency: the examples of the draft (§4.4.2.1) have a space where its grammar has `=`, so
    /// either is read.
    public static Parsed parse(String text) {
        if (text.isBlank() || text.length() > LENGTH_MAX) {
            return new Parsed.BadLength();
        }
        List<PolicyDeclaration> declarations = new ArrayList<>();
        String[] words = text.strip().split(" +", -1);
        for (int i = 0; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            Keyword keyword = keyword(equals < 0 ? words[i] : words[i].substring(0, equals));
            if (keyword == null || (equals < 0 && i + 1 == words.length)) {
                return new Parsed.Malformed(words[i]);
            }
            String value = equals < 0 ? words[++i] : words[i].substring(equals + 1);
            int slash = value.indexOf('/');
            String role = value.substring(0, Math.max(0, slash)).toLowerCase(Locale.ROOT);
            String kind = value.substring(slash + 1).toLowerCase(Locale.ROOT);
            if (!PolicyDeclaration.isHalf(role) || !PolicyDeclaration.isHalf(kind)) {
                return new Parsed.Malformed(words[i]);
            }
            if (!isDefined(role, ROLES)) {
                return new Parsed.Undefined(role, ROLES);
            }
            if (!isDefined(kind, CLASSES)) {
                return new Parsed.Undefined(kind, CLASSES);
            }
            declarations.add(new PolicyDeclaration(keyword, role, kind));
        }
        return new Parsed.Valid(new PolicyDeclarations(declarations));
    }

    /// What another host's declarations come to. Total: what cannot be read says nothing, since the
    /// host itself enforces what it means, and a half that is not defined here is about no code
    /// that we could send.
    ///
    /// @param lines the words of each: `DENY=com/*`, or `DENY` and `com/*`, in any case
    public static PolicyMask maskOf(List<List<String>> lines) {
        List<PolicyDeclaration> declarations = new ArrayList<>();
        lines.forEach(words -> read(words, declarations));
        return declarations.isEmpty()
                ? PolicyMask.ALL
                : new PolicyDeclarations(declarations).mask();
    }

    private static void read(List<String> words, List<PolicyDeclaration> declarations) {
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            int equals = word.indexOf('=');
            Keyword keyword = keyword(equals < 0 ? word : word.substring(0, equals));
            if (keyword == null || (equals < 0 && i + 1 == words.size())) {
                continue;
            }
            String value = equals < 0 ? words.get(++i) : word.substring(equals + 1);
            int slash = value.indexOf('/');
            String role = value.substring(0, Math.max(0, slash));
            String kind = value.substring(slash + 1);
            if (PolicyDeclaration.isHalf(role) && PolicyDeclaration.isHalf(kind)) {
                declarations.add(new PolicyDeclaration(keyword, role, kind));
            }
        }
    }

    /// What they come to: draft-weinman-amtp-03 §4.4.2. In their order, from a start that is the
    /// opposite of the first.
    ///
    /// Deviation: the same section has a client leave when *any* DENY matches. Then the draft's own
    /// first example would deny what it means to allow, so the last declaration that matches
    /// decides.
    public PolicyMask mask() {
        long bits =
                switch (declarations.getFirst().keyword()) {
                    case ALLOW -> 0;
                    case DENY -> PolicyMask.ALL.bits();
                };
        for (PolicyDeclaration declaration : declarations) {
            bits =
                    switch (declaration.keyword()) {
                        case ALLOW -> bits | declaration.bits();
                        case DENY -> bits & ~declaration.bits();
                    };
        }
        return new PolicyMask(bits);
    }

    /// The argument of the EHLO line.
    public String text() {
        StringJoiner text = new StringJoiner(" ");
        declarations.forEach(declaration -> text.add(declaration.text()));
        return text.toString();
    }

    private static @Nullable Keyword keyword(String text) {
        for (Keyword keyword : Keyword.values()) {
            if (keyword.name().equalsIgnoreCase(text)) {
                return keyword;
            }
        }
        return null;
    }

    private static boolean isDefined(String half, List<String> defined) {
        return half.equals(PolicyDeclaration.ANY) || defined.contains(half);
    }
}
