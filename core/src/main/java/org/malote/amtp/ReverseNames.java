package org.malote.amtp;

import java.net.InetAddress;
import java.util.function.Consumer;

/// Where the names of addresses are found.
public interface ReverseNames {
    /// Finds the names of an address, and whether they have the address. Never blocks, never throws
    /// for what a name or a server does.
    ///
    /// @param found told exactly once, on any thread, perhaps before this method returns. It must
    ///     not block
    void find(InetAddress address, Consumer<ReverseFinding> found);
}
