package org.malote.delivery;

import java.time.Duration;

/// What bounds outbound delivery.
///
/// @param heloName our name in EHLO (RFC 5321 §4.1.1.1), where no source has another
/// @param mxPort the port of MX hosts: 25 (RFC 5321 §4.5.4.2)
/// @param attemptsInFlightMax claims in work at one time; each may hold one piece of a message in
///     memory
/// @param connectionsPerHostMax connections to one address at one time
/// @param recipientsPerTransactionMax RFC 5321 §4.5.3.1.8: every host takes 100
/// @param transactionsPerConnectionMax messages before a connection is closed, so that load spreads
///     again over a host's machines
/// @param addressesPerAttemptMax addresses tried in one attempt before it is deferred
/// @param chunkOctetsMax the largest BDAT chunk (RFC 3030 leaves it open): what a host may have to
///     hold at once
/// @param idleConnectionTimeout how long a connection is kept for the next message
/// @param deadHostMemory how long an address that did not answer is skipped
/// @param tlsFailureMemory how long a host whose handshake failed is spoken to without TLS
/// @param allowPrivateTargets whether MX hosts and address literals may lead to private, loopback
///     or link-local addresses. Fixed routes always may
/// @param timeouts how long to wait for a host
/// @param amtp `[amtp]`, at the start
public record DeliverySettings(
        String heloName,
        int mxPort,
        int attemptsInFlightMax,
        int connectionsPerHostMax,
        int recipientsPerTransactionMax,
        int transactionsPerConnectionMax,
        int addressesPerAttemptMax,
        int chunkOctetsMax,
        Duration idleConnectionTimeout,
        Duration deadHostMemory,
        Duration tlsFailureMemory,
        boolean allowPrivateTargets,
        DeliveryTimeouts timeouts,
        AmtpSending amtp) {

    public DeliverySettings {
        if (heloName.isEmpty()) {
            throw new IllegalArgumentException("the name for EHLO must not be empty");
        }
        if (mxPort < 1 || mxPort > 65_535) {
            throw new IllegalArgumentException("a port is from 1 to 65535, not " + mxPort);
        }
        if (attemptsInFlightMax < 1
                || connectionsPerHostMax < 1
                || recipientsPerTransactionMax < 1
                || transactionsPerConnectionMax < 1
                || addressesPerAttemptMax < 1
                || chunkOctetsMax < 1) {
            throw new IllegalArgumentException("a limit of delivery must be at least 1");
        }
        if (idleConnectionTimeout.isNegative()
                || deadHostMemory.isNegative()
                || tlsFailureMemory.isNegative()) {
            throw new IllegalArgumentException("a time of delivery must not be negative");
        }
    }

    /// The same with other rules for AMTP.
    public DeliverySettings with(AmtpSending other) {
        return new DeliverySettings(
                heloName,
                mxPort,
                attemptsInFlightMax,
                connectionsPerHostMax,
                recipientsPerTransactionMax,
                transactionsPerConnectionMax,
                addressesPerAttemptMax,
                chunkOctetsMax,
                idleConnectionTimeout,
                deadHostMemory,
                tlsFailureMemory,
                allowPrivateTargets,
                timeouts,
                other);
    }

    /// Safe for a host of any size.
    ///
    /// @param heloName our name in EHLO
    public static DeliverySettings defaults(String heloName) {
        return new DeliverySettings(
                heloName,
                25,
                500, // at most 32 MiB of message pieces
                20, // what Postfix's administrators are used to
                100,
                100,
                5,
                1 << 20,
                Duration.ofSeconds(5),
                Duration.ofMinutes(1),
                Duration.ofMinutes(10),
                false,
                DeliveryTimeouts.defaults(),
                AmtpSending.STANDARD);
    }
}
