package org.malote.benchmarks;

import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import org.malote.app.WholeServer;
import org.malote.offload.CertificateSettings;
import org.malote.offload.HostTls;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Connections a second of the whole server on the loopback: connect, EHLO, STARTTLS, handshake,
/// EHLO, QUIT, with as many at a time as a busy host has. The client is the load generator, on one
/// event loop in the same JVM: both ends share the processors, and the figure is of both. What a
/// connection costs the server alone is for `benchmarks/handshakes`.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 4, time = 3)
@Measurement(iterations = 5, time = 2)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class ServerConnections {
    private static final String HOST = "mx.test";

    /// At a time.
    private static final int SESSIONS = 32;
    private static final long PATIENCE_SECONDS = 60;

    /// Of an invocation: many times [#SESSIONS], so that its beginning and its end hardly count.
    private static final int CONNECTIONS = 500;

    private static final long MILLIS_MAX = 60_000;

    @Param({"P-256", "RSA-2048"})
    String key;

    /// Others as in [TlsHandshake].
    @Param({"boringssl/native", "boringssl/libcrypto"})
    String tls;

    @Param({"TLSv1.3", "TLSv1.2"})
    String version;

    @Param({"false", "true"})
    boolean resumed;

    private Scratch scratch;
    private WholeServer server;
    private EventLoopGroup loops;
    private HostTls hosts;
    private Load load;
    private long run;

    @Setup(Level.Trial)
    public void open() throws IOException, TlsProblems {
        scratch = new Scratch();
        try {
            server = serve();
        } catch (IOException | RuntimeException e) {
            scratch.close(); // JMH tears down only what was set up
            throw e;
        }
        loops = Transport.loops(1);
        load =
                new Load(
                        "127.0.0.1",
                        server.port(),
                        Load.Security.STARTTLS,
                        version,
                        "",
                        Load.KeyType.ANY,
                        resumed ? 1 : 0,
                        null,
                        null,
                        "peer.test",
                        "",
                        SESSIONS,
                        0,
                        CONNECTIONS,
                        0,
                        0,
                        0,
                        0,
                        1,
                        "box@sink.test",
                        true,
                        false,
                        0,
                        PATIENCE_SECONDS);
        hosts =
                HostTls.open(
                        Blast.tls(load),
                        new TlsEnvironment(InstantSource.system(), new SecureRandom()));
    }

    private WholeServer serve() throws IOException {
        TlsSettings wanted = KeyStand.parse(tls).settings(scratch.path(), key, HOST);
        CertificateSettings certificate = wanted.certificates().getFirst();
        return new WholeServer(
                """
                        hostname = "%s"
                        state    = "state"
                        [[listener]]
                        address = "127.0.0.1:0"
                        tls     = "starttls"
                        [tls]
                        engine       = "%s"
                        provider     = "%s"
                        certificates = [{ chain = "%s", key = "%s" }]
                        [[route]]
                        domain = "*"
                        via    = "discard"
                        [queue]
                        spares = 0
                        [admin]
                        enabled = false
                        """
                        .formatted(
                                HOST,
                                wanted.engine().settingName(),
                                wanted.provider(),
                                certificate.chain(),
                                certificate.key()),
                scratch.path());
    }

    @TearDown(Level.Trial)
    public void close() throws InterruptedException {
        Transport.end(loops);
        hosts.close();
        server.close();
        scratch.close();
    }

    /// @return how many were resumed
    @Benchmark
    @OperationsPerInvocation(CONNECTIONS)
    public long connections() throws InterruptedException {
        // Another run has other hosts, whose sessions nobody has.
        var blast = new Blast(load, loops.next(), hosts, ++run);
        blast.start();
        if (!blast.await(MILLIS_MAX)) {
            throw new IllegalStateException("not within " + MILLIS_MAX + " ms");
        }
        Tally tally = blast.tally();
        if (tally.connections() != CONNECTIONS || !isResumedAsAsked(tally)) {
            throw new IllegalStateException(tally.json());
        }
        return tally.resumedSessions();
    }

    private boolean isResumedAsAsked(Tally tally) {
        // Until the first session is there, all of the first run are full ones.
        return resumed
                ? tally.resumedSessions() >= CONNECTIONS - 2 * SESSIONS
                : tally.resumedSessions() == 0;
    }
}
