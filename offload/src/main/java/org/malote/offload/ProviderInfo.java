package org.malote.offload;

import java.util.List;

/// A provider as an operator wants to see it.
///
/// @param name in the settings
/// @param description one line: what it is and what it needs
/// @param missing what this host lacks to use it, in sentences; nothing when it can be used
public record ProviderInfo(String name, String description, List<String> missing) {
    public ProviderInfo {
        missing = List.copyOf(missing);
    }
}
