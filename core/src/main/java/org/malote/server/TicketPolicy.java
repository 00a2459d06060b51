package org.malote.server;

import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.malote.smtp.IpAddresses;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which peers get session tickets.
///
/// Since October 2024 some senders of Microsoft end connections depending on when a server's
/// NewSessionTicket comes (golang/go#70232), and mail servers have answered by giving tickets to
/// nobody. Here a network goes without them only once its connections are seen to end so, and tries
/// again a day later: so everybody else keeps the cheaper handshakes.
///
/// Any thread may call it.
public final class TicketPolicy {
    private static final Logger LOG = LoggerFactory.getLogger(TicketPolicy.class);

    /// Connections in a row that end right after a ticket, with no word. Ours: one is an accident,
    /// and a sender that meets the fault meets it each time.
    static final int ENDED_MAX = 5;

    /// Ours: what a sender does to a ticket it does at once.
    static final Duration RIGHT_AFTER = Duration.ofSeconds(5);

    /// Ours: such senders are mended in months.
    static final Duration OFF = Duration.ofDays(1);

    /// Of client networks that are remembered. Ours: half a megabyte.
    static final int NETWORKS_MAX = 4096;

    private static final class Memory {
        /// The last that ended so: a network of the settings may be smaller or larger.
        InetAddress client;

        int endedInARow;
        boolean isOff;
        long offSinceNanos;

        Memory(InetAddress client) {
            this.client = client;
        }

        boolean isOff(long nowNanos) {
            return isOff && nowNanos - offSinceNanos < OFF.toNanos();
        }
    }

    private final LongSupplier nanoTime;
    private volatile SenderNetworks networks;

    // Guarded by itself. Networks whose last connection ended so, or that go without tickets.
    private final Map<ClientNetwork, Memory> memories =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<ClientNetwork, Memory> eldest) {
                    return size() > NETWORKS_MAX;
                }
            };

    /// @param nanoTime a monotonic clock
    public TicketPolicy(SenderNetworks networks, LongSupplier nanoTime) {
        this.networks = networks;
        this.nanoTime = nanoTime;
    }

    /// Uses other networks from the next connection on. What was seen is kept.
    public void use(SenderNetworks others) {
        networks = others;
    }

    /// The name of the network that a client is of, for the meters.
    String nameOf(InetAddress client) {
        return networks.find(client).name();
    }

    /// Whether a client gets tickets now.
    boolean gives(InetAddress client) {
        return switch (networks.find(client).tickets()) {
            case ON -> true;
            case OFF -> false;
            case AUTO -> !isOff(ClientNetwork.of(client));
        };
    }

    private boolean isOff(ClientNetwork network) {
        synchronized (memories) {
            Memory memory = memories.get(network);
            if (memory == null || !memory.isOff) {
                return false;
            }
            if (memory.isOff(nanoTime.getAsLong())) {
                return true;
            }
            memories.remove(network);
            return false;
        }
    }

    /// A client that got tickets went on after them.
    void wentOn(InetAddress client) {
        synchronized (memories) {
            if (!memories.isEmpty()) {
                memories.remove(ClientNetwork.of(client));
            }
        }
    }

    /// A client that got tickets ended the connection right after them.
    void ended(InetAddress client) {
        if (networks.find(client).tickets() != TicketUse.AUTO) {
            return; // an operator has decided
        }
        synchronized (memories) {
            Memory memory =
                    memories.computeIfAbsent(ClientNetwork.of(client), _ -> new Memory(client));
            memory.client = client;
            memory.endedInARow++;
            if (memory.endedInARow < ENDED_MAX || memory.isOff) {
                return;
            }
            memory.isOff = true;
            memory.offSinceNanos = nanoTime.getAsLong();
        }
        LOG.warn(
                "the network of {} gets no session tickets for {} hours: its last {} connections"
                        + " ended right after one",
                IpAddresses.format(client),
                OFF.toHours(),
                ENDED_MAX);
    }

    /// Client networks that go without now, for having ended so.
    public int networksOff() {
        SenderNetworks decided = networks;
        long now = nanoTime.getAsLong();
        synchronized (memories) {
            return (int)
                    memories.values().stream()
                            .filter(
                                    memory ->
                                            memory.isOff(now)
                                                    && decided.find(memory.client).tickets()
                                                            == TicketUse.AUTO)
                            .count();
        }
    }
}
