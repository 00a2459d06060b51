package org.malote.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.malote.offload.CertificateSettings;
import org.malote.offload.KeyEnvironment;
import org.malote.offload.OffloadProviders;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Handshakes in memory, with a word and its echo, on one thread: the time is that of both ends.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@SuppressWarnings("NullAway.Init") // JMH has the fields set up first.
public class TlsHandshake {
    private static final String HOST = "mx.test";
    private static final int PORT = 25;
    private static final int ROUNDS_MAX = 20;

    @Param({"P-256", "RSA-2048"})
    String key;

    @Param({"native", "libcrypto"})
    String provider;

    @Param({"TLSv1.3", "TLSv1.2"})
    String version;

    @Param({"false", "true"})
    boolean resumed;

    private Path folder;
    private TlsContexts server;
    private TlsContexts client;
    private int hosts;

    @Setup(Level.Trial)
    public void open() throws IOException, InterruptedException, TlsProblems {
        folder = Files.createTempDirectory("malote-jmh-");
        Path chain = folder.resolve("mx.pem");
        Path file = folder.resolve("mx.key");
        var command = new ArrayList<>(List.of("openssl", "req", "-x509", "-nodes"));
        command.addAll(
                key.equals("P-256")
                        ? List.of("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
                        : List.of("-newkey", "rsa:2048"));
        command.addAll(List.of("-subj", "/CN=" + HOST, "-keyout", file.toString(), "-out"));
        command.add(chain.toString());
        int status =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor();
        if (status != 0) {
            throw new IllegalStateException("openssl made no certificate");
        }
        var random = new SecureRandom();
        var keys =
                new KeyEnvironment(
                        Thread.ofPlatform().daemon().factory(), System::nanoTime, random, null);
        server =
                TlsContexts.open(
                        TlsSettings.withDefaults(
                                        List.of(new CertificateSettings(chain, file.toString())))
                                .withProvider(provider),
                        new TlsEnvironment(
                                InstantSource.system(),
                                random,
                                OffloadProviders.installed(keys),
                                List.of(),
                                SignatureWatch.NONE));
        client =
                TlsContexts.open(
                        TlsSettings.withDefaults(List.of()),
                        new TlsEnvironment(InstantSource.system(), random));
        boolean _ = converse(HOST); // the session that is resumed
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        server.close();
        client.close();
        for (String name : List.of("mx.pem", "mx.key")) {
            Files.delete(folder.resolve(name));
        }
        Files.delete(folder);
    }

    /// @return whether it was resumed
    @Benchmark
    public boolean handshake() {
        // Another host each time has no session.
        boolean was = converse(resumed ? HOST : "h" + hosts++ + ".test");
        if (was != resumed) {
            throw new IllegalStateException("resumed: " + was);
        }
        return was;
    }

    private boolean converse(String host) {
        SslHandler serverTls = server.serverHandler(PooledByteBufAllocator.DEFAULT);
        SslHandler clientTls = client.clientHandler(PooledByteBufAllocator.DEFAULT, host, PORT);
        clientTls.engine().setEnabledProtocols(new String[] {version});
        var serverEnd = new EmbeddedChannel(serverTls);
        var clientEnd = new EmbeddedChannel(clientTls);
        for (int i = 0; i < ROUNDS_MAX && !isUp(clientTls, serverTls); i++) {
            carry(clientEnd, serverEnd);
            carry(serverEnd, clientEnd);
        }
        // The tickets of TLS 1.3 come with the first record.
        serverEnd.writeOutbound(ByteBufUtil.writeAscii(PooledByteBufAllocator.DEFAULT, "250\r\n"));
        carry(serverEnd, clientEnd);
        ReferenceCountUtil.release(clientEnd.readInbound());
        boolean was = TlsContexts.summary(clientTls).resumed();
        boolean _ = clientEnd.finishAndReleaseAll();
        boolean _ = serverEnd.finishAndReleaseAll();
        return was;
    }

    private static boolean isUp(SslHandler one, SslHandler other) {
        return one.handshakeFuture().isSuccess() && other.handshakeFuture().isSuccess();
    }

    private static void carry(EmbeddedChannel from, EmbeddedChannel to) {
        from.runPendingTasks();
        for (ByteBuf record = from.readOutbound(); record != null; record = from.readOutbound()) {
            to.writeInbound(record);
        }
        to.runPendingTasks();
    }
}
