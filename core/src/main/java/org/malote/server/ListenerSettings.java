package org.malote.server;

import java.net.InetSocketAddress;
import java.util.List;
import org.malote.amtp.CodeRules;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.Dial;
import org.malote.amtp.IdentityRules;
import org.malote.amtp.IdentitySettings;
import org.malote.auth.AuthRules;
import org.malote.auth.AuthSettings;
import org.malote.policy.Network;
import org.malote.policy.RelayReach;

/// One `[[listener]]` of the configuration.
///
/// @param name for logs and meters
/// @param address where to listen; port 0 takes any free one
/// @param profile what it is for
/// @param tls how it speaks TLS
/// @param codes how much Mail Policy Codes count
/// @param identity how it finds out who its peers are
/// @param proxyNetworks the proxies whose PROXY header is believed. When there are any, a
/// connection
///     from elsewhere is closed, and one without a header too
public record ListenerSettings(
        String name,
        InetSocketAddress address,
        Profile profile,
        TlsMode tls,
        Dial codes,
        IdentitySettings identity,
        List<Network> proxyNetworks) {

    public ListenerSettings {
        proxyNetworks = List.copyOf(proxyNetworks);
    }

    /// One that asks nobody who they are.
    public ListenerSettings(
            String name,
            InetSocketAddress address,
            Profile profile,
            TlsMode tls,
            Dial codes,
            List<Network> proxyNetworks) {
        this(name, address, profile, tls, codes, IdentitySettings.OFF, proxyNetworks);
    }

    /// How much it counts who a peer is.
    public Dial amtp() {
        return identity.dial();
    }

    /// What its sessions make of who their peers are.
    IdentityRules identityRules() {
        return new IdentityRules(identity.dial(), profile.isAmtp());
    }

    /// How far mail may go that comes in here.
    RelayReach reach() {
        return switch (profile) {
            case MX, SUBMISSION -> RelayReach.USUAL;
            case AMTP_PUBLIC -> RelayReach.INWARD;
            case AMTP_PRIVATE -> RelayReach.OF_MEMBERS;
        };
    }

    /// What its sessions do with Mail Policy Codes.
    CodeRules codeRules(CodeSettings settings) {
        return switch (profile) {
            case MX, SUBMISSION -> CodeRules.ofSmtp(codes, settings);
            case AMTP_PUBLIC, AMTP_PRIVATE -> CodeRules.ofAmtp(codes, settings);
        };
    }

    /// Whether its sessions ask who the user is.
    AuthRules authRules(AuthSettings settings) {
        return switch (profile) {
            case MX, AMTP_PUBLIC -> AuthRules.OFF;
            case SUBMISSION -> AuthRules.ofSubmission(settings);
            case AMTP_PRIVATE -> AuthRules.ofPrivateNetwork(settings);
        };
    }
}
