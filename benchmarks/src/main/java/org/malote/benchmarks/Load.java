package org.malote.benchmarks;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What a load consists of.
///
/// @param version TLSv1.2 or TLSv1.3
/// @param group the only group that is offered; empty for all
/// @param resumedShare of the sessions with TLS, from 0 to 1, those that resume an earlier one
/// @param chain of the client's certificate, with its `key`; null for none
/// @param code the Mail Policy Code of each message, with the keyword that it is given by; empty
///     for none
/// @param helo what EHLO says; empty for a QUIT in its place
/// @param sessions at once, at most
/// @param rate connections begun in a second, whatever becomes of them; 0 for as many as end
/// @param connections to make; 0 for no end
/// @param messages to send; 0 for no end
/// @param seconds in which connections and messages are begun; 0 for no end
/// @param perConnection messages of a connection, the last one's may be fewer; 0 for none
/// @param octets of a message, about
/// @param holdSeconds how long the sessions stay idle once all are up; 0 for not at all
/// @param patienceSeconds how long a session may wait for a reply before it has failed
record Load(
        String host,
        int port,
        Security security,
        String version,
        String group,
        double resumedShare,
        @Nullable Path chain,
        @Nullable Path key,
        String helo,
        String code,
        int sessions,
        double rate,
        long connections,
        long messages,
        long seconds,
        int perConnection,
        int octets,
        int recipients,
        String recipient,
        boolean isPipelined,
        boolean isChunked,
        long holdSeconds,
        long patienceSeconds) {

    /// When TLS begins.
    enum Security {
        NONE,
        STARTTLS,
        IMPLICIT
    }
}
