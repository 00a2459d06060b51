package org.malote.amtp;

import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.malote.offload.PeerCertificate;
import org.malote.smtp.MailHost;

/// Finds out who the peer of one connection is. It gathers what the connection shows, and compares
/// it when the peer names itself, each time anew: a resumed session has the certificate of before,
/// and nothing else of before.
///
/// Belongs to the event loop of the connection; only the names of the address come from another.
public final class HopCheck {
    private final String listener;
    private final IdentitySettings settings;
    private final Supplier<TrustBase> base;
    private final InstantSource clock;
    private final PendingReverse reverse;

    private boolean isSecured;
    private @Nullable PeerCertificate shown;

    /// @param base asked when it is needed: a list that was read meanwhile counts
    HopCheck(
            String listener,
            IdentitySettings settings,
            Supplier<TrustBase> base,
            InstantSource clock,
            PendingReverse reverse) {
        this.listener = listener;
        this.settings = settings;
        this.base = base;
        this.clock = clock;
        this.reverse = reverse;
    }

    /// TLS is on, with what the peer has shown of itself. The chain is judged now, and by the dates
    /// of now when the session is resumed.
    ///
    /// @param chain the leaf first; empty when it showed none
    public void secured(List<X509Certificate> chain) {
        secured(chain.isEmpty() ? null : base.get().of(listener).judge(chain, clock.instant()));
    }

    /// The same with a verdict that is there already.
    public void secured(@Nullable PeerCertificate certificate) {
        isSecured = true;
        shown = certificate;
    }

    /// The peer has named itself.
    ///
    /// @param known told once, perhaps at once, perhaps on another thread when reverse DNS is slow
    public void identify(MailHost named, Consumer<HopIdentity> known) {
        boolean isSecuredNow = isSecured;
        PeerCertificate shownNow = shown;
        reverse.whenFound(
                finding ->
                        known.accept(
                                new IdentityJudge(base.get(), settings.reverse())
                                        .judge(isSecuredNow, shownNow, named, finding)));
    }
}
