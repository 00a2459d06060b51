package org.malote.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.offload.TlsContexts;
import org.malote.smtp.wire.CommandFramer;
import org.malote.smtp.wire.EndOfDataScanner;
import org.malote.smtp.wire.Frame;

/// One connection of a server that takes every message, looks at it, and forgets it. It does what
/// well-behaved clients need, and no more.
final class Sink extends ChannelInboundHandlerAdapter {
    /// RFC 5321 §4.5.3.1.4 and the extensions' growth of it.
    private static final int LINE_OCTETS_MAX = 2048;

    /// What waits behind an unfinished line, or for a delayed reply. Ours: far more than a group of
    /// commands; a client that sends more is cut.
    private static final int INPUT_OCTETS_MAX = 1 << 20;

    private static final String CODE = " MPC=";

    /// How all connections behave.
    ///
    /// @param tls null to offer none
    /// @param isAmtp whether a Mail Policy Code is taken, and needed (draft-weinman-amtp-03 §4.4)
    /// @param refusedShare of the recipients, from 0 to 1
    /// @param refusal the reply to them
    /// @param delayMillis from the end of a message to its 250
    record Manner(
            @Nullable TlsContexts tls,
            boolean isImplicit,
            boolean isAmtp,
            double refusedShare,
            String refusal,
            long delayMillis) {}

    /// What comes next.
    private enum Phase {
        COMMAND,
        TEXT,
        CHUNK,
        DELAY,
        ENDED
    }

    private final Manner manner;
    private final Arrivals arrivals;
    private final CommandFramer framer = new CommandFramer(LINE_OCTETS_MAX);
    private ByteBuf input = Unpooled.EMPTY_BUFFER;
    private Phase phase = Phase.COMMAND;
    private boolean isSecured;
    private int taken;
    private EndOfDataScanner scanner = new EndOfDataScanner();
    private MailCheck check = new MailCheck();
    private boolean isMailOpen;
    private long chunkLeft;
    private boolean isLastChunk;

    Sink(Manner manner, Arrivals arrivals) {
        this.manner = manner;
        this.arrivals = arrivals;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (manner.isImplicit()) {
            secure(ctx);
        }
        reply(ctx, "220 sink.test ESMTP");
        ctx.flush();
    }

    private void secure(ChannelHandlerContext ctx) {
        TlsContexts tls = manner.tls();
        if (tls != null) {
            isSecured = true;
            SslHandler handler = tls.serverHandler(ctx.alloc());
            ctx.pipeline().addFirst(handler);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object read) {
        ByteBuf octets = (ByteBuf) read;
        if (phase == Phase.ENDED) {
            octets.release();
            return;
        }
        if (input.isReadable()) {
            ByteBuf joined = ctx.alloc().buffer(input.readableBytes() + octets.readableBytes());
            joined.writeBytes(input).writeBytes(octets);
            input.release();
            octets.release();
            input = joined;
        } else {
            input.release();
            input = octets;
        }
        run(ctx);
        if (input.readableBytes() > INPUT_OCTETS_MAX) {
            end(ctx);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    private void run(ChannelHandlerContext ctx) {
        while (phase != Phase.ENDED && phase != Phase.DELAY && input.isReadable()) {
            switch (phase) {
                case COMMAND -> {
                    switch (framer.next(input)) {
                        case Frame.Line(var text) -> onCommand(ctx, text);
                        case Frame.Refused _ -> reply(ctx, "500 5.5.2 not a line");
                        case Frame.Incomplete _ -> {
                            return;
                        }
                    }
                }
                case TEXT -> {
                    if (scanner.scan(input, check::inspect)) {
                        kept(ctx);
                    }
                }
                case CHUNK -> {
                    int length = (int) Math.min(chunkLeft, input.readableBytes());
                    check.inspect(input, input.readerIndex(), length);
                    input.skipBytes(length);
                    chunkLeft -= length;
                    if (chunkLeft == 0) {
                        endChunk(ctx);
                    }
                }
                case DELAY, ENDED -> {}
            }
        }
    }

    private void endChunk(ChannelHandlerContext ctx) {
        phase = Phase.COMMAND;
        if (!isMailOpen || taken == 0) {
            reply(ctx, "503 5.5.1 no recipients");
            check = new MailCheck();
        } else if (isLastChunk) {
            kept(ctx);
        } else {
            reply(ctx, "250 2.0.0 more");
        }
    }

    private void kept(ChannelHandlerContext ctx) {
        check.end(arrivals);
        check = new MailCheck();
        isMailOpen = false;
        if (manner.delayMillis() == 0) {
            phase = Phase.COMMAND;
            reply(ctx, "250 2.0.0 taken");
            return;
        }
        phase = Phase.DELAY;
        var _ =
                ctx.executor()
                        .schedule(
                                () -> {
                                    if (phase == Phase.DELAY) {
                                        phase = Phase.COMMAND;
                                        reply(ctx, "250 2.0.0 taken");
                                        run(ctx);
                                        ctx.flush();
                                    }
                                },
                                manner.delayMillis(),
                                TimeUnit.MILLISECONDS);
    }

    private void onCommand(ChannelHandlerContext ctx, String line) {
        String verb = line.split(" ", 2)[0].toUpperCase(Locale.ROOT);
        switch (verb) {
            case "EHLO" -> {
                isMailOpen = false;
                reply(ctx, "250-sink.test");
                if (manner.tls() != null && !isSecured) {
                    reply(ctx, "250-STARTTLS");
                }
                reply(ctx, "250-PIPELINING");
                reply(ctx, "250-8BITMIME");
                reply(ctx, "250-SMTPUTF8");
                reply(ctx, "250-ENHANCEDSTATUSCODES");
                if (manner.isAmtp()) {
                    reply(ctx, "250-MPC ALLOW=*/*");
                }
                reply(ctx, "250 CHUNKING");
            }
            case "HELO" -> {
                isMailOpen = false;
                reply(ctx, "250 sink.test");
            }
            case "STARTTLS" -> {
                if (manner.tls() == null || isSecured) {
                    reply(ctx, "503 5.5.1 no");
                } else if (input.isReadable()) {
                    end(ctx); // RFC 3207 §4.2: what came in clear text is not to be used
                } else {
                    // In clear text: the handler comes behind what was written.
                    reply(ctx, "220 2.0.0 go");
                    ctx.flush();
                    secure(ctx);
                }
            }
            case "MAIL" -> onSender(ctx, line);
            case "RCPT" -> onRecipient(ctx);
            case "DATA" -> {
                if (isMailOpen && taken > 0) {
                    phase = Phase.TEXT;
                    scanner = new EndOfDataScanner();
                    reply(ctx, "354 go");
                } else {
                    reply(ctx, "503 5.5.1 no recipients");
                }
            }
            case "BDAT" -> onChunk(ctx, line.strip().split(" +", -1));
            case "RSET" -> {
                isMailOpen = false;
                check = new MailCheck();
                reply(ctx, "250 2.0.0 reset");
            }
            case "NOOP" -> reply(ctx, "250 2.0.0 well");
            case "QUIT" -> {
                reply(ctx, "221 2.0.0 bye");
                end(ctx);
            }
            default -> reply(ctx, "500 5.5.1 unknown");
        }
    }

    private void onSender(ChannelHandlerContext ctx, String line) {
        if (isMailOpen) {
            // RFC 5321 §4.1.4: what is open stays as it is.
            reply(ctx, "503 5.5.1 nested");
            return;
        }
        if (manner.isAmtp() && !hasCode(line)) {
            reply(ctx, "501 5.5.4 a Mail Policy Code is needed");
            return;
        }
        isMailOpen = true;
        taken = 0;
        reply(ctx, "250 2.1.0 sender");
    }

    private static boolean hasCode(String line) {
        int at = line.toUpperCase(Locale.ROOT).lastIndexOf(CODE);
        String code = at < 0 ? "" : line.substring(at + CODE.length()).strip().split(" ", 2)[0];
        return MailPolicyCode.parse(code) instanceof MailPolicyCode.Parsed.Known;
    }

    private void onRecipient(ChannelHandlerContext ctx) {
        if (!isMailOpen) {
            reply(ctx, "503 5.5.1 MAIL first");
            return;
        }
        if (arrivals.isRecipientRefused(manner.refusedShare())) {
            reply(ctx, manner.refusal());
        } else {
            taken++;
            reply(ctx, "250 2.1.5 recipient");
        }
    }

    private void onChunk(ChannelHandlerContext ctx, String[] words) {
        try {
            chunkLeft = Long.parseLong(words[1]);
        } catch (NumberFormatException | IndexOutOfBoundsException _) {
            chunkLeft = -1;
        }
        if (chunkLeft < 0) {
            reply(ctx, "501 5.5.4 no size");
            end(ctx); // where the next command begins nobody knows
            return;
        }
        isLastChunk = words.length > 2 && words[2].equalsIgnoreCase("LAST");
        if (chunkLeft == 0) {
            endChunk(ctx);
        } else {
            phase = Phase.CHUNK;
        }
    }

    private static void reply(ChannelHandlerContext ctx, String line) {
        // A failure comes as an exception.
        var _ = ctx.write(ByteBufUtil.writeAscii(ctx.alloc(), line + "\r\n"), ctx.voidPromise());
    }

    private void end(ChannelHandlerContext ctx) {
        phase = Phase.ENDED;
        input.release();
        input = Unpooled.EMPTY_BUFFER;
        ctx.flush();
        var _ = ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        phase = Phase.ENDED;
        ReferenceCountUtil.release(input);
        input = Unpooled.EMPTY_BUFFER;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        var _ = ctx.close();
    }
}
