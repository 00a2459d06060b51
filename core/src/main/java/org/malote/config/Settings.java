package org.malote.config;

import java.nio.file.Path;
import java.util.List;
import org.malote.accept.TrustSettings;
import org.malote.amtp.AmtpSettings;
import org.malote.amtp.CodeSettings;
import org.malote.auth.AuthSettings;
import org.malote.bounce.BounceSettings;
import org.malote.delivery.DeliverySettings;
import org.malote.delivery.RouteTable;
import org.malote.delivery.SiteTable;
import org.malote.delivery.Source;
import org.malote.dns.DnsSettings;
import org.malote.offload.TlsSettings;
import org.malote.policy.RelaySettings;
import org.malote.policy.SenderSettings;
import org.malote.queue.QueueSettings;
import org.malote.server.ListenerSettings;
import org.malote.server.SenderNetworks;
import org.malote.session.SessionLimits;
import org.malote.smtp.DomainName;

/// Everything that an operator decides. One that exists is valid in itself; whether files, ports
/// and hosts are there is another question.
///
/// @param hostname our name in greetings, trace headers and reports
/// @param state where the spool, generated keys and the control socket live; absolute
/// @param listeners at least one
/// @param tls with no certificates: one is made under `state`
/// @param senderNetworks `[[tls.network]]`
/// @param limits of inbound sessions
/// @param senders `[policy]`
/// @param auth `[auth]`
/// @param codes `[mpc]`
/// @param amtp `[amtp]`
/// @param trust `[trust]`, as it counts with these listeners
/// @param sites `[[site]]`, with `[delivery]`'s terms for the others
/// @param sources `[[source]]`
public record Settings(
        DomainName hostname,
        Path state,
        List<ListenerSettings> listeners,
        TlsSettings tls,
        SenderNetworks senderNetworks,
        QueueSettings queue,
        SessionLimits limits,
        RelaySettings relay,
        SenderSettings senders,
        AuthSettings auth,
        CodeSettings codes,
        AmtpSettings amtp,
        TrustSettings trust,
        RouteTable routes,
        SiteTable sites,
        List<Source> sources,
        DeliverySettings delivery,
        BounceSettings bounce,
        DnsSettings dns,
        AdminSettings admin) {

    public Settings {
        listeners = List.copyOf(listeners);
        sources = List.copyOf(sources);
    }

    /// Where `malote queue` and `malote reload` find the server.
    public Path controlSocket() {
        return state.resolve("control.sock");
    }

    /// Where a self-signed certificate is made when none is configured.
    public Path generatedKeys() {
        return state.resolve("keys");
    }
}
