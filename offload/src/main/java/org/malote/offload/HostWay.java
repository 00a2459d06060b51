package org.malote.offload;

import org.jspecify.annotations.Nullable;

/// How hosts are spoken to: what is asked of them, and who we are to them. Each way has a context
/// and sessions of its own.
///
/// @param identity the name of a [HostIdentity]; null to have no certificate for them
public record HostWay(HostPolicy policy, @Nullable String identity) {}
