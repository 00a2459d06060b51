package org.malote.queue;

import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// What the queue is given instead of making it. Its threads are not to be interrupted while the
/// queue is open: an interrupt closes the file that a thread writes, which stops the queue.
///
/// @param clock wall time, for when messages came and are due
/// @param nanoTime monotonic time in nanoseconds, for the age of commits
/// @param random for names that nobody can guess; used at opening only
/// @param threads makes the one committer thread
/// @param io runs the reads and writes of body files; its tasks block on the disk
/// @param alarm told of damage and failure
public record QueueEnvironment(
        InstantSource clock,
        LongSupplier nanoTime,
        RandomGenerator random,
        ThreadFactory threads,
        Executor io,
        QueueAlarm alarm) {}
