package org.malote.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.malote.policy.Network;

final class TicketPolicyTest {
    private final AtomicLong now = new AtomicLong();
    private final TicketPolicy policy =
            new TicketPolicy(
                    SenderNetworks.of(
                            List.of(
                                    network("never", "198.51.100.0/24", TicketUse.OFF),
                                    network("always", "203.0.113.0/24", TicketUse.ON)),
                            TicketUse.AUTO),
                    now::get);

    private static SenderNetwork network(String name, String addresses, TicketUse tickets) {
        return new SenderNetwork(name, List.of(Network.parse(addresses)), tickets);
    }

    private static InetAddress address(String text) throws UnknownHostException {
        return InetAddress.getByName(text);
    }

    @Test
    void aNetworkWhoseConnectionsEndGoesWithoutForADay() throws Exception {
        InetAddress sender = address("192.0.2.1");
        for (int i = 1; i < TicketPolicy.ENDED_MAX; i++) {
            policy.ended(sender);
        }
        assertTrue(policy.gives(sender));
        policy.ended(address("192.0.2.77"));
        assertFalse(policy.gives(sender), "its neighbour counts");
        assertTrue(policy.gives(address("192.0.3.1")));
        assertEquals(1, policy.networksOff());
        now.addAndGet(TicketPolicy.OFF.toNanos() - 1);
        assertFalse(policy.gives(sender));
        now.incrementAndGet();
        assertEquals(0, policy.networksOff(), "though nobody has come again");
        assertTrue(policy.gives(sender));
    }

    @Test
    void oneThatGoesOnIsForgiven() throws Exception {
        InetAddress sender = address("2001:db8::1");
        for (int i = 0; i < 10 * TicketPolicy.ENDED_MAX; i++) {
            if (i % (TicketPolicy.ENDED_MAX - 1) == 0) {
                policy.wentOn(sender);
            }
            policy.ended(sender);
        }
        assertTrue(policy.gives(sender));
    }

    @Test
    void anOperatorsWordHolds() throws Exception {
        InetAddress always = address("203.0.113.9");
        for (int i = 0; i < TicketPolicy.ENDED_MAX; i++) {
            policy.ended(always);
        }
        assertTrue(policy.gives(always));
        assertEquals(0, policy.networksOff());
        assertFalse(policy.gives(address("198.51.100.9")));
        assertEquals("always", policy.nameOf(always));
        assertEquals(SenderNetworks.OTHER, policy.nameOf(address("192.0.2.1")));
        policy.use(SenderNetworks.none(TicketUse.OFF));
        assertFalse(policy.gives(always));
    }

    @Test
    void anOperatorsLaterWordCounts() throws Exception {
        InetAddress sender = address("192.0.2.1");
        for (int i = 0; i < TicketPolicy.ENDED_MAX; i++) {
            policy.ended(sender);
        }
        assertEquals(1, policy.networksOff());
        policy.use(SenderNetworks.none(TicketUse.ON));
        assertTrue(policy.gives(sender));
        assertEquals(0, policy.networksOff());
    }

    @Test
    void memoryIsBounded() throws Exception {
        for (int network = 0; network < 2 * TicketPolicy.NETWORKS_MAX; network++) {
            byte[] octets = {10, (byte) (network >> 8), (byte) network, 1};
            for (int i = 0; i < TicketPolicy.ENDED_MAX; i++) {
                policy.ended(InetAddress.getByAddress(octets));
            }
        }
        assertEquals(TicketPolicy.NETWORKS_MAX, policy.networksOff());
    }
}
