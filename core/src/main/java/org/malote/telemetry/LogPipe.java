package org.malote.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.LoggerFactory;

/// Takes every logged event off its thread at once and writes it from a thread of its own, many
/// lines to one write. When the reader of the log is slow the buffer fills and lines are dropped
/// and counted: an event loop never waits for a terminal.
public final class LogPipe extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    /// Half a second of log at 4,000 messages a second with four lines each. Ours.
    private static final int EVENTS_MAX = 8192;

    /// Lines of one write.
    private static final int BATCH_MAX = 512;

    /// How long closing waits for what is buffered.
    private static final long CLOSE_MILLIS = 2000;

    /// The writer rests so long after each write. An event that comes meanwhile wakes nobody:
    /// waking
    /// it for each line cost more than the line (benchmarks/NOTES.md).
    private static final long GATHER_NANOS = 10_000_000;

    /// How often the writer looks whether it is to end. Closing wakes it, but not while it writes.
    private static final long POLL_MILLIS = 500;

    private final BlockingQueue<ILoggingEvent> buffer = new ArrayBlockingQueue<>(EVENTS_MAX);
    private final AtomicLong dropped = new AtomicLong();
    private final OutputStream out;
    private final LogLine lines;
    private final Thread writer;
    private volatile boolean isClosing;

    private LogPipe(LogFormat format, OutputStream out, long pid, ThreadFactory threads) {
        this.out = out;
        this.lines = new LogLine(format, pid);
        this.writer = threads.newThread(this::run);
    }

    /// Makes this the only place that log lines go. Our own events and warnings of libraries are
    /// shown.
    ///
    /// @param out gets whole lines; it is flushed, never closed
    /// @param pid the number shown in text lines
    /// @param threads makes the one thread that writes
    public static LogPipe install(
            LogFormat format, OutputStream out, long pid, ThreadFactory threads) {
        LogPipe pipe = new LogPipe(format, out, pid, threads);
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        pipe.setContext(context);
        pipe.setName("pipe");
        pipe.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(pipe);
        context.getLogger("malote").setLevel(Level.INFO);
        context.getLogger("org.malote").setLevel(Level.INFO);
        pipe.writer.start();
        return pipe;
    }

    /// Lines that were dropped since the start.
    public long dropped() {
        return dropped.get();
    }

    @Override
    protected void append(ILoggingEvent event) {
        event.prepareForDeferredProcessing();
        if (!buffer.offer(event)) {
            dropped.incrementAndGet();
        }
    }

    /// Writes what is buffered and ends the thread; waits at most two seconds for it.
    @Override
    public void close() {
        isClosing = true;
        writer.interrupt();
        try {
            writer.join(CLOSE_MILLIS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        stop();
    }

    private void run() {
        List<ILoggingEvent> batch = new ArrayList<>(BATCH_MAX);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 << 10);
        long reported = 0;
        while (true) {
            try {
                ILoggingEvent first = buffer.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
                if (first != null) {
                    batch.add(first);
                }
            } catch (InterruptedException _) {
                // Closing: what is left is written below.
            }
            buffer.drainTo(batch, BATCH_MAX - batch.size());
            if (batch.isEmpty()) {
                if (isClosing) {
                    return;
                }
                continue;
            }
            bytes.reset();
            try {
                for (ILoggingEvent event : batch) {
                    append(event, bytes);
                }
                long lost = dropped.get();
                bytes.writeTo(out);
                out.flush();
                if (lost > reported) {
                    long more = lost - reported;
                    reported = lost;
                    LoggerFactory.getLogger("malote.log")
                            .warn(
                                    "{} log lines were dropped: whoever reads the log is too slow",
                                    more);
                }
            } catch (IOException _) {
                // Nobody reads the log any more: mail goes on without it.
                dropped.addAndGet(batch.size());
                reported = dropped.get();
            }
            boolean isFull = batch.size() == BATCH_MAX;
            batch.clear();
            if (!isFull && !isClosing) {
                LockSupport.parkNanos(GATHER_NANOS);
            }
        }
    }

    /// An event that cannot be written, such as a library's without a message, costs its line and
    /// no other.
    private void append(ILoggingEvent event, ByteArrayOutputStream bytes) throws IOException {
        int before = bytes.size();
        try {
            lines.append(event, bytes);
        } catch (RuntimeException _) {
            dropped.incrementAndGet();
            if (bytes.size() > before) {
                bytes.write('\n');
            }
        }
    }
}
