package org.malote.offload;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The TLS of a server that runs: contexts that are exchanged for others while connections come and
/// go. New ones are built beside the old, prove themselves with a signature from each key and with
/// handshakes of their own, and only then take over; what is wrong leaves the old in place.
/// Sessions
/// resume across the exchange, whatever the providers before and after, since the ticket keys stay.
///
/// Threads: any. [#reload] and [#tick] may take as long as the keys take to sign; call them where
/// nothing waits.
public final class LiveTls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveTls.class);

    private final TlsEnvironment environment;
    private final ExpiryWarning expiry = new ExpiryWarning();

    // Written under this.
    private volatile TlsContexts current;
    private TlsSettings settings;
    private TicketKeySource source;
    private Map<Path, FileTime> seen;
    private String lastComplaint = "";
    private boolean isClosed;

    private LiveTls(
            TlsEnvironment environment,
            TlsSettings settings,
            TicketKeySource source,
            TlsContexts contexts) {
        this.environment = environment;
        this.settings = settings;
        this.source = source;
        this.current = contexts;
        this.seen = lastModified(settings);
    }

    /// Opens the first contexts. They are proven as those of a reload are.
    public static LiveTls open(TlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        TicketKeySource source = TlsContexts.sourceFor(settings, environment);
        return new LiveTls(environment, settings, source, proven(settings, environment, source));
    }

    private static TlsContexts proven(
            TlsSettings settings, TlsEnvironment environment, TicketKeySource source)
            throws TlsProblems {
        TlsContexts contexts = TlsContexts.open(settings, environment, source);
        boolean isProven = false;
        try {
            OwnHandshakes.prove(contexts, environment);
            isProven = true;
            return contexts;
        } finally {
            if (!isProven) {
                contexts.close();
            }
        }
    }

    /// Those for new connections. They may be closed between this call and the making of a handler:
    /// who is told so calls again.
    public TlsContexts contexts() {
        return current;
    }

    /// Exchanges the contexts. Certificates and keys are read again even when the settings are the
    /// same.
    ///
    /// @throws TlsProblems with everything that is wrong; then nothing has changed
    public synchronized void reload(TlsSettings wanted) throws TlsProblems {
        if (isClosed) {
            return;
        }
        Map<Path, FileTime> found = lastModified(wanted);
        boolean isElsewhere = !wanted.tickets().equals(settings.tickets());
        TicketKeySource next = isElsewhere ? TlsContexts.sourceFor(wanted, environment) : source;
        TlsContexts contexts =
                proven(
                        wanted,
                        environment,
                        // Nothing is written for contexts that may not hold.
                        isElsewhere ? TicketKeySource.InMemory.of(wanted, environment) : next);
        if (isElsewhere) {
            handOver(contexts, next);
        }
        TlsContexts old = current;
        current = contexts;
        settings = wanted;
        source = next;
        seen = found;
        old.close();
    }

    /// The keys in use go to where the new ones are. Where they came from is not asked: the change
    /// may be for its being down.
    private void handOver(TlsContexts contexts, TicketKeySource next) throws TlsProblems {
        boolean isDone = false;
        try {
            next.adopt(current.keysInForce(), environment.clock().instant());
            contexts.moveTo(next);
            isDone = true;
        } catch (IOException e) {
            throw TlsContexts.ticketProblem(e);
        } finally {
            if (!isDone) {
                contexts.close();
            }
        }
    }

    /// To be called once a minute: looks after the ticket keys, and takes over certificates and
    /// keys
    /// whose files have changed. Files that do not go together, as when one of two has been
    /// renewed,
    /// are tried again the next time.
    public synchronized void tick() {
        if (isClosed) {
            return;
        }
        current.tick();
        expiry.look(current.certificates(), environment.clock().instant());
        Map<Path, FileTime> found = lastModified(settings);
        if (found.equals(seen)) {
            return;
        }
        try {
            reload(settings);
            lastComplaint = "";
            LOG.info("certificates were read again, since their files have changed");
        } catch (TlsProblems e) {
            if (!lastComplaint.equals(e.getMessage())) {
                lastComplaint = String.valueOf(e.getMessage());
                LOG.warn(
                        "files of certificates have changed and cannot be used, the old go on: {}",
                        lastComplaint);
            }
        }
    }

    /// The time until the first certificate expires, negative after; null without certificates.
    public @Nullable Duration validity() {
        Instant now = environment.clock().instant();
        return current.certificates().stream()
                .map(one -> Duration.between(now, one.notAfter()))
                .min(Comparator.naturalOrder())
                .orElse(null);
    }

    private static Map<Path, FileTime> lastModified(TlsSettings settings) {
        return FileTimes.of(FileTimes.names(settings.certificates()));
    }

    /// Ends the making of handlers. Connections go on.
    @Override
    public synchronized void close() {
        if (!isClosed) {
            isClosed = true;
            current.close();
        }
    }

    /// What is served, for an operator.
    public List<CertificateInfo> certificates() {
        return current.certificates();
    }
}
