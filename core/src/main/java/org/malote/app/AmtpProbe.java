package org.malote.app;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.StringJoiner;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeRole;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.PolicyMask;
import org.malote.delivery.AddressFamilies;
import org.malote.delivery.HostPolicyCodes;
import org.malote.delivery.MxRules;
import org.malote.delivery.Source;
import org.malote.delivery.SrvAnswer;
import org.malote.delivery.SrvHost;
import org.malote.delivery.SrvResolver;
import org.malote.dns.Dns;
import org.malote.offload.HandshakeFault;
import org.malote.offload.HostCertificate;
import org.malote.offload.HostTls;
import org.malote.offload.HostWay;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSummary;
import org.malote.smtp.DomainName;
import org.malote.smtp.IpAddresses;
import org.malote.smtp.Printable;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.ReplyParser;

/// A dialogue with a host of AMTP, for an operator to look at. It blocks its caller.
final class AmtpProbe {
    /// Ours: an operator waits, and a host that takes longer is worth a sentence.
    private static final int STEP_SECONDS_MAX = 30;

    /// IANA's `priv-mail`, for a host without an SRV record.
    private static final int PORT = 24;

    private final Source source;
    private final @Nullable Path authorities;
    private final HostTls tls;
    private final HostWay way;
    private final Dns dns;
    private final Threads threads;
    private final Clock clock;
    private final PrintWriter out;
    private boolean isWell = true;

    /// Where to connect.
    ///
    /// @param label for an operator
    /// @param addresses in the order to try
    /// @param names of which its certificate must have one
    private record Target(String label, List<InetSocketAddress> addresses, List<String> names) {
        Target {
            addresses = List.copyOf(addresses);
            names = List.copyOf(names);
        }
    }

    /// @param authorities by which hosts are verified; null for those of the system
    /// @param way that believes every certificate, so that it can be looked at
    AmtpProbe(
            Source source,
            @Nullable Path authorities,
            HostTls tls,
            HostWay way,
            Dns dns,
            Threads threads,
            Clock clock,
            PrintWriter out) {
        this.source = source;
        this.authorities = authorities;
        this.tls = tls;
        this.way = way;
        this.dns = dns;
        this.threads = threads;
        this.clock = clock;
        this.out = out;
    }

    /// @param target a domain, a host, or `HOST:PORT`
    /// @return whether everything matches
    boolean probe(String target) {
        for (SourceNames.Finding finding : SourceNames.of(source, dns)) {
            step(finding.isGood(), "ours", finding.sentence());
        }
        int colon = target.lastIndexOf(':');
        boolean hasPort = colon > 0 && target.substring(colon + 1).matches("[0-9]{1,5}");
        String name = hasPort ? target.substring(0, colon) : target;
        List<Target> targets = new ArrayList<>();
        SrvAnswer answer = hasPort ? new SrvAnswer.None() : srv(name);
        switch (answer) {
            case SrvAnswer.Hosts(List<SrvHost> hosts, List<String> ignored) -> {
                ignored.forEach(one -> step(false, "SRV", one));
                for (SrvHost host : hosts) {
                    step(true, "SRV", host.name() + ":" + host.port() + " " + shown(host));
                    targets.add(
                            new Target(
                                    host.name() + ":" + host.port(),
                                    host.addresses().stream()
                                            .map(one -> new InetSocketAddress(one, host.port()))
                                            .toList(),
                                    List.of(host.name(), name)));
                }
            }
            case SrvAnswer.None _ -> {
                int port = hasPort ? Integer.parseInt(target.substring(colon + 1)) : PORT;
                if (!hasPort) {
                    step(
                            true,
                            "SRV",
                            "no record " + SrvResolver.PREFIX + name + ": tried as a host");
                }
                targets.add(new Target(name + ":" + port, lookUp(name, port), List.of(name)));
            }
            case SrvAnswer.Refuses _ -> step(false, "SRV", name + " says that it takes no AMTP");
            case SrvAnswer.NoAddress(List<String> reasons) ->
                    step(false, "SRV", String.join("; ", reasons));
            case SrvAnswer.TryLater(String reason) -> step(false, "SRV", reason);
            case SrvAnswer.Forbidden _, SrvAnswer.LoopToUs _ ->
                    step(false, "SRV", "it leads nowhere");
        }
        speakWithFirst(targets);
        out.println(isWell ? "everything matches" : "not everything matches");
        return isWell;
    }

    /// The targets in their order, each with its addresses in theirs, until one answers: as mail
    /// goes.
    private void speakWithFirst(List<Target> targets) {
        for (int i = 0; i < targets.size(); i++) {
            Target target = targets.get(i);
            if (targets.size() > 1) {
                note(String.format("%d of %d: %s", i + 1, targets.size(), target.label()));
            }
            for (InetSocketAddress address : target.addresses()) {
                if (speak(address, target.names())) {
                    targets.subList(i + 1, targets.size())
                            .forEach(
                                    one -> note(one.label() + " was not tried: this one answered"));
                    return;
                }
            }
        }
    }

    private SrvAnswer srv(String name) {
        DomainName domain = DomainName.parse(name);
        if (domain == null) {
            return new SrvAnswer.None();
        }
        CompletableFuture<SrvAnswer> found = new CompletableFuture<>();
        new SrvResolver(
                        dns,
                        new MxRules(_ -> false, _ -> false, _ -> false, AddressFamilies.IPV4_FIRST),
                        _ -> false,
                        new SplittableRandom(clock.millis()))
                .resolve(domain, found::complete);
        return found.completeOnTimeout(
                        new SrvAnswer.TryLater("no answer in time"),
                        STEP_SECONDS_MAX,
                        TimeUnit.SECONDS)
                .join();
    }

    private List<InetSocketAddress> lookUp(String host, int port) {
        try {
            List<InetSocketAddress> found = new ArrayList<>();
            for (InetAddress address : InetAddress.getAllByName(host)) {
                found.add(new InetSocketAddress(address, port));
            }
            return found;
        } catch (UnknownHostException _) {
            step(false, "address", Printable.escape(host) + " has no address");
            return List.of();
        }
    }

    /// @return whether the host has answered in SMTP
    private boolean speak(InetSocketAddress address, List<String> names) {
        String shown = IpAddresses.format(address.getAddress()) + " port " + address.getPort();
        InetAddress own = source.towards(address.getAddress());
        if (own == null) {
            step(false, "address", "the source has no address to reach " + shown + " from");
            return false;
        }
        Dialogue dialogue = new Dialogue();
        ChannelFuture connected =
                new Bootstrap()
                        .group(threads.loops())
                        .channel(threads.clientChannel())
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, STEP_SECONDS_MAX * 1000)
                        .handler(dialogue)
                        .connect(address, new InetSocketAddress(own, 0));
        if (!connected.awaitUninterruptibly().isSuccess()) {
            step(
                    false,
                    "TCP",
                    shown + " from " + IpAddresses.format(own) + ": " + words(connected));
            return false;
        }
        step(true, "TCP", shown + " from " + IpAddresses.format(own));
        Channel channel = connected.channel();
        try {
            SslHandler handler =
                    tls.handler(channel.alloc(), way, names.getFirst(), address.getPort());
            channel.eventLoop()
                    .submit(() -> channel.pipeline().addFirst(handler))
                    .awaitUninterruptibly();
            Future<Channel> handshake = handler.handshakeFuture();
            if (!handshake.awaitUninterruptibly().isSuccess()) {
                step(false, "TLS", HandshakeFault.words(handshake.cause()));
                return false;
            }
            TlsSummary summary = TlsContexts.summary(handler);
            step(true, "TLS", summary == null ? "agreed on" : summary.text());
            certificate(handler, names);
            return talk(dialogue, channel);
        } finally {
            channel.close().awaitUninterruptibly(STEP_SECONDS_MAX, TimeUnit.SECONDS);
        }
    }

    private void certificate(SslHandler handler, List<String> names) {
        HostCertificate certificate = HostTls.certificate(handler);
        if (certificate == null) {
            step(false, "certificate", "the host showed none");
            return;
        }
        step(
                certificate.isFor(names),
                "certificate",
                "for "
                        + Printable.escape(String.join(", ", certificate.names()))
                        + "; wanted "
                        + String.join(" or ", names));
        try {
            String distrust = certificate.distrust(authorities, clock.instant());
            step(
                    distrust == null,
                    "chain",
                    Printable.escape(
                            "issued by "
                                    + certificate.issuer()
                                    + ", until "
                                    + certificate.notAfter()
                                    + (certificate.status().isThere()
                                            ? ", with its issuer's word of today (OCSP)"
                                            : "")
                                    + (distrust == null ? "" : "; " + distrust)));
        } catch (TlsProblems e) {
            step(false, "chain", String.join("; ", e.problems()));
        }
    }

    /// @return whether the host has said anything
    private boolean talk(Dialogue dialogue, Channel channel) {
        Reply greeting = dialogue.next();
        if (!said("greeting", greeting)) {
            return greeting != null;
        }
        Reply hello = dialogue.ask(channel, "EHLO " + source.heloName());
        if (said("EHLO", hello) && hello != null) {
            PolicyMask mask = HostPolicyCodes.of(hello);
            step(true, "policy", policy(mask));
            for (CodeRole role : CodeRole.values()) {
                StringJoiner classes = new StringJoiner(" ");
                for (MailPolicyCode code : MailPolicyCode.ALL) {
                    if (code.role() == role && mask.allows(code)) {
                        classes.add(code.kind().word());
                    }
                }
                out.println(
                        "        may be sent  "
                                + role.word()
                                + ": "
                                + (classes.length() == 0 ? "nothing" : classes));
            }
        }
        var _ = dialogue.ask(channel, "QUIT");
        return true;
    }

    private static String policy(PolicyMask mask) {
        List<String> denied =
                MailPolicyCode.ALL.stream()
                        .filter(code -> !mask.allows(code))
                        .map(MailPolicyCode::text)
                        .toList();
        return denied.isEmpty()
                ? "the host takes every code"
                : "the host denies " + String.join(", ", denied);
    }

    private boolean said(String what, @Nullable Reply reply) {
        boolean isGood = reply != null && reply.isPositive();
        String hint =
                reply != null && reply.code() == 504
                        ? " (it does not accept who we are: see what is said of ours above)"
                        : "";
        step(
                isGood,
                what,
                reply == null
                        ? "no reply came"
                        : Printable.escape(reply.code() + " " + String.join(" | ", reply.lines()))
                                + hint);
        return isGood;
    }

    private void step(boolean isGood, String what, String sentence) {
        isWell &= isGood;
        out.println(String.format("%-6s  %-11s  %s", isGood ? "ok" : "FAILS", what, sentence));
    }

    private void note(String sentence) {
        out.println(String.format("        %-11s  %s", "target", sentence));
    }

    private static String shown(SrvHost host) {
        StringJoiner addresses = new StringJoiner(", ", "[", "]");
        host.addresses().forEach(one -> addresses.add(IpAddresses.format(one)));
        return addresses.toString();
    }

    private static String words(ChannelFuture connected) {
        Throwable cause = connected.cause();
        return cause == null ? "nothing" : String.valueOf(cause.getMessage());
    }

    /// The replies of the host, in order.
    private static final class Dialogue extends ChannelInboundHandlerAdapter {
        private final ReplyParser parser = new ReplyParser();
        private final BlockingQueue<List<Reply>> replies = new LinkedBlockingQueue<>();
        private ByteBuf unread = Unpooled.EMPTY_BUFFER;
        private boolean isOver;

        /// @return null when none comes
        @Nullable Reply next() {
            try {
                List<Reply> next = replies.poll(STEP_SECONDS_MAX, TimeUnit.SECONDS);
                return next == null || next.isEmpty() ? null : next.getFirst();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return null;
            }
        }

        @Nullable Reply ask(Channel channel, String command) {
            var _ =
                    channel.writeAndFlush(
                            Unpooled.copiedBuffer(command + "\r\n", StandardCharsets.US_ASCII));
            return next();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (!(message instanceof ByteBuf octets)) {
                throw new IllegalStateException("a connection carries octets only");
            }
            if (isOver) {
                octets.release();
                return;
            }
            unread = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(context.alloc(), unread, octets);
            while (true) {
                switch (parser.next(unread)) {
                    case ReplyParser.Complete(Reply reply) -> replies.add(List.of(reply));
                    case ReplyParser.Incomplete _ -> {
                        return;
                    }
                    case ReplyParser.Broken _ -> {
                        end();
                        var _ = context.close();
                        return;
                    }
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end();
        }

        /// What a host can cause is no bug; that there is no reply says it all.
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            end();
        }

        private void end() {
            if (!isOver) {
                isOver = true;
                unread.release();
                replies.add(List.of());
            }
        }
    }
}
