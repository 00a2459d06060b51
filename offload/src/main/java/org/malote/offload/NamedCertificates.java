package org.malote.offload;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which certificates a peer is offered that asks for a host by name (RFC 6066 §3): for each kind
/// of
/// key the first of the settings that is made for that name. A peer that gives no name, or one
/// that no certificate has, is offered the first of each kind: most senders do not look, and a
/// certificate for another name is better than no TLS. So is one for a name that has no other of
/// that kind of key.
final class NamedCertificates {
    private static final String ANY_LABEL = "*";

    private final List<List<ServedCertificate>> sets = new ArrayList<>();
    private final Map<String, Integer> byName = new HashMap<>();

    /// @param served in the order of the settings
    NamedCertificates(List<ServedCertificate> served) {
        sets.add(firsts(served, served));
        Set<String> names = new LinkedHashSet<>();
        for (ServedCertificate one : served) {
            for (String name : ServedCertificate.dnsNames(one.leaf())) {
                names.add(name.toLowerCase(Locale.ROOT));
            }
        }
        for (String name : names) {
            List<ServedCertificate> made = served.stream().filter(one -> isFor(one, name)).toList();
            List<ServedCertificate> set = firsts(made, served);
            if (!sets.contains(set)) {
                sets.add(set);
            }
            byName.put(name, sets.indexOf(set));
        }
    }

    /// The first of each kind of key, of the preferred where they have it.
    private static List<ServedCertificate> firsts(
            List<ServedCertificate> preferred, List<ServedCertificate> all) {
        List<ServedCertificate> firsts = new ArrayList<>();
        for (SignatureScheme.Family family : SignatureScheme.Family.values()) {
            for (List<ServedCertificate> some : List.of(preferred, all)) {
                var first = some.stream().filter(one -> one.family() == family).findFirst();
                if (first.isPresent()) {
                    firsts.add(first.get());
                    break;
                }
            }
        }
        return List.copyOf(firsts);
    }

    private static boolean isFor(ServedCertificate certificate, String name) {
        return ServedCertificate.dnsNames(certificate.leaf()).stream()
                .map(own -> own.toLowerCase(Locale.ROOT))
                .anyMatch(own -> own.equals(name) || own.equals(wildcard(name)));
    }

    /// RFC 6125 §6.4.3: the pattern for all names beside this one.
    private static String wildcard(String name) {
        int dot = name.indexOf('.');
        return dot < 0 ? name : ANY_LABEL + name.substring(dot);
    }

    /// The sets of certificates; the first is for whoever asks for no name.
    List<List<ServedCertificate>> sets() {
        return List.copyOf(sets);
    }

    /// The number of the set for a peer that asks for this name.
    int setFor(@Nullable String name) {
        if (name == null) {
            return 0;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        Integer exact = byName.get(lower);
        return exact != null ? exact : byName.getOrDefault(wildcard(lower), 0);
    }

    /// Those that nobody is ever offered.
    List<ServedCertificate> neverServed(List<ServedCertificate> served) {
        return served.stream()
                .filter(one -> sets.stream().noneMatch(set -> set.contains(one)))
                .toList();
    }
}
