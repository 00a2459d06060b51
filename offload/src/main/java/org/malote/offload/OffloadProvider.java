package org.malote.offload;

/// Where private keys live. Found with [java.util.ServiceLoader] and chosen by name in the
/// settings, so that a vendor adds one by putting a jar on the class path.
public interface OffloadProvider {

    /// The name in the settings, lower case: `native`.
    String name();

    /// One line for the operator: what it is and what it needs.
    String describe();

    /// Opens a key and proves nothing yet: the caller signs with it and verifies before it is used.
    ///
    /// @throws TlsProblems when the key cannot be opened, with every reason that can be found at
    ///     once
    OpenedKey open(KeyReference reference) throws TlsProblems;
}
