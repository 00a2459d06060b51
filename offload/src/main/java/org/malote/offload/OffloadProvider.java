package org.malote.offload;

import java.util.List;

/// Where private keys live. Found with [java.util.ServiceLoader] and chosen by the form of a key's
/// location, else by name in the settings, so that a vendor adds one by putting a jar on the class
/// path.
///
/// One instance serves a process for as long as it runs, and is asked from any thread.
public interface OffloadProvider {

    /// The name in the settings, lower case: `native`. It is also the scheme of locations that are
    /// always this provider's: `pkcs11:...` goes to the provider `pkcs11`.
    String name();

    /// One line for the operator: what it is and what it needs.
    String describe();

    /// What this host lacks to use the provider at all, such as a library: sentences that say what
    /// to do. Nothing when keys can be opened, as far as can be told without one.
    default List<String> missing() {
        return List.of();
    }

    /// Opens a key and proves nothing yet: the caller signs with it and verifies before it is used.
    ///
    /// @throws TlsProblems when the key cannot be opened, with every reason that can be found at
    ///     once
    OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems;
}
