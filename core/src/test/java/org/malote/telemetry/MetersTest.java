package org.malote.telemetry;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.malote.offload.FailedHandshake;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsSummary;

final class MetersTest {
    @Test
    void showsWhatHappened() {
        Meters meters = Meters.withProcess();
        meters.sessionOpened("mx");
        meters.sessionOpened("mx");
        meters.replied(250);
        meters.accepted("mx", 4096, 2_000_000);
        meters.handshake(
                Meters.Direction.INBOUND,
                new TlsSummary(
                        "TLSv1.3", "TLS_AES_128_GCM_SHA256", 128, "X25519MLKEM768", "P-256", false),
                "pkcs11",
                1_000_000);
        meters.handshakeOf("outlook", new TlsSummary("TLSv1.2", "TLS_X", 128, null, null, true));
        meters.endedAfterTicket("outlook");
        meters.handshakeFailed(
                Meters.Direction.INBOUND, new FailedHandshake("timeout", null, null, null));
        meters.handshakeFailed(
                Meters.Direction.INBOUND,
                new FailedHandshake("key", "TLSv1.3", "RSA-2048", "pkcs11"));
        meters.handshakeFailed("untrusted");
        SignatureWatch signatures = meters.signatures();
        signatures.asked("pkcs11");
        signatures.asked("pkcs11");
        signatures.answered("pkcs11", "P-256", 2_000_000_000L, true);
        meters.attempted("maildir", DeliveryLog.Status.SENT, 1500);
        long[] count = {7};
        meters.watch("malote.sessions.active", "Now", () -> 3);
        meters.watchCount("malote.log.dropped", "Dropped", () -> count[0]);
        String text = meters.scrape();
        for (String line :
                new String[] {
                    "malote_sessions_opened_total{listener=\"mx\"} 2.0",
                    "malote_replies_total{code=\"250\"} 1.0",
                    "malote_messages_accepted_total{listener=\"mx\"} 1.0",
                    "malote_message_bytes_sum 4096.0",
                    "malote_handshake_seconds_count{direction=\"inbound\",group=\"X25519MLKEM768\","
                            + "key=\"P-256\",provider=\"pkcs11\",resumed=\"false\",version=\"TLSv1.3\"} 1",
                    "malote_network_handshakes_total{network=\"outlook\",postquantum=\"false\",resumed=\"true\"} 1.0",
                    "malote_network_ended_after_ticket_total{network=\"outlook\"} 1.0",
                    "malote_handshakes_failed_total{cause=\"timeout\",direction=\"inbound\",key=\"none\","
                            + "provider=\"none\",version=\"none\"} 1.0",
                    "malote_handshakes_failed_total{cause=\"key\",direction=\"inbound\",key=\"RSA-2048\","
                            + "provider=\"pkcs11\",version=\"TLSv1.3\"} 1.0",
                    "malote_handshakes_failed_total{cause=\"untrusted\",direction=\"outbound\",key=\"none\","
                            + "provider=\"none\",version=\"none\"} 1.0",
                    "malote_signatures_active{provider=\"pkcs11\"} 1.0",
                    "malote_signature_seconds_sum{key=\"P-256\",provider=\"pkcs11\",signed=\"true\"} 2.0",
                    "malote_delivery_seconds_sum{status=\"sent\",transport=\"maildir\"} 1.5",
                    "malote_sessions_active 3.0",
                    "malote_log_dropped_total 7.0",
                    "process_uptime_seconds",
                }) {
            assertTrue(text.lines().anyMatch(l -> l.startsWith(line)), line + " in\n" + text);
        }
    }
}
