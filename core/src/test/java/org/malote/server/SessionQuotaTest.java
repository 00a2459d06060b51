package org.malote.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.malote.session.SessionLimits;

final class SessionQuotaTest {
    @Test
    void countsAllAndByNetworkAndForgets() throws UnknownHostException {
        SessionLimits limits = SessionLimits.defaults();
        SessionQuota quota = new SessionQuota(limits);
        InetAddress first = InetAddress.getByName("192.0.2.1");
        InetAddress neighbour = InetAddress.getByName("192.0.2.200");
        InetAddress other = InetAddress.getByName("192.0.3.1");
        for (int i = 0; i < limits.sessionsPerNetworkMax(); i++) {
            assertTrue(quota.tryEnterNetwork(i % 2 == 0 ? first : neighbour));
        }
        assertFalse(quota.tryEnterNetwork(first));
        assertTrue(quota.tryEnterNetwork(other));
        quota.leaveNetwork(neighbour);
        assertTrue(quota.tryEnterNetwork(first));
        assertFalse(quota.tryEnterNetwork(neighbour));
        for (int i = 0; i < limits.sessionsMax(); i++) {
            assertTrue(quota.tryEnter());
        }
        assertFalse(quota.tryEnter());
        assertEquals(limits.sessionsMax(), quota.sessions());
        quota.leave();
        assertTrue(quota.tryEnter());
    }

    @Test
    void countsAnIpv6SiteAsOne() throws UnknownHostException {
        SessionQuota quota = new SessionQuota(SessionLimits.defaults());
        for (int i = 0; i < SessionLimits.defaults().sessionsPerNetworkMax(); i++) {
            assertTrue(quota.tryEnterNetwork(InetAddress.getByName("2001:db8:0:1::" + (i + 1))));
        }
        assertFalse(quota.tryEnterNetwork(InetAddress.getByName("2001:db8:0:ff::1")));
        assertTrue(quota.tryEnterNetwork(InetAddress.getByName("2001:db8:0:100::1")));
    }
}
