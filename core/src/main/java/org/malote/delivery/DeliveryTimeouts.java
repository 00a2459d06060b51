package org.malote.delivery;

import java.time.Duration;

/// How long an attempt waits for a host.
///
/// @param connect for the TCP connection; ours: RFC 5321 names none, and a host that does not
///     answer in this time has others beside it
/// @param greeting for the 220: RFC 5321 §4.5.3.2.1, 5 minutes
/// @param hello for the reply to EHLO, HELO or LHLO; ours, as long as the greeting
/// @param startTls for the reply to STARTTLS and for the handshake, each; ours
/// @param mail RFC 5321 §4.5.3.2.2, 5 minutes
/// @param recipient RFC 5321 §4.5.3.2.3, 5 minutes
/// @param dataInitiation for the 354: RFC 5321 §4.5.3.2.4, 2 minutes
/// @param dataBlock for progress while the message is sent: RFC 5321 §4.5.3.2.5, 3 minutes
/// @param dataTermination for the reply to the final dot or a BDAT chunk: RFC 5321 §4.5.3.2.6, 10
///     minutes
/// @param reset for the reply to RSET; ours: nothing depends on it but the connection
/// @param quit for the reply to QUIT; ours: nothing depends on it
public record DeliveryTimeouts(
        Duration connect,
        Duration greeting,
        Duration hello,
        Duration startTls,
        Duration mail,
        Duration recipient,
        Duration dataInitiation,
        Duration dataBlock,
        Duration dataTermination,
        Duration reset,
        Duration quit) {

    public DeliveryTimeouts {
        for (Duration timeout :
                new Duration[] {
                    connect,
                    greeting,
                    hello,
                    startTls,
                    mail,
                    recipient,
                    dataInitiation,
                    dataBlock,
                    dataTermination,
                    reset,
                    quit
                }) {
            if (timeout.isNegative() || timeout.isZero()) {
                throw new IllegalArgumentException("a timeout must be above zero");
            }
        }
    }

    /// Those of RFC 5321 §4.5.3.2.
    public static DeliveryTimeouts defaults() {
        return new DeliveryTimeouts(
                Duration.ofSeconds(30),
                Duration.ofMinutes(5),
                Duration.ofMinutes(5),
                Duration.ofMinutes(1),
                Duration.ofMinutes(5),
                Duration.ofMinutes(5),
                Duration.ofMinutes(2),
                Duration.ofMinutes(3),
                Duration.ofMinutes(10),
                Duration.ofSeconds(20),
                Duration.ofSeconds(5));
    }
}
