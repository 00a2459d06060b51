package org.malote.config;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// `[admin]` of the configuration.
///
/// @param address where the metrics and the status page are served, on loopback; null when nowhere
public record AdminSettings(@Nullable InetSocketAddress address) {}
