package org.malote.delivery;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.PolicyDeclarations;
import org.malote.amtp.PolicyMask;
import org.malote.smtp.Extension;
import org.malote.smtp.Reply;

/// What a host said of itself in its reply to EHLO or LHLO (RFC 5321 §4.1.1.1).
///
/// @param extensions those offered that Malote speaks; empty after HELO
/// @param sizeMax octets of the largest message (RFC 1870 §4); 0 when it did not say
/// @param recipientsMax `RCPTMAX` of RFC 9422 §4; 0 when it did not say
/// @param transactionsMax `MAILMAX` of RFC 9422 §4; 0 when it did not say
/// @param codes the Mail Policy Codes that it says it takes
record HostFacts(
        Set<Extension> extensions,
        long sizeMax,
        int recipientsMax,
        int transactionsMax,
        PolicyMask codes) {
    /// A host that knows HELO only.
    static final HostFacts PLAIN = new HostFacts(Set.of(), 0, 0, 0, PolicyMask.ALL);

    private static final int DIGITS_MAX = 18; // what a long holds

    /// Reads the reply. Unknown keywords and arguments that make no sense are passed over.
    static HostFacts parse(Reply reply) {
        Set<Extension> extensions = EnumSet.noneOf(Extension.class);
        long sizeMax = 0;
        long recipientsMax = 0;
        long transactionsMax = 0;
        List<List<String>> declarations = new ArrayList<>();
        // The first line names the host.
        for (String line : reply.lines().subList(1, reply.lines().size())) {
            List<String> words = List.of(line.trim().toUpperCase(Locale.ROOT).split("\\s+", -1));
            for (Extension extension : Extension.values()) {
                if (extension.keyword().equals(words.getFirst())) {
                    extensions.add(extension);
                }
            }
            codes(words, extensions, declarations);
            if (words.getFirst().equals(Extension.SIZE.keyword()) && words.size() > 1) {
                sizeMax = number(words.get(1));
            }
            if (words.getFirst().equals(Extension.LIMITS.keyword())) {
                for (String limit : words) {
                    if (limit.startsWith("RCPTMAX=")) {
                        recipientsMax = number(limit.substring("RCPTMAX=".length()));
                    } else if (limit.startsWith("MAILMAX=")) {
                        transactionsMax = number(limit.substring("MAILMAX=".length()));
                    }
                }
            }
        }
        return new HostFacts(
                Collections.unmodifiableSet(extensions),
                sizeMax,
                (int) Math.min(recipientsMax, Integer.MAX_VALUE),
                (int) Math.min(transactionsMax, Integer.MAX_VALUE),
                PolicyDeclarations.maskOf(declarations));
    }

    /// draft-weinman-amtp-03 §4.4.2: `MPC DENY=com/*`. Leniency: its examples have a space for the
    /// `=`, and one has a line `MPC-DENY com/*` for each declaration, as older drafts asked.
    private static void codes(
            List<String> words, Set<Extension> extensions, List<List<String>> declarations) {
        String keyword = words.getFirst();
        if (keyword.equals(Extension.MPC.keyword()) || keyword.equals(Extension.XMPC.keyword())) {
            declarations.add(words.subList(1, words.size()));
        } else if (keyword.equals("MPC-ALLOW") || keyword.equals("MPC-DENY")) {
            extensions.add(Extension.MPC);
            List<String> plain = new ArrayList<>(words);
            plain.set(0, keyword.substring("MPC-".length()));
            declarations.add(plain);
        }
    }

    /// The parameter of MAIL by which this host is told a code; null when it offers none.
    @Nullable Extension codeKeyword() {
        return offers(Extension.MPC)
                ? Extension.MPC
                : offers(Extension.XMPC) ? Extension.XMPC : null;
    }

    boolean offers(Extension extension) {
        return extensions.contains(extension);
    }

    /// @return 0 when it is not a number or too large to matter
    private static long number(String digits) {
        if (digits.isEmpty() || digits.length() > DIGITS_MAX) {
            return 0;
        }
        for (int i = 0; i < digits.length(); i++) {
            if (digits.charAt(i) < '0' || digits.charAt(i) > '9') {
                return 0;
            }
        }
        return Long.parseLong(digits);
    }
}
