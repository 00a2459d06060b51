package org.malote.offload;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What providers need from the outside.
///
/// @param threads makes the threads on which slow keys sign; daemons, so that a token that hangs
///     does not keep the process alive
/// @param nanoTime for time limits; a monotonic clock
/// @param random makes salts
/// @param credentials the directory of the service manager's credentials (systemd.exec(5),
///     CREDENTIALS_DIRECTORY), or null when there is none
public record KeyEnvironment(
        ThreadFactory threads,
        LongSupplier nanoTime,
        SecureRandom random,
        @Nullable Path credentials) {}
