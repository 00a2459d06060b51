package org.malote.offload;

import java.time.Duration;
import java.util.List;

/// What an operator chooses about TLS.
///
/// @param engine who does records and handshakes
/// @param provider the name of the [OffloadProvider] that holds the private keys, `native` by
///     default
/// @param certificates at most one for each kind of key; none makes contexts that can only be a
///     client
/// @param keyLimits for keys that sign outside the TLS engine
/// @param ticketKeyInterval how often a new session-ticket key is made
/// @param sessionLifetime how long a session can be resumed. RFC 8446 §4.6.1: at most 7 days
/// @param handshakeTimeout from the first byte of a handshake to its end; then the connection is
///     closed
public record TlsSettings(
        Engine engine,
        String provider,
        List<CertificateSettings> certificates,
        KeyLimits keyLimits,
        Duration ticketKeyInterval,
        Duration sessionLifetime,
        Duration handshakeTimeout) {

    /// BoringSSL signs in process.
    public static final String DEFAULT_PROVIDER = "native";

    /// A stolen ticket key opens the TLS 1.2 sessions of its life, so that life is short: with the
    /// two defaults a key is in use for 6 hours and remembered for 6 more.
    public static final Duration DEFAULT_TICKET_KEY_INTERVAL = Duration.ofHours(6);

    /// Senders that come back do so within the hour; see [#DEFAULT_TICKET_KEY_INTERVAL] for why it
    /// is not longer.
    public static final Duration DEFAULT_SESSION_LIFETIME = Duration.ofHours(6);

    /// Four round trips and a slow token fit many times over.
    public static final Duration DEFAULT_HANDSHAKE_TIMEOUT = Duration.ofSeconds(30);

    public TlsSettings {
        certificates = List.copyOf(certificates);
    }

    /// Everything but the certificates as it is by default.
    public static TlsSettings withDefaults(List<CertificateSettings> certificates) {
        return new TlsSettings(
                Engine.BORINGSSL,
                DEFAULT_PROVIDER,
                certificates,
                KeyLimits.DEFAULT,
                DEFAULT_TICKET_KEY_INTERVAL,
                DEFAULT_SESSION_LIFETIME,
                DEFAULT_HANDSHAKE_TIMEOUT);
    }

    /// The same with another engine.
    public TlsSettings withEngine(Engine other) {
        return new TlsSettings(
                other,
                provider,
                certificates,
                keyLimits,
                ticketKeyInterval,
                sessionLifetime,
                handshakeTimeout);
    }

    /// The same with another provider.
    public TlsSettings withProvider(String other) {
        return new TlsSettings(
                engine,
                other,
                certificates,
                keyLimits,
                ticketKeyInterval,
                sessionLifetime,
                handshakeTimeout);
    }

    /// The same with other certificates.
    public TlsSettings withCertificates(List<CertificateSettings> others) {
        return new TlsSettings(
                engine,
                provider,
                others,
                keyLimits,
                ticketKeyInterval,
                sessionLifetime,
                handshakeTimeout);
    }

    /// The same with other limits of keys.
    public TlsSettings withKeyLimits(KeyLimits others) {
        return new TlsSettings(
                engine,
                provider,
                certificates,
                others,
                ticketKeyInterval,
                sessionLifetime,
                handshakeTimeout);
    }

    /// The same with other times.
    public TlsSettings withTimes(
            Duration otherTicketKeyInterval,
            Duration otherSessionLifetime,
            Duration otherHandshakeTimeout) {
        return new TlsSettings(
                engine,
                provider,
                certificates,
                keyLimits,
                otherTicketKeyInterval,
                otherSessionLifetime,
                otherHandshakeTimeout);
    }
}
