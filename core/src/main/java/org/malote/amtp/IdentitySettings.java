package org.malote.amtp;

import java.nio.file.Path;
import java.util.List;

/// How a listener finds out who its peers are.
///
/// @param dial how much it counts
/// @param trust files of authorities that may vouch for a peer
/// @param trustsSystem whether those of the system may, too
/// @param reverse what is asked of the names of a peer's address
public record IdentitySettings(
        Dial dial, List<Path> trust, boolean trustsSystem, ReverseRule reverse) {
    /// Nobody is asked.
    public static final IdentitySettings OFF =
            new IdentitySettings(Dial.OFF, List.of(), false, ReverseRule.UNASKED);

    public IdentitySettings {
        trust = List.copyOf(trust);
    }
}
