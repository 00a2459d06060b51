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
/// @param tickets how sessions are resumed
/// @param clientCertificates whether a server asks its peers for one
/// @param handshakeTimeout from the first byte of a handshake to its end; then the connection is
///     closed
public record TlsSettings(
        Engine engine,
        String provider,
        List<CertificateSettings> certificates,
        KeyLimits keyLimits,
        TicketSettings tickets,
        ClientCertificates clientCertificates,
        Duration handshakeTimeout) {

    /// BoringSSL signs in process.
    public static final String DEFAULT_PROVIDER = "native";

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
                TicketSettings.DEFAULT,
                ClientCertificates.NONE,
                DEFAULT_HANDSHAKE_TIMEOUT);
    }

    /// The same with another engine.
    public TlsSettings withEngine(Engine other) {
        return new TlsSettings(
                other,
                provider,
                certificates,
                keyLimits,
                tickets,
                clientCertificates,
                handshakeTimeout);
    }

    /// The same with another provider.
    public TlsSettings withProvider(String other) {
        return new TlsSettings(
                engine,
                other,
                certificates,
                keyLimits,
                tickets,
                clientCertificates,
                handshakeTimeout);
    }

    /// The same with other certificates.
    public TlsSettings withCertificates(List<CertificateSettings> others) {
        return new TlsSettings(
                engine, provider, others, keyLimits, tickets, clientCertificates, handshakeTimeout);
    }

    /// The same with other limits of keys.
    public TlsSettings withKeyLimits(KeyLimits others) {
        return new TlsSettings(
                engine,
                provider,
                certificates,
                others,
                tickets,
                clientCertificates,
                handshakeTimeout);
    }

    /// The same with other tickets.
    public TlsSettings withTickets(TicketSettings others) {
        return new TlsSettings(
                engine,
                provider,
                certificates,
                keyLimits,
                others,
                clientCertificates,
                handshakeTimeout);
    }

    /// The same with another time limit.
    public TlsSettings withHandshakeTimeout(Duration other) {
        return new TlsSettings(
                engine, provider, certificates, keyLimits, tickets, clientCertificates, other);
    }

    /// The same, asking peers for certificates so.
    public TlsSettings withClientCertificates(ClientCertificates others) {
        return new TlsSettings(
                engine, provider, certificates, keyLimits, tickets, others, handshakeTimeout);
    }
}
