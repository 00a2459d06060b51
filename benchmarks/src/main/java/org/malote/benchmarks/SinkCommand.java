package org.malote.benchmarks;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.malote.offload.CertificateSettings;
import org.malote.offload.ClientCertificates;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The command line of the null server.
@Command(
        name = "malote-sink",
        description = {
            "Takes mail by SMTP, counts it and forgets it.",
            "",
            "Of messages that malote-blast made it tells how many came twice, came broken, or are"
                    + " missing: of --expect, or else below the highest number that came. It counts"
                    + " until it is told to end (TERM, or control and C), or until --messages have"
                    + " come."
        },
        footer = {
            "",
            "The exit status is 1 when a message came twice or broken, or is missing.",
            "",
            "Examples:",
            "  malote-sink 127.0.0.1:2526",
            "  malote-sink 127.0.0.1:2466 --amtp",
            "  malote-sink 127.0.0.1:2526 --tls starttls --refuse 0.1 --refuse-with '450 4.2.0 later'"
        },
        sortOptions = false,
        version = "Malote 0.1.0",
        mixinStandardHelpOptions = true)
@SuppressWarnings("NullAway.Init") // picocli has the fields set up first.
public final class SinkCommand implements Callable<Integer> {
    private static final int PROGRESS_MILLIS = 500;
    private static final int BACKLOG = 4096;

    @Spec private CommandSpec spec;

    @Parameters(
            paramLabel = "[ADDRESS:]PORT",
            description = "Where to listen; without an address on 127.0.0.1. Port 0 is any.")
    private String address = "";

    @Option(
            names = "--tls",
            defaultValue = "NONE",
            description = "${COMPLETION-CANDIDATES}. Default: none.")
    private Load.Security security = Load.Security.NONE;

    @Option(
            names = "--amtp",
            description = {
                "Take AMTP: TLS is implicit, a client must show a certificate (any will do), and each"
                        + " message needs a Mail Policy Code."
            })
    private boolean isAmtp;

    @Option(
            names = "--certificate",
            paramLabel = "FILE",
            description = "A PEM chain. Default: one that is made and signed by itself.")
    private @Nullable Path chain;

    @Option(names = "--key", paramLabel = "FILE", description = "Its key, PEM.")
    private @Nullable Path key;

    @Option(
            names = "--refuse",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "The share of recipients that are refused. Default: 0.")
    private double refusedShare;

    @Option(
            names = "--refuse-with",
            paramLabel = "REPLY",
            defaultValue = "450 4.2.0 later",
            description = "What they are told. Default: ${DEFAULT-VALUE}.")
    private String refusal = "";

    @Option(
            names = "--delay",
            paramLabel = "MILLIS",
            defaultValue = "0",
            description = "From the end of a message to its 250. Default: 0.")
    private long delayMillis;

    @Option(
            names = "--messages",
            paramLabel = "N",
            defaultValue = "0",
            description = "End when so many have come.")
    private long messagesMax;

    @Option(
            names = "--expect",
            paramLabel = "N",
            defaultValue = "0",
            description = {
                "How many different messages of malote-blast are to come, by all its runs: those"
                        + " that it says were accepted. Without it a loss of the last is not seen."
            })
    private long expected;

    @Option(
            names = "--loops",
            paramLabel = "N",
            defaultValue = "1",
            description = "Event loops. Default: ${DEFAULT-VALUE}.")
    private int loopCount;

    private final CountDownLatch ended = new CountDownLatch(1);

    /// Runs it, and ends the process.
    public static void main(String[] arguments) {
        var command = new SinkCommand();
        var reported = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    command.stop();
                                    try {
                                        var _ = reported.await(5, TimeUnit.SECONDS);
                                    } catch (InterruptedException _) {
                                        Thread.currentThread().interrupt();
                                    }
                                }));
        int status = BlastCommand.commandLine(command).execute(arguments);
        reported.countDown();
        // Not exit: where a signal has begun the end that would wait for itself.
        Runtime.getRuntime().halt(status);
    }

    /// Ends the counting.
    void stop() {
        ended.countDown();
    }

    @Override
    public Integer call() throws Exception {
        if (refusedShare < 0 || refusedShare > 1 || !refusal.matches("[45][0-9][0-9] .+")) {
            throw new IllegalArgumentException(
                    "--refuse takes a share from 0 to 1, --refuse-with a reply such as '450 later'");
        }
        if ((chain == null) != (key == null) || loopCount < 1 || delayMillis < 0) {
            throw new IllegalArgumentException(
                    "--certificate and --key go together; --loops is above 0, --delay not below");
        }
        if (isAmtp && security == Load.Security.STARTTLS) {
            throw new IllegalArgumentException("--amtp has --tls implicit");
        }
        boolean isImplicit = isAmtp || security == Load.Security.IMPLICIT;
        if (expected < 0 || messagesMax < 0) {
            throw new IllegalArgumentException("--expect and --messages must not be below 0");
        }
        var arrivals = new Arrivals(expected);
        EventLoopGroup loops = Transport.loops(loopCount);
        try (TlsContexts tls = isImplicit || security == Load.Security.STARTTLS ? tls() : null) {
            var manner =
                    new Sink.Manner(tls, isImplicit, isAmtp, refusedShare, refusal, delayMillis);
            Channel listening = listen(loops, manner, arrivals, where());
            spec.commandLine().getOut().println("listening on " + text(listening));
            count(arrivals);
            spec.commandLine().getOut().println(arrivals.json());
            return arrivals.isSound() ? 0 : 1;
        } finally {
            Transport.end(loops);
        }
    }

    private static String text(Channel listening) {
        var where = (InetSocketAddress) listening.localAddress();
        return where.getAddress().getHostAddress() + ":" + where.getPort();
    }

    private InetSocketAddress where() {
        int colon = address.lastIndexOf(':');
        String host = colon < 0 ? "127.0.0.1" : address.substring(0, colon);
        try {
            return new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "give [ADDRESS:]PORT, such as 127.0.0.1:2526, not " + address, e);
        }
    }

    static Channel listen(
            EventLoopGroup loops, Sink.Manner manner, Arrivals arrivals, InetSocketAddress where)
            throws InterruptedException {
        return new ServerBootstrap()
                .group(loops)
                .channel(Transport.serverSocket())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(
                        new ChannelInitializer<SocketChannel>() {
                            @Override
                            protected void initChannel(SocketChannel channel) {
                                channel.pipeline().addLast(new Sink(manner, arrivals));
                            }
                        })
                .bind(where)
                .sync()
                .channel();
    }

    private TlsContexts tls() throws IOException, TlsProblems {
        var random = new SecureRandom();
        InstantSource clock = InstantSource.system();
        if (chain != null && key != null) {
            return open(new CertificateSettings(chain, key.toString()), clock, random);
        }
        Path folder = Files.createTempDirectory("malote-sink");
        try {
            return open(SelfSigned.ensure(folder, "sink.test", clock, random), clock, random);
        } finally {
            Files.deleteIfExists(folder.resolve(SelfSigned.FILE_NAME));
            Files.deleteIfExists(folder);
        }
    }

    private TlsContexts open(
            CertificateSettings certificate, InstantSource clock, SecureRandom random)
            throws TlsProblems {
        return TlsContexts.open(
                settings(List.of(certificate), isAmtp), new TlsEnvironment(clock, random));
    }

    /// @param isAmtp whether a client must show a certificate; it is not verified
    static TlsSettings settings(List<CertificateSettings> certificates, boolean isAmtp) {
        TlsSettings settings = TlsSettings.withDefaults(certificates);
        return isAmtp
                ? settings.withClientCertificates(
                        new ClientCertificates(ClientCertificates.Demand.REQUIRE, null, false))
                : settings;
    }

    private void count(Arrivals arrivals) throws InterruptedException {
        try (var progress = new ProgressLine()) {
            while (!ended.await(PROGRESS_MILLIS, TimeUnit.MILLISECONDS)) {
                long messages = arrivals.messages();
                if (messagesMax > 0 && messages >= messagesMax) {
                    return;
                }
                progress.show(String.format("%,d messages", messages));
            }
        }
    }
}
