package org.malote.offload;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// What the settings give on this host, tried out: for an operator who compares.
///
/// @param certificate that was served alone
/// @param key where it is, without what opens it
/// @param scheme of the timed signatures
/// @param signatureNanos of one signature, the middle of several
/// @param isSignedByEngine whether the TLS engine signs by itself in a handshake; the time of a
///     signature is the JDK's then
/// @param handshakes with ourselves, of each kind
public record TlsMeasurement(
        CertificateInfo certificate,
        String key,
        SignatureScheme scheme,
        long signatureNanos,
        boolean isSignedByEngine,
        List<HandshakeCost> handshakes) {

    /// Of whose second half the middle one counts. Ours: some seconds in all, and a card that signs
    /// ten times a second takes a minute.
    private static final int ROUNDS = 100;

    public TlsMeasurement {
        handshakes = List.copyOf(handshakes);
    }

    /// Measures each certificate by itself. Nothing is written: the ticket keys are of its own.
    ///
    /// @throws TlsProblems with everything that is wrong
    public static List<TlsMeasurement> of(TlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        return of(settings, environment, ROUNDS);
    }

    /// The same with other numbers of signatures and handshakes.
    ///
    /// @param rounds of each kind, 2 at least; the middle one of the second half counts
    /// @throws TlsProblems with everything that is wrong
    public static List<TlsMeasurement> of(
            TlsSettings settings, TlsEnvironment environment, int rounds) throws TlsProblems {
        TicketSettings tickets = settings.tickets();
        TlsSettings inMemory =
                settings.withTickets(
                        new TicketSettings(
                                tickets.keyInterval(), tickets.sessionLifetime(), null, null));
        List<TlsMeasurement> all = new ArrayList<>();
        for (CertificateSettings one : settings.certificates()) {
            try (TlsContexts contexts =
                    TlsContexts.open(inMemory.withCertificates(List.of(one)), environment)) {
                all.add(measure(one, contexts, environment, rounds));
            }
        }
        return all;
    }

    private static TlsMeasurement measure(
            CertificateSettings settings,
            TlsContexts contexts,
            TlsEnvironment environment,
            int rounds)
            throws TlsProblems {
        ServedCertificate served = contexts.served().getFirst();
        SignatureScheme scheme = SignatureScheme.usual(served.leaf().getPublicKey());
        KeyEnvironment keys = environment.providers().environment();
        if (keys == null) {
            throw new IllegalStateException("the providers have no clock");
        }
        long[] nanos = new long[rounds];
        for (int i = 0; i < nanos.length; i++) {
            long begin = keys.nanoTime().getAsLong();
            sign(settings, served, scheme);
            nanos[i] = keys.nanoTime().getAsLong() - begin;
        }
        Arrays.sort(nanos, rounds / 2, rounds);
        int query = settings.key().indexOf('?');
        return new TlsMeasurement(
                served.info(),
                query < 0 ? settings.key() : settings.key().substring(0, query),
                scheme,
                nanos[(rounds / 2 + rounds) / 2],
                served.key() instanceof OpenedKey.InProcess,
                OwnHandshakes.measure(contexts, environment, keys, rounds));
    }

    private static void sign(
            CertificateSettings settings, ServedCertificate served, SignatureScheme scheme)
            throws TlsProblems {
        CompletableFuture<byte[]> signature =
                served.operations().sign(scheme, new byte[] {1}).toCompletableFuture();
        String reason;
        try {
            byte[] _ = signature.get(CertificateStore.PROOF_SECONDS_MAX, TimeUnit.SECONDS);
            return;
        } catch (ExecutionException e) {
            reason = String.valueOf(e.getCause());
        } catch (TimeoutException _) {
            reason = "it gave no signature in time";
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            reason = "interrupted";
        }
        throw PemFile.problem(
                String.format("key %s cannot sign (%s): see to it", settings.key(), reason));
    }

    /// The ticket keys that are kept where the settings say: when each begins, or began, to seal.
    /// Nothing where they are in memory, or not yet made in the file.
    ///
    /// @throws TlsProblems when they cannot be read
    public static List<Instant> keptTicketKeys(TlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        TicketSettings tickets = settings.tickets();
        try {
            TicketKeys kept = kept(tickets, environment);
            return kept == null
                    ? List.of()
                    : kept.keys().stream().map(TicketKey::sealsFrom).toList();
        } catch (IOException e) {
            throw TlsContexts.ticketProblem(tickets, e);
        }
    }

    /// Null where there are none yet, or they are in memory.
    private static @Nullable TicketKeys kept(TicketSettings tickets, TlsEnvironment environment)
            throws IOException, TlsProblems {
        String source = tickets.source();
        Path file = tickets.file();
        if (source != null) {
            return environment
                    .providers()
                    .openTicketKeys(source, tickets, environment.random())
                    .keys(environment.clock().instant());
        }
        return file == null
                ? null
                : new TicketKeyFile(
                                file,
                                tickets.secret(),
                                tickets.keyInterval(),
                                tickets.sessionLifetime(),
                                environment.random())
                        .read();
    }
}
