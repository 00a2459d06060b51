package org.malote.amtp;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `[amtp]` of the configuration: what holds for all listeners that find out who their peers are.
///
/// @param isRelayStrict whether mail from a public network stays inside (draft-weinman-amtp-03
///     §5.1)
/// @param deny a file with a [DenyList]; null: nobody is on it
/// @param revocationLists files of what authorities have taken back
/// @param commonNames when they count
/// @param acceptsServerUse whether a certificate that is good for servers only is believed
public record AmtpSettings(
        boolean isRelayStrict,
        @Nullable Path deny,
        List<Path> revocationLists,
        CommonNames commonNames,
        boolean acceptsServerUse) {

    public AmtpSettings {
        revocationLists = List.copyOf(revocationLists);
    }

    /// The draft's relay rule, and no lists.
    public static AmtpSettings defaults() {
        return new AmtpSettings(true, null, List.of(), CommonNames.PRIVATE, true);
    }
}
