package org.malote.offload;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/// Where session-ticket keys come from. Servers with the same source resume each other's sessions.
///
/// Threads: any. It may take its time: it is asked at the start, at a reload and about once a
/// minute, where nothing waits.
public interface TicketKeySource {

    /// The keys of now, made and dropped as time goes by: one that seals, and those that still
    /// open.
    /// A new one is best known to all servers for a while before it seals.
    ///
    /// @throws IOException when they cannot be had for now: those of before go on
    /// @throws TlsProblems when something has to be done about it: those of before go on, too
    TicketKeys keys(Instant now) throws IOException, TlsProblems;

    /// Takes over the keys of another source, so that its sessions go on. A source whose keys
    /// others
    /// make may do nothing: then they are not resumed.
    default void adopt(TicketKeys others, Instant now) throws IOException, TlsProblems {}

    /// What keeps the keys from being had, as far as can be told without making any: sentences that
    /// say what to do.
    default List<String> problems() {
        return List.of();
    }

    /// Keys of this process alone, gone with it.
    final class InMemory implements TicketKeySource {
        private final Duration interval;
        private final Duration lifetime;
        private final SecureRandom random;
        private final AtomicReference<TicketKeys> current;

        InMemory(Duration interval, Duration lifetime, SecureRandom random, Instant now) {
            this.interval = interval;
            this.lifetime = lifetime;
            this.random = random;
            this.current = new AtomicReference<>(TicketKeys.first(interval, random, now));
        }

        /// New ones, with the times of the settings.
        static InMemory of(TlsSettings settings, TlsEnvironment environment) {
            return new InMemory(
                    settings.tickets().keyInterval(),
                    settings.tickets().sessionLifetime(),
                    environment.random(),
                    environment.clock().instant());
        }

        @Override
        public TicketKeys keys(Instant now) {
            synchronized (current) {
                TicketKeys next = current.get().at(now, interval, lifetime, random);
                current.set(next);
                return next;
            }
        }

        @Override
        public List<String> problems() {
            return List.of();
        }

        @Override
        public void adopt(TicketKeys others, Instant now) {
            synchronized (current) {
                current.set(current.get().with(others).at(now, interval, lifetime, random));
            }
        }
    }
}
