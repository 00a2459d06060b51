package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslHandler;
import java.util.List;

/// The contexts of one engine. All methods may be called from any thread; [TlsContexts] calls
/// `useTicketKeys` and `close` one at a time.
sealed interface EngineContexts permits BoringSslContexts, OpenSslContexts, JdkContexts {

    /// TLS 1.3 in the engine's own order where it insists on one, then TLS 1.2 with forward secrecy
    /// only.
    ///
    /// The last two have no AEAD. They stay because Windows before 2016 offers nothing better with
    /// an RSA certificate, and the alternative to them is not a better cipher but mail in clear
    /// (RFC 7435 §3).
    List<String> CIPHERS =
            List.of(
                    "TLS_AES_128_GCM_SHA256",
                    "TLS_AES_256_GCM_SHA384",
                    "TLS_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
                    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA");

    /// RFC 8996 ended TLS 1.0 and 1.1.
    List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");

    /// Sessions kept for hosts that we send to: two to each of 10,000, at about 2 KiB.
    int CLIENT_SESSIONS_MAX = 20_000;

    static ClientAuth clientAuth(ClientCertificates.Demand demand) {
        return switch (demand) {
            case NO -> ClientAuth.NONE;
            case REQUEST -> ClientAuth.OPTIONAL;
            case REQUIRE -> ClientAuth.REQUIRE;
        };
    }

    /// @param set the number of the certificates to serve
    SslHandler server(ByteBufAllocator allocator, int set);

    SslHandler client(ByteBufAllocator allocator, String host, int port);

    /// The groups for key agreement, the best first, as they are offered and taken.
    List<String> groups();

    /// Whether sessions are resumed, as peers and settings allow.
    default boolean isResuming() {
        return true;
    }

    /// What a peer that is to have no ticket needs beside the option SSL_OP_NO_TICKET.
    ///
    /// @param ssl the address of its `SSL`
    default void withholdTickets(long ssl) {}

    void useTicketKeys(OpenSslSessionTicketKey[] keys);

    /// No new handlers after this; those that exist go on.
    void close();
}
