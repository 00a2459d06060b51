package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.malote.smtp.DomainName;
import org.malote.smtp.Mailbox;

final class CodePoliciesTest {
    private static final DomainName ISP = new DomainName("isp.example");
    private static final Mailbox ANN = new Mailbox("ann", ISP);
    private static final CodePolicies POLICIES =
            new CodePolicies(
                    new CodeSettings(
                            declarations("DENY=*/optout"),
                            Map.of("isp.example", declarations("DENY=com/* ALLOW=com/confirmed")),
                            Map.of(
                                    ANN,
                                    declarations("DENY=ngo/* ALLOW=com/optin"),
                                    new Mailbox("bob", new DomainName("b.example")),
                                    declarations("DENY=*/*")),
                            false,
                            ForeignHeaders.REFUSE));

    private static PolicyDeclarations declarations(String text) {
        return ((PolicyDeclarations.Parsed.Valid) PolicyDeclarations.parse(text)).declarations();
    }

    private static boolean allows(String code, String local, String domain) {
        return POLICIES.allows(
                ((MailPolicyCode.Parsed.Known) MailPolicyCode.parse(code)).code(),
                domain,
                new Mailbox(local, new DomainName(domain)));
    }

    /// Nobody can allow what another has denied.
    @Test
    void siteDomainAndRecipientMustAllAgree() {
        assertFalse(allows("gov/optout", "eve", "elsewhere.example"));
        assertTrue(allows("com/optin", "eve", "elsewhere.example"));
        assertFalse(allows("com/optin", "eve", "isp.example"));
        assertTrue(allows("com/confirmed", "eve", "isp.example"));
        assertFalse(allows("com/optin", "ann", "isp.example"));
        assertFalse(allows("ngo/optin", "ann", "isp.example"));
        assertTrue(allows("ngo/optin", "eve", "isp.example"));
        assertFalse(allows("per/individual", "bob", "b.example"));
        assertTrue(allows("per/individual", "eve", "b.example"));
        assertTrue(allows("mpc/individual", "bob", "b.example"));
        assertTrue(POLICIES.allows(MailPolicyCode.NOTIFICATION));
    }

    @Test
    void noSpellingGetsAroundARecipient() {
        assertFalse(allows("per/individual", "BOB", "b.example"));
        assertFalse(allows("per/individual", "bOb", "b.example"));
    }

    @Test
    void aDecisionMakesNoObject() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int allowed = decide(1_000);
        long before = threads.getCurrentThreadAllocatedBytes();
        int again = decide(1_000);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertEquals(allowed, again);
        // 37,000 decisions; an object for each would be half a megabyte at least.
        assertTrue(allocated < 10_000, allocated + " octets");
    }

    private static int decide(int rounds) {
        int allowed = 0;
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < MailPolicyCode.ALL.size(); i++) {
                MailPolicyCode code = MailPolicyCode.ALL.get(i);
                allowed += POLICIES.allows(code) ? 1 : 0;
                allowed += POLICIES.allows(code, "isp.example", ANN) ? 1 : 0;
            }
        }
        return allowed;
    }
}
