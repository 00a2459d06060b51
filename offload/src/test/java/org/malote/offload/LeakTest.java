package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ResourceLeakDetector;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// Everything native is given back: contexts, engines and buffers. Netty's detector speaks when a
/// lost one is collected and the next of its kind is made.
final class LeakTest {
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    /// The collector hands lost objects over on a thread of its own: a few rounds give it time.
    private static final int ROUNDS = 5;

    private final ListAppender<ILoggingEvent> events = new ListAppender<>();
    private final Logger detector = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
    @TempDir private Path directory;

    @BeforeEach
    void listen() {
        assertEquals(ResourceLeakDetector.Level.PARANOID, ResourceLeakDetector.getLevel());
        events.start();
        detector.addAppender(events);
    }

    @AfterEach
    void stopListening() {
        detector.detachAppender(events);
    }

    @Test
    void handshakesOfEveryEndLeaveNothingBehind() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        List<CertificateSettings> both =
                List.of(certificates.p256("p256"), certificates.rsa("rsa"));
        for (int i = 0; i < 3; i++) {
            try (TlsContexts contexts = open(both)) {
                talk(contexts);
                garbage(contexts);
            }
            TlsContexts closedEarly = open(both);
            try (Wire wire = connect(closedEarly)) {
                closedEarly.close();
                assertTrue(wire.isUp());
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            reportLost(both);
        }
        assertEquals(List.of(), reports());
    }

    @Test
    void keysOutsideOfTheEngineLeaveNothingBehind() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        List<CertificateSettings> both =
                List.of(certificates.p256("p256"), certificates.rsa("rsa"));
        for (int i = 0; i < 3; i++) {
            try (TlsContexts contexts =
                    TlsContexts.open(
                            TlsSettings.withDefaults(both).withProvider("libcrypto"),
                            TestCertificates.environment())) {
                talk(contexts);
                garbage(contexts);
            }
            HeldSigner signer = new HeldSigner();
            try (TlsContexts contexts =
                    TlsContexts.open(
                            TlsSettings.withDefaults(both).withProvider("held"),
                            TestCertificates.environment(List.of(signer)))) {
                talk(contexts);
                signer.isHolding = true;
                meet(contexts); // its signature comes after the end
                signer.letGo();
                meet(contexts); // and this one never
                signer.isHolding = false;
                signer.isFailing = true;
                meet(contexts);
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            reportLost(both);
        }
        assertEquals(List.of(), reports());
    }

    @Test
    void contextsForHostsLeaveNothingBehind() throws Exception {
        TestAuthority authority = new TestAuthority(directory, "known");
        List<CertificateSettings> stranger =
                List.of(new TestCertificates(directory).p256("stranger"));
        HostIdentity us = new HostIdentity("us", List.of(authority.issue("out", "out.example")));
        HostWay opportunistic = new HostWay(HostPolicy.OPPORTUNISTIC, null);
        HostWay verified = new HostWay(HostPolicy.verified(authority.file(), List.of()), "us");
        HostTlsSettings settings =
                new HostTlsSettings(
                        TlsSettings.withDefaults(List.of()),
                        List.of(opportunistic, verified),
                        List.of(us));
        for (int i = 0; i < 3; i++) {
            try (HostTls tls = HostTls.open(settings, TestCertificates.environment());
                    TlsContexts host = open(stranger)) {
                for (HostWay way : List.of(opportunistic, verified, opportunistic)) {
                    try (Wire wire =
                            Wire.converse(
                                    host.serverHandler(ALLOCATOR),
                                    tls.handler(ALLOCATOR, way, "mx1.isp.example", 25))) {
                        assertEquals(way.equals(opportunistic), wire.isUp());
                    }
                }
                assertEquals(List.of(), HostTls.check(settings, TestCertificates.environment()));
                tls.reload(
                        new HostTlsSettings(
                                settings.tls(), List.of(opportunistic), settings.identities()));
                tls.reload(settings);
                tls.reload(settings);
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            reportLost(stranger);
        }
        assertEquals(List.of(), reports());
    }

    @Test
    void theDetectorWouldSpeak() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        List<CertificateSettings> one = List.of(certificates.p256("p256"));
        open(one).serverHandler(ALLOCATOR); // neither closed nor added to a channel
        for (int i = 0; i < ROUNDS && reports().isEmpty(); i++) {
            reportLost(one);
        }
        assertFalse(reports().isEmpty());
    }

    /// Collects what is lost, then makes one of each kind, which makes the detector report.
    private static void reportLost(List<CertificateSettings> certificates) throws TlsProblems {
        WeakReference<Object> canary = new WeakReference<>(new Object());
        while (canary.get() != null) {
            System.gc();
        }
        try (TlsContexts contexts = open(certificates)) {
            talk(contexts);
        }
    }

    private List<String> reports() {
        return events.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private static void talk(TlsContexts contexts) {
        for (int i = 0; i < 3; i++) {
            try (Wire wire = connect(contexts)) {
                assertTrue(wire.isUp(), () -> String.valueOf(wire.serverFailures()));
                assertEquals("helo", wire.say("helo"));
            }
        }
    }

    /// Begins a full handshake, with a client that knows no session, and ends it.
    private static void meet(TlsContexts contexts) throws TlsProblems {
        try (TlsContexts stranger = open(List.of())) {
            Wire.connect(
                            contexts.serverHandler(ALLOCATOR),
                            stranger.clientHandler(ALLOCATOR, "mx1.isp.example", 25))
                    .close();
        }
    }

    private static void garbage(TlsContexts contexts) {
        EmbeddedChannel channel = new EmbeddedChannel(contexts.serverHandler(ALLOCATOR));
        Assertions.assertThrows(
                DecoderException.class,
                () ->
                        channel.writeInbound(
                                ByteBufUtil.writeAscii(ALLOCATOR, "EHLO a.example\r\n")));
        channel.finishAndReleaseAll();
    }

    private static Wire connect(TlsContexts contexts) {
        return Wire.converse(
                contexts.serverHandler(ALLOCATOR),
                contexts.clientHandler(ALLOCATOR, "mx1.isp.example", 25));
    }

    private static TlsContexts open(List<CertificateSettings> certificates) throws TlsProblems {
        return TlsContexts.open(
                TlsSettings.withDefaults(certificates), TestCertificates.environment());
    }
}
