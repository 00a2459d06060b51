package org.malote.delivery;

import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.malote.queue.schedule.SiteLimits;

/// The operator's rules for sites; the first that fits wins. A site is the set of hosts that takes
/// the mail of one destination or of many.
///
/// @param usual of a site without a rule
public record SiteTable(List<SiteRule> rules, SiteLimits usual) {
    /// Keys above this are told apart by their checksum. Ours: they are kept for each site.
    private static final int KEY_CHARS_MAX = 200;

    public SiteTable {
        rules = List.copyOf(rules);
    }

    /// No rules.
    ///
    /// @param windowMax attempts at a time at each site
    public static SiteTable usual(int windowMax) {
        return new SiteTable(List.of(), SiteLimits.window(windowMax));
    }

    /// @param hosts the names of all hosts that take the destination's mail
    SiteLimits limits(String destination, Collection<String> hosts) {
        for (SiteRule rule : rules) {
            if (rule.hosts().matches(destination)
                    || hosts.stream().anyMatch(rule.hosts()::matches)) {
                return rule.limits();
            }
        }
        return usual;
    }

    /// A name for a set of hosts, whatever order they are in.
    static String key(Collection<String> hosts, int port) {
        String key = String.join(",", new TreeSet<>(hosts)) + ":" + port;
        return key.length() <= KEY_CHARS_MAX
                ? key
                : key.substring(0, KEY_CHARS_MAX) + "#" + Integer.toHexString(key.hashCode());
    }
}
