package org.malote.offload;

/// What a handshake with ourselves took.
///
/// @param version `TLSv1.3` or `TLSv1.2`
/// @param nanos of both ends together, in memory
public record HandshakeCost(String version, boolean isResumed, long nanos) {}
