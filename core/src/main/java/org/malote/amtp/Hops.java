package org.malote.amtp;

import java.net.InetAddress;
import java.time.InstantSource;
import java.util.function.Supplier;

/// Begins to find out who peers are.
public interface Hops {
    /// A connection has begun. What takes time, which is reverse DNS, is asked for now, so that it
    /// is there when the handshake is over.
    ///
    /// @param listener its name
    /// @param settings of that listener, whose dial is not off
    /// @param peer the address that it came from; behind a proxy, the one that the proxy told
    HopCheck begin(String listener, IdentitySettings settings, InetAddress peer);

    /// Those of a server that runs.
    ///
    /// @param base who is believed now
    static Hops of(Supplier<TrustBase> base, ReverseNames names, InstantSource clock) {
        return (listener, settings, peer) -> {
            PendingReverse reverse = new PendingReverse();
            if (settings.reverse() == ReverseRule.UNASKED) {
                reverse.accept(ReverseFinding.UNASKED);
            } else {
                names.find(peer, reverse);
            }
            return new HopCheck(listener, settings, base, clock, reverse);
        };
    }
}
