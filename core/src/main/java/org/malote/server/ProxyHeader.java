package org.malote.server;

import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;
import org.malote.policy.Peer;
import org.malote.smtp.IpAddresses;

/// What a PROXY header says of the peer (HAProxy, "The PROXY protocol", versions 1 and 2).
final class ProxyHeader {
    private ProxyHeader() {}

    /// The peer that the proxy names; the proxy itself for its own health checks (LOCAL, UNKNOWN);
    /// null when the header names what no SMTP peer can be.
    static @Nullable Peer peer(HAProxyMessage header, Peer proxy) {
        HAProxyProxiedProtocol protocol = header.proxiedProtocol();
        if (header.command() == HAProxyCommand.LOCAL
                || protocol == HAProxyProxiedProtocol.UNKNOWN) {
            return proxy;
        }
        if (protocol != HAProxyProxiedProtocol.TCP4 && protocol != HAProxyProxiedProtocol.TCP6) {
            return null;
        }
        InetAddress source = address(header.sourceAddress());
        InetAddress destination = address(header.destinationAddress());
        return source == null || destination == null
                ? null
                : new Peer(
                        new InetSocketAddress(source, header.sourcePort()),
                        destination,
                        proxy.reach());
    }

    private static @Nullable InetAddress address(@Nullable String text) {
        if (text == null) {
            return null;
        }
        byte[] octets =
                text.indexOf(':') >= 0 ? IpAddresses.parseIpv6(text) : IpAddresses.parseIpv4(text);
        try {
            return octets == null ? null : InetAddress.getByAddress(octets);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are always an address", e);
        }
    }
}
