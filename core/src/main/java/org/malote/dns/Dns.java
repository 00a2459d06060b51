package org.malote.dns;

import java.util.function.Consumer;

/// Where names are looked up: the seam between the mail server and the network's name servers.
public interface Dns {
    /// Asks for the records of one type, through aliases (CNAME). Never blocks, never throws for
    /// what a name or a server does.
    ///
    /// @param name a domain name in any case, with or without the final dot; U-labels are encoded
    /// @param answered told exactly once, on any thread, perhaps before this method returns. It
    ///     must not block
    void lookup(String name, RecordType type, Consumer<DnsAnswer> answered);
}
