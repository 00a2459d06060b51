package org.malote.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.malote.offload.CertificateSettings;
import org.malote.offload.KeyEnvironment;
import org.malote.offload.KeyLimits;
import org.malote.offload.OffloadProviders;
import org.malote.offload.TlsSettings;
import org.malote.session.SessionLimits;

/// A server whose private key goes away and comes back.
final class AilingKeysTest {
    @TempDir private Path directory;

    @AfterEach
    void bringBack() {
        AilingKeys.ARE_GONE.set(false);
    }

    /// RFC 3207 §4: what cannot be done now is not offered.
    @Test
    @Timeout(60)
    void startTlsIsOfferedWhileTheKeyCanSign() throws Exception {
        OffloadProviders providers =
                OffloadProviders.installed(
                        new KeyEnvironment(
                                Executors.defaultThreadFactory(),
                                System::nanoTime,
                                new SecureRandom(),
                                null));
        KeyLimits limits = new KeyLimits(1, 100, Duration.ofSeconds(2), Duration.ofMillis(100));
        try (RunningServer server =
                new RunningServer(
                        directory,
                        SessionLimits.defaults(),
                        providers,
                        own ->
                                TlsSettings.withDefaults(
                                                List.of(
                                                        new CertificateSettings(
                                                                own.chain(),
                                                                "jca:"
                                                                        + AilingKeys.class.getName()
                                                                        + "?key="
                                                                        + own.key())))
                                        .withKeyLimits(limits))) {
            assertEquals(true, isOffered(server));
            try (RunningServer.Client client = server.connect("starttls")) {
                assertEquals("220 mx.example ESMTP Malote", client.reply());
                client.ask("EHLO a.example");
                assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
                client.startTls();
            }
            try (RunningServer.Client client = server.connect("starttls")) {
                assertEquals("220 mx.example ESMTP Malote", client.reply());
                client.ask("EHLO a.example");
                assertEquals("220 2.0.0 ready to start TLS", client.ask("STARTTLS"));
                AilingKeys.ARE_GONE.set(true);
                assertThrows(IOException.class, client::startTls);
            }
            while (!server.meters
                    .scrape()
                    .contains(
                            "malote_handshakes_failed_total{cause=\"key\",direction=\"inbound\","
                                    + "key=\"P-256\",provider=\"jca\",version=\"TLSv1.3\"} 1.0")) {
                Thread.onSpinWait(); // the peer may hear of it first
            }
            while (isOffered(server)) {
                Thread.onSpinWait(); // until the key has been tried
            }
            AilingKeys.ARE_GONE.set(false);
            while (!isOffered(server)) {
                Thread.onSpinWait();
            }
        }
    }

    private static boolean isOffered(RunningServer server) throws Exception {
        try (RunningServer.Client client = server.connect("starttls")) {
            assertEquals("220 mx.example ESMTP Malote", client.reply());
            client.ask("EHLO a.example");
            String reply = client.ask("STARTTLS");
            if (!reply.startsWith("220 ")) {
                assertEquals("454 4.7.0 TLS is not available now", reply);
            }
            return reply.startsWith("220 ");
        }
    }
}
