package org.malote.accept;

import java.net.InetAddress;
import java.util.List;
import org.malote.policy.Network;

/// `[trust]` of the configuration: what is told of peers to the filters behind us.
///
/// @param authservId under which we give results (RFC 8601 §2.5)
/// @param use where the fields are written
/// @param networks from which such fields are let in: hosts of ours that have written them
public record TrustSettings(String authservId, Use use, List<Network> networks) {

    /// Where the fields are written, and taken out of what enters.
    public enum Use {
        /// Written at listeners whose `amtp` is not off, and taken out at all: filters do not know
        /// by which of them a message came.
        AUTO,
        /// Everywhere.
        ALWAYS,
        /// Nowhere; those that others have written stay.
        NEVER
    }

    public TrustSettings {
        networks = List.copyOf(networks);
    }

    /// @param hostname ours
    public static TrustSettings defaults(String hostname) {
        return new TrustSettings(hostname, Use.AUTO, List.of());
    }

    /// The same on a host whose listeners are known.
    ///
    /// @param isAnyReporting whether `amtp` is not off at one of them at least
    public TrustSettings at(boolean isAnyReporting) {
        return use == Use.AUTO && !isAnyReporting
                ? new TrustSettings(authservId, Use.NEVER, networks)
                : this;
    }

    /// Whether the fields are written.
    ///
    /// @param isReported whether `amtp` is not off at the listener
    boolean writes(boolean isReported) {
        return switch (use) {
            case AUTO -> isReported;
            case ALWAYS -> true;
            case NEVER -> false;
        };
    }

    /// Whether such fields are taken out of what a client sends.
    boolean removes(InetAddress client) {
        if (use == Use.NEVER) {
            return false;
        }
        for (Network network : networks) {
            if (network.contains(client)) {
                return false;
            }
        }
        return true;
    }
}
