package org.malote.delivery;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import org.jspecify.annotations.Nullable;
import org.malote.offload.CertificateRefused;
import org.malote.offload.TlsSummary;

/// What makes one connection secure. On its event loop.
interface HostSecurity {
    /// To stand before all others. It tells of the handshake by a user event.
    ///
    /// @throws IllegalStateException when there is none to be had in this moment
    ChannelHandler handler(ByteBufAllocator allocator);

    /// Asks what is left to ask of the host when the handshake is over.
    ///
    /// @param handler the one from above
    /// @return what was agreed on
    /// @throws CertificateRefused when the host is not who it must be
    @Nullable TlsSummary established(ChannelHandler handler) throws CertificateRefused;
}
