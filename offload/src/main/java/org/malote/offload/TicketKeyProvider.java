package org.malote.offload;

import java.security.SecureRandom;

/// Where session-ticket keys are kept: a vault, a cluster's store. Found with
/// [java.util.ServiceLoader] and chosen by the start of `ticket-key-source` (`NAME:...`), so that a
/// vendor adds one by putting a jar on the class path.
///
/// One instance serves a process for as long as it runs, and is asked from any thread. What it
/// holds
/// for its sources, such as a connection, it holds itself: a source is not closed.
public interface TicketKeyProvider {

    /// The name in the settings, lower case: `vault`.
    String name();

    /// Opens the keys of a location and asks for none yet.
    ///
    /// @param location as in the settings, with the name: `vault:mail/tickets`
    /// @param settings how often a key is to be made, and how long a session can be resumed
    /// @param random for keys that are made here
    /// @throws TlsProblems when the location cannot be used, with every reason that can be found at
    ///     once
    TicketKeySource open(String location, TicketSettings settings, SecureRandom random)
            throws TlsProblems;
}
