package org.malote.delivery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.malote.queue.schedule.SiteLimits;

/// The operator's rules for sites; the first that fits wins. A site is the set of hosts that takes
/// the mail of one destination or of many.
///
/// @param usual for a site that no other rule is for
public record SiteTable(List<SiteRule> rules, SiteRule usual) {
    /// Keys above this are told apart by their checksum. Ours: they are kept for each site.
    private static final int KEY_CHARS_MAX = 200;

    public SiteTable {
        rules = List.copyOf(rules);
    }

    /// No rules.
    ///
    /// @param windowMax attempts at a time at each site
    public static SiteTable usual(int windowMax) {
        return new SiteTable(List.of(), usual(windowMax, Terms.USUAL));
    }

    /// The rule for sites that have none.
    ///
    /// @param windowMax attempts at a time at each site
    public static SiteRule usual(int windowMax, Terms terms) {
        return new SiteRule(new DomainPattern("*"), SiteLimits.window(windowMax), terms);
    }

    /// All terms that hosts are spoken to on, the usual ones first.
    public List<Terms> terms() {
        List<Terms> terms = new ArrayList<>(List.of(usual.terms()));
        rules.forEach(rule -> terms.add(rule.terms()));
        return terms.stream().distinct().toList();
    }

    /// @param hosts the names of all hosts that take the destination's mail
    SiteRule rule(String destination, Collection<String> hosts) {
        for (SiteRule rule : rules) {
            if (rule.hosts().matches(destination)
                    || hosts.stream().anyMatch(rule.hosts()::matches)) {
                return rule;
            }
        }
        return usual;
    }

    /// The site of hosts that are spoken to on these terms. Hosts that are not believed for one
    /// destination may do for the others: those are another site, so that it does not wait with
    /// them.
    ///
    /// @param protocols behind the key: hosts are down for one protocol and up for another
    String key(Collection<String> hosts, String protocols, Terms terms) {
        String key = key(hosts) + protocols;
        return terms.equals(usual.terms()) ? key : key + " " + terms.text();
    }

    /// A name for a set of hosts, whatever order they are in.
    private static String key(Collection<String> hosts) {
        String key = String.join(",", new TreeSet<>(hosts));
        return key.length() <= KEY_CHARS_MAX
                ? key
                : key.substring(0, KEY_CHARS_MAX) + "#" + Integer.toHexString(key.hashCode());
    }
}
