package org.malote.session;

import java.time.Duration;

/// What one session, and all of them together, may use. Every limit is set in the configuration.
///
/// @param commandLineOctetsMax the longest command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for
///     512; the extensions add to it (RFC 3461 §5: 500 for ORCPT and 100 for ENVID; RFC 6531 §3.4;
///     22 for a Mail Policy Code)
/// @param messageOctetsMax the largest message, announced by SIZE (RFC 1870). RFC 5321 §4.5.3.1.7
///     asks for 64 KiB at least
/// @param recipientsMax recipients of one transaction; more get 452 4.5.3. RFC 5321 §4.5.3.1.8 asks
///     for 100 at least
/// @param messagesMax transactions of one session (RFC 9422 MAILMAX)
/// @param commandsMax commands between two accepted messages; ours: it bounds sessions that do
///     nothing, and leaves room for a RCPT for each recipient
/// @param errorsMax lines that are no command, or come out of order, in one session. RFC 5321
///     §4.3.2 leaves it to us; Postfix cuts at 20
/// @param rejectionsMax senders and recipients refused in one session: a harvest of addresses ends
///     here
/// @param receivedHeadersMax Received headers before a message counts as looping. RFC 5321 §6.3
///     asks for 100 at least
/// @param idleTimeout waiting for the first octet of a command. RFC 5321 §4.5.3.2.7: 5 minutes
/// @param commandTimeout from the first octet of a command line to its last. Ours
/// @param dataIdleTimeout waiting for the next octets of a message. RFC 5321 §4.5.3.2.5: 3 minutes
/// @param dataOctetsPerSecondMin the slowest message, averaged after `dataRateGrace`. Ours
/// @param dataRateGrace how long a message may come at any rate. Ours
/// @param greetingDelay how long a peer must be silent before the greeting; zero greets at once.
///     A peer that talks first is cut (RFC 5321 §4.3.1)
/// @param sessionsMax sessions at once
/// @param sessionsPerNetworkMax sessions at once from one client network: an IPv4 /24 or an IPv6
///     /56; relay networks are not counted. Ours
public record SessionLimits(
        int commandLineOctetsMax,
        long messageOctetsMax,
        int recipientsMax,
        int messagesMax,
        int commandsMax,
        int errorsMax,
        int rejectionsMax,
        int receivedHeadersMax,
        Duration idleTimeout,
        Duration commandTimeout,
        Duration dataIdleTimeout,
        int dataOctetsPerSecondMin,
        Duration dataRateGrace,
        Duration greetingDelay,
        int sessionsMax,
        int sessionsPerNetworkMax) {

    public SessionLimits {
        atLeast("command-line-octets-max", commandLineOctetsMax, 512);
        atLeast("message-octets-max", messageOctetsMax, 64 * 1024);
        atLeast("recipients-max", recipientsMax, 100);
        atLeast("messages-max", messagesMax, 1);
        atLeast("commands-max", commandsMax, 10);
        atLeast("errors-max", errorsMax, 1);
        atLeast("rejections-max", rejectionsMax, 1);
        atLeast("received-headers-max", receivedHeadersMax, 100);
        atLeast("data-octets-per-second-min", dataOctetsPerSecondMin, 0);
        atLeast("sessions-max", sessionsMax, 1);
        atLeast("sessions-per-network-max", sessionsPerNetworkMax, 1);
        positive("idle-timeout", idleTimeout);
        positive("command-timeout", commandTimeout);
        positive("data-idle-timeout", dataIdleTimeout);
        positive("data-rate-grace", dataRateGrace);
        if (greetingDelay.isNegative() || greetingDelay.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new IllegalArgumentException("greeting-delay must be from 0s to 1m");
        }
    }

    /// What a host gets that sets nothing.
    public static SessionLimits defaults() {
        return new SessionLimits(
                2048,
                50L * 1024 * 1024,
                1000,
                1000,
                2000,
                20,
                100,
                100,
                Duration.ofMinutes(5),
                Duration.ofMinutes(1),
                Duration.ofMinutes(3),
                64,
                Duration.ofMinutes(1),
                Duration.ZERO,
                10_000,
                200);
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least);
        }
    }

    private static void positive(String name, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException(name + " must be more than 0s");
        }
    }
}
