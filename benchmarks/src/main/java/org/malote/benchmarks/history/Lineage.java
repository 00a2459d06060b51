package org.malote.benchmarks.history;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A commit and all before it, newest first, in full.
record Lineage(List<String> hashes) {
    Lineage {
        hashes = List.copyOf(hashes);
        if (hashes.isEmpty()) {
            throw new IllegalArgumentException("a lineage has its commit at least");
        }
    }

    /// The newest of these that is in it, null when none is. They may be abbreviated.
    @Nullable String newest(Collection<String> commits) {
        for (String hash : hashes) {
            for (String commit : commits) {
                if (hash.startsWith(commit)) {
                    return commit;
                }
            }
        }
        return null;
    }

    String name() {
        String newest = hashes.getFirst();
        return newest.substring(0, Math.min(7, newest.length()));
    }
}
