package org.malote.auth;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// How often each client network has failed to say who it is. For all threads.
///
/// An IPv4 address counts alone: behind those around it are other people. In IPv6 a /56 is one
/// customer (RFC 6177 §2).
final class FailureMemory {
    /// Ours: 100 octets each. Beyond it the oldest is forgotten.
    private static final int NETWORKS_MAX = 50_000;

    private static final int IPV6_OCTETS = 7;

    private static final class Memory {
        private long sinceNanos;
        private int failures;
        private int underWay;
    }

    private final Map<ByteBuffer, Memory> memories = new LinkedHashMap<>();

    /// What may become of one more attempt.
    enum Entry {
        OPEN,
        /// As many attempts are under way as failures are allowed.
        BUSY,
        /// Too many have failed.
        BLOCKED
    }

    /// An attempt begins; when it may, [#end] follows.
    synchronized Entry begin(InetAddress client, AuthSettings settings, long nowNanos) {
        ByteBuffer network = network(client);
        Memory memory = memories.get(network);
        if (memory == null) {
            makeRoom();
            memory = new Memory();
            memories.put(network, memory);
        }
        forget(memory, settings, nowNanos);
        if (memory.failures >= settings.failuresPerNetworkMax()) {
            return Entry.BLOCKED;
        }
        if (memory.underWay >= settings.failuresPerNetworkMax()) {
            return Entry.BUSY;
        }
        memory.underWay++;
        return Entry.OPEN;
    }

    /// An attempt ended.
    synchronized void end(
            InetAddress client, boolean isFailure, AuthSettings settings, long nowNanos) {
        ByteBuffer network = network(client);
        Memory memory = memories.get(network);
        if (memory == null) {
            return; // forgotten for others
        }
        forget(memory, settings, nowNanos);
        memory.underWay = Math.max(0, memory.underWay - 1);
        if (isFailure) {
            if (memory.failures == 0) {
                memory.sinceNanos = nowNanos;
            }
            memory.failures++;
        } else if (memory.failures == 0 && memory.underWay == 0) {
            memories.remove(network);
        }
    }

    private static void forget(Memory memory, AuthSettings settings, long nowNanos) {
        if (memory.failures > 0
                && nowNanos - memory.sinceNanos >= settings.failureWindow().toNanos()) {
            memory.failures = 0;
        }
    }

    private void makeRoom() {
        if (memories.size() >= NETWORKS_MAX) {
            var oldest = memories.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    private static ByteBuffer network(InetAddress client) {
        byte[] octets = client.getAddress();
        return ByteBuffer.wrap(octets.length == 4 ? octets : Arrays.copyOf(octets, IPV6_OCTETS));
    }
}
