package org.malote.delivery;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.malote.telemetry.DeliveryLog;
import org.malote.telemetry.Meters;

/// What delivery needs of its surroundings.
///
/// @param eventLoops connections live on these
/// @param channelType goes with the event loops
/// @param agent one thread: everything that is not a connection happens there
/// @param io for what blocks on a disk
/// @param names for what blocks on the system's resolver
/// @param nanoTime monotonic
/// @param random used on the agent only
public record DeliveryEnvironment(
        EventLoopGroup eventLoops,
        Class<? extends SocketChannel> channelType,
        ScheduledExecutorService agent,
        Executor io,
        Executor names,
        InstantSource clock,
        LongSupplier nanoTime,
        RandomGenerator random,
        DeliveryLog log,
        Meters meters) {}
