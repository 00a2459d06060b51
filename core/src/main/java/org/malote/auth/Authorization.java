package org.malote.auth;

/// As whom a user wants to act (RFC 4422 §3.4.1).
final class Authorization {
    private Authorization() {}

    /// Nobody acts as another.
    ///
    /// @param identity as it was sent; empty: as oneself
    static boolean isFor(String identity, String name) {
        if (identity.isEmpty() || identity.equals(name)) {
            return true;
        }
        String prepared = Prepared.userName(identity);
        return prepared != null && prepared.equals(Prepared.userName(name));
    }
}
