package org.malote.server;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;
import org.malote.accept.MessageIntake;
import org.malote.session.State.Authenticating;
import org.malote.session.State.AwaitingAnswer;
import org.malote.session.State.AwaitingCommand;
import org.malote.session.State.ReceivingChunk;
import org.malote.session.State.ReceivingData;
import org.malote.smtp.BodyType;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.ChunkScanner;
import org.malote.smtp.wire.CommandFramer;
import org.malote.smtp.wire.EndOfDataScanner;

/// What the next octets of a connection mean.
sealed interface InputMode {

    /// They are command lines.
    record Lines(AwaitingCommand state, CommandFramer framer) implements InputMode {}

    /// They are responses of an authentication, a line each.
    record Responses(Authenticating state, CommandFramer framer) implements InputMode {}

    /// They are a message, up to the final dot.
    record Data(
            ReceivingData state,
            EndOfDataScanner scanner,
            MessageIntake intake,
            EndOfDataScanner.Sink sink)
            implements InputMode {}

    /// They are a chunk of a message.
    final class Chunk implements InputMode {
        private final ReceivingChunk state;
        private final MessageIntake intake;
        private final @Nullable ChunkScanner scanner;
        private long remaining;

        /// @param scanner of the whole message's chunks
        Chunk(ReceivingChunk state, MessageIntake intake, ChunkScanner scanner) {
            this.state = state;
            this.intake = intake;
            // RFC 3030 §3: only a binary message may hold CR and LF as it likes.
            this.scanner =
                    state.transaction().parameters().body() == BodyType.BINARY_MIME
                            ? null
                            : scanner;
            this.remaining = state.chunkOctets();
        }

        ReceivingChunk state() {
            return state;
        }

        MessageIntake intake() {
            return intake;
        }

        /// Takes what of the chunk is in `in`.
        ///
        /// @return whether the chunk is whole
        boolean take(ByteBuf in) {
            int length = (int) Math.min(remaining, in.readableBytes());
            if (length > 0) {
                if (scanner != null) {
                    scanner.inspect(in, in.readerIndex(), length);
                }
                intake.inspect(in, in.readerIndex(), length);
                in.skipBytes(length);
                remaining -= length;
            }
            return remaining == 0;
        }

        boolean hasBareLineEnd() {
            return scanner != null && scanner.hasBareLineEnd(state.isLast());
        }
    }

    /// They are a refused chunk, to be thrown away.
    final class Skip implements InputMode {
        final Reply reply;
        final AwaitingCommand next;
        private long remaining;

        Skip(long octets, Reply reply, AwaitingCommand next) {
            this.remaining = octets;
            this.reply = reply;
            this.next = next;
        }

        /// Drops what of the chunk is in `in`.
        ///
        /// @return whether all of it is gone
        boolean take(ByteBuf in) {
            int length = (int) Math.min(remaining, in.readableBytes());
            in.skipBytes(length);
            remaining -= length;
            return remaining == 0;
        }
    }

    /// They wait for the policy's verdict, for the authenticator's answer, or for who the peer is.
    record Asking(AwaitingAnswer state) implements InputMode {}

    /// They wait for something else.
    record Paused(Wait until) implements InputMode {}

    /// What a paused connection waits for.
    enum Wait {
        /// Its start, or the proxy's word on who the peer is.
        PEER,
        /// The time before the greeting, in which the peer is to be silent.
        GREETING,
        HANDSHAKE,
        /// The queue's word on a message that is sealed.
        COMMIT
    }

    /// The connection is being closed; they are dropped.
    record Closing() implements InputMode {}
}
