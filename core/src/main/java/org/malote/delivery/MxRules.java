package org.malote.delivery;

import java.net.InetAddress;
import java.util.function.Predicate;

/// What the choice of hosts depends on beside the DNS.
///
/// @param isOurName whether a host name in lower case is ours
/// @param isOurAddress whether mail that is sent to port 25 of this address comes back to us
/// @param isForbidden whether no mail may be sent to this address, though the DNS says so
/// @param families which addresses are used
public record MxRules(
        Predicate<String> isOurName,
        Predicate<InetAddress> isOurAddress,
        Predicate<InetAddress> isForbidden,
        AddressFamilies families) {}
