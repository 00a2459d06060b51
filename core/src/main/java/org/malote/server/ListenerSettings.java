package org.malote.server;

import java.net.InetSocketAddress;
import java.util.List;
import org.malote.amtp.CodeRules;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.Dial;
import org.malote.policy.Network;

/// One `[[listener]]` of the configuration.
///
/// @param name for logs and meters
/// @param address where to listen; port 0 takes any free one
/// @param profile what it is for
/// @param tls how it speaks TLS
/// @param amtp how much it counts who a peer is
/// @param codes how much Mail Policy Codes count
/// @param proxyNetworks the proxies whose PROXY header is believed. When there are any, a
/// connection
///     from elsewhere is closed, and one without a header too
public record ListenerSettings(
        String name,
        InetSocketAddress address,
        Profile profile,
        TlsMode tls,
        Dial amtp,
        Dial codes,
        List<Network> proxyNetworks) {

    public ListenerSettings {
        proxyNetworks = List.copyOf(proxyNetworks);
    }

    /// Whether it speaks AMTP.
    public boolean isAmtp() {
        return switch (profile) {
            case MX, SUBMISSION -> false;
            case AMTP_PUBLIC, AMTP_PRIVATE -> true;
        };
    }

    /// What its sessions do with Mail Policy Codes.
    CodeRules codeRules(CodeSettings settings) {
        return switch (profile) {
            case MX, SUBMISSION -> CodeRules.ofSmtp(codes, settings);
            case AMTP_PUBLIC, AMTP_PRIVATE -> CodeRules.ofAmtp(codes, settings);
        };
    }
}
