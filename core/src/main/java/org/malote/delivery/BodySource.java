package org.malote.delivery;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.malote.queue.Claim;
import org.malote.queue.MessageBody;

/// Where the octets of a message are read from, as often as they are needed.
interface BodySource {
    /// Opens them at their start. Blocks on the disk.
    Reader open() throws IOException;

    /// One reading, from the start to the end.
    interface Reader extends Closeable {
        /// Reads on. Blocks on the disk.
        ///
        /// @return how many octets were read, -1 at the end
        int read(ByteBuffer destination) throws IOException;
    }

    /// These octets, with others before them.
    default BodySource after(byte[] front) {
        return front.length == 0 ? this : () -> new Fronted(front, open());
    }

    /// A reading that begins with octets of ours.
    final class Fronted implements Reader {
        private final ByteBuffer front;
        private final Reader rest;

        private Fronted(byte[] front, Reader rest) {
            this.front = ByteBuffer.wrap(front);
            this.rest = rest;
        }

        @Override
        public int read(ByteBuffer destination) throws IOException {
            if (!front.hasRemaining()) {
                return rest.read(destination);
            }
            int count = Math.min(front.remaining(), destination.remaining());
            destination.put(front.slice(front.position(), count));
            front.position(front.position() + count);
            return count;
        }

        @Override
        public void close() throws IOException {
            rest.close();
        }
    }

    /// The message of a claim.
    static BodySource of(Claim claim) {
        return () -> {
            MessageBody body = claim.body();
            return new Reader() {
                @Override
                public int read(ByteBuffer destination) throws IOException {
                    return body.read(destination);
                }

                @Override
                public void close() {
                    body.close();
                }
            };
        };
    }
}
