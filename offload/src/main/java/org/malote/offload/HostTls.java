package org.malote.offload;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// TLS with hosts that we connect to, of a process that runs: for each [HostWay] a context of its
/// own, all of which are exchanged for others while connections come and go, and the sessions,
/// which
/// stay. A session is only ever continued with the same host and port, under the same policy with
/// the same authorities, and with the same certificate of ours.
///
/// Threads: any. [#reload] and [#tick] may take as long as keys take to sign; call them where
/// nothing
/// waits.
public final class HostTls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HostTls.class);

    private final TlsEnvironment environment;
    private final ExpiryWarning expiry = new ExpiryWarning();

    // Written under this.
    private volatile HostContexts current;
    private HostTlsSettings settings;
    private Map<Path, FileTime> seen;
    private String lastComplaint = "";
    private boolean isClosed;

    private HostTls(
            TlsEnvironment environment,
            HostTlsSettings settings,
            Map<Path, FileTime> seen,
            HostContexts current) {
        this.environment = environment;
        this.settings = settings;
        this.seen = seen;
        this.current = current;
    }

    /// Reads certificates and authorities, opens keys, each of which signs, and makes the contexts.
    ///
    /// @throws TlsProblems with everything that is wrong, not only the first
    public static HostTls open(HostTlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        Map<Path, FileTime> seen = lastModified(settings);
        HostContexts contexts = HostContexts.open(settings, environment);
        contexts.warnings().forEach(LOG::warn);
        return new HostTls(environment, settings, seen, contexts);
    }

    /// Does all that [#open] does and lets go of it again.
    ///
    /// @return every problem, and every certificate that is not valid now; nothing when all is well
    public static List<String> check(HostTlsSettings settings, TlsEnvironment environment) {
        try (HostContexts contexts = HostContexts.open(settings, environment)) {
            return contexts.warnings();
        } catch (TlsProblems e) {
            return e.problems();
        }
    }

    /// A handler for a host that we connect to, not yet handshaken: TLS 1.2 and 1.3, the timeout of
    /// the settings, a session of before where there is one. What is wrong with the host's
    /// certificate, where that is asked for, fails the handshake with a [CertificateRefused] as its
    /// cause, or its cause's.
    ///
    /// @param host its name, which goes into SNI unless it is an address (RFC 6066 §3), and which
    ///     its certificate must have when it is verified and the policy has no other names
    /// @param port as connected to
    /// @throws IllegalStateException after close, or when no reload or opening had this way
    public SslHandler handler(ByteBufAllocator allocator, HostWay way, String host, int port) {
        while (true) {
            HostContexts contexts = current;
            try {
                return contexts.handler(allocator, way, host, port);
            } catch (IllegalStateException e) {
                if (contexts == current) {
                    throw e;
                }
                // A reload closed them in this moment.
            }
        }
    }

    /// Whether a host's certificate is for one of these names (RFC 9525 §6), for a policy that left
    /// that to the caller. A resumed session has the certificate of the first one.
    ///
    /// @param handler after its handshake
    /// @param names DNS names in A-labels, or addresses
    public static boolean isFor(SslHandler handler, List<String> names) {
        X509Certificate leaf = leaf(handler);
        return leaf != null && HostNames.isFor(leaf, names);
    }

    /// As [#isFor], with a reason.
    ///
    /// @throws CertificateRefused when the certificate is for none of them, or there is none
    public static void requireName(SslHandler handler, List<String> names)
            throws CertificateRefused {
        X509Certificate leaf = leaf(handler);
        if (leaf == null) {
            throw new CertificateRefused(
                    CertificateRefused.Reason.NAME, "the host showed no certificate");
        }
        HostJudge.requireName(leaf, names);
    }

    /// What a host showed, for an operator, though it may not be believed.
    ///
    /// @param handler after its handshake
    /// @return null when it showed nothing
    public static @Nullable HostCertificate certificate(SslHandler handler) {
        List<X509Certificate> chain = chain(handler);
        return chain.isEmpty()
                ? null
                : HostCertificate.of(chain, StapledStatus.of(handler.engine()));
    }

    private static @Nullable X509Certificate leaf(SslHandler handler) {
        List<X509Certificate> chain = chain(handler);
        return chain.isEmpty() ? null : chain.getFirst();
    }

    private static List<X509Certificate> chain(SslHandler handler) {
        try {
            return Arrays.stream(handler.engine().getSession().getPeerCertificates())
                    .filter(X509Certificate.class::isInstance)
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (SSLPeerUnverifiedException _) {
            return List.of();
        }
    }

    /// The time until the first certificate of ours expires, negative after; null without any.
    public @Nullable Duration validity() {
        Instant now = environment.clock().instant();
        return current.certificates().stream()
                .map(one -> Duration.between(now, one.notAfter()))
                .min(Comparator.naturalOrder())
                .orElse(null);
    }

    /// Exchanges the contexts. Certificates, keys and authorities are read again even when the
    /// settings are the same. Where they turn out to be the same, too, the sessions stay.
    ///
    /// @throws TlsProblems with everything that is wrong; then nothing has changed
    public void reload(HostTlsSettings wanted) throws TlsProblems {
        try (Prepared prepared = prepare(wanted)) {
            prepared.use();
        }
    }

    /// Does all of a reload that can fail, for a caller who has more to do that can.
    ///
    /// @return to be used or not, and to be closed
    /// @throws TlsProblems with everything that is wrong
    public Prepared prepare(HostTlsSettings wanted) throws TlsProblems {
        Map<Path, FileTime> found = lastModified(wanted);
        return new Prepared(wanted, found, HostContexts.open(wanted, environment));
    }

    /// Contexts that wait to take over.
    public final class Prepared implements AutoCloseable {
        private final HostTlsSettings wanted;
        private final Map<Path, FileTime> found;
        private final HostContexts contexts;
        private boolean isUsed;

        private Prepared(HostTlsSettings wanted, Map<Path, FileTime> found, HostContexts contexts) {
            this.wanted = wanted;
            this.found = found;
            this.contexts = contexts;
        }

        /// Exchanges the contexts in use for these.
        public void use() {
            isUsed = exchange(this);
        }

        @Override
        public void close() {
            if (!isUsed) {
                contexts.close();
            }
        }
    }

    /// @return whether they are in use now
    private synchronized boolean exchange(Prepared prepared) {
        HostContexts old = current;
        if (isClosed) {
            return false;
        }
        seen = prepared.found;
        if (prepared.contexts.isLike(old)) {
            return false;
        }
        prepared.contexts.adopt(old);
        current = prepared.contexts;
        settings = prepared.wanted;
        old.close();
        return true;
    }

    /// To be called once a minute: takes over files that have changed. Files that do not go
    /// together, as when one of two has been renewed, are tried again the next time.
    public synchronized void tick() {
        if (isClosed) {
            return;
        }
        expiry.look(current.certificates(), environment.clock().instant());
        if (lastModified(settings).equals(seen)) {
            return;
        }
        try {
            reload(settings);
            lastComplaint = "";
            LOG.info("what hosts are shown and verified by was read again: its files have changed");
        } catch (TlsProblems e) {
            if (!lastComplaint.equals(e.getMessage())) {
                lastComplaint = String.valueOf(e.getMessage());
                LOG.warn(
                        "files for TLS with hosts have changed and cannot be used, the old go on: {}",
                        lastComplaint);
            }
        }
    }

    private static Map<Path, FileTime> lastModified(HostTlsSettings settings) {
        List<String> names = new ArrayList<>();
        settings.identities()
                .forEach(identity -> names.addAll(FileTimes.names(identity.certificates())));
        for (HostWay way : settings.ways()) {
            if (way.policy().hasAuthorities()) {
                Path named = way.policy().authorities();
                Path file = named == null ? Authorities.systemBundle() : named;
                if (file != null) {
                    names.add(file.toString());
                }
            }
        }
        return FileTimes.of(names);
    }

    /// What we show to hosts, for an operator.
    public List<CertificateInfo> certificates() {
        return current.certificates();
    }

    /// Ends the making of handlers. Connections go on.
    @Override
    public synchronized void close() {
        if (!isClosed) {
            isClosed = true;
            current.close();
        }
    }
}
