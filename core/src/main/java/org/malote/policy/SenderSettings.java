package org.malote.policy;

/// What is asked of senders: `[policy]` of the configuration.
///
/// @param refusesNullMx whether a stranger's sender whose domain says that it takes no mail is
///     refused
public record SenderSettings(boolean refusesNullMx) {

    /// Refuses what nobody could answer.
    public static SenderSettings defaults() {
        return new SenderSettings(true);
    }
}
