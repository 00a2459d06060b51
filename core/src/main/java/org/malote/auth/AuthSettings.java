package org.malote.auth;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// `[auth]` of the configuration: who may submit mail, and how often one may be wrong.
///
/// @param users the file of users; null when nobody is known
/// @param mechanisms that are offered; [Mechanism#EXTERNAL] only to a peer whose certificate is
///     believed
/// @param failuresPerSessionMax more end the session. Ours
/// @param failuresPerNetworkMax of an IPv4 address or an IPv6 /56 within `failureWindow`; who has
///     more is not heard. Ours; relay networks are not counted
/// @param failureWindow from the first failure of a network until all are forgotten. Ours
/// @param failureDelay before a failure is told. Ours
public record AuthSettings(
        @Nullable Path users,
        Set<Mechanism> mechanisms,
        int failuresPerSessionMax,
        int failuresPerNetworkMax,
        Duration failureWindow,
        Duration failureDelay) {

    public AuthSettings {
        mechanisms = Set.copyOf(mechanisms);
    }

    /// Every mechanism, and no users.
    public static AuthSettings defaults() {
        return new AuthSettings(
                null,
                EnumSet.allOf(Mechanism.class),
                3,
                20,
                Duration.ofMinutes(10),
                Duration.ofSeconds(1));
    }
}
