package org.malote.queue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;

/// The process that [KillTest] kills: it accepts messages and prints the name of each that has its
/// receipt.
final class KillChild {
    /// Messages that wait for their receipt at a time.
    private static final int PENDING_MAX = 16;

    private KillChild() {}

    /// The parent holds the other end of standard input, and never writes to it.
    private static void endWithParent() {
        try {
            while (System.in.read() >= 0) {}
        } catch (IOException e) {
            // As good as its end.
        }
        Runtime.getRuntime().halt(1);
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Thread.ofPlatform().daemon().name("parent").start(KillChild::endWithParent);
        QueueSettings settings =
                OnDisk.settings(Path.of(arguments[0]), JournalKind.valueOf(arguments[1]));
        try (var spool = new OnDisk(settings)) {
            var pending = new Semaphore(PENDING_MAX);
            for (int i = 0; ; i++) {
                pending.acquire();
                MessageWriter writer = spool.queue.begin();
                MessageId id = writer.id();
                int size = i % 50 == 49 ? 300 << 10 : 4000;
                writer.write(java.nio.ByteBuffer.wrap(Mail.random(id.value(), size)));
                writer.seal(
                        Mail.to("x@b.example"),
                        result -> {
                            if (result instanceof CommitResult.Committed(Receipt receipt)) {
                                System.out.println(receipt.messageId());
                            }
                            pending.release();
                        });
            }
        }
    }
}
