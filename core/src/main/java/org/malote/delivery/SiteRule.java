package org.malote.delivery;

import org.malote.queue.schedule.SiteLimits;

/// What the hosts of a destination may get at a time, and how they are spoken to.
///
/// @param hosts matches the destination, or the name of one of the hosts that take its mail
/// @param limits attempts at a time, each of which has one connection at most, and their rate
/// @param terms TLS and our own address
public record SiteRule(DomainPattern hosts, SiteLimits limits, Terms terms) {}
