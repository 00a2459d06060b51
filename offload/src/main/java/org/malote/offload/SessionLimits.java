package org.malote.offload;

/// Of the sessions that one context keeps for hosts.
///
/// @param sessionsMax the oldest goes first
/// @param lifetimeSeconds after which none is offered
record SessionLimits(int sessionsMax, int lifetimeSeconds) {}
