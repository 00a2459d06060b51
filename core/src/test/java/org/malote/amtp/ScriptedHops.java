package org.malote.amtp;

import java.net.InetAddress;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.ReverseFinding.Forward;
import org.malote.offload.PeerCertificate;
import org.malote.offload.PeerCertificate.Standing;

/// What a transcript says of a peer's certificate and of the names of its address, for the
/// production comparison.
public final class ScriptedHops implements Hops {
    private static final String PUBLIC_KEY = "1".repeat(64);
    private static final String PRIVATE_KEY = "2".repeat(64);

    private final boolean isSecured;
    private final @Nullable PeerCertificate certificate;
    private final TrustBase base;
    private final String names;
    private @Nullable Consumer<ReverseFinding> awaited;

    /// @param shows the DNS names of the certificate with commas between; null for no certificate
    /// @param commonName of the certificate, or null
    /// @param standing `public`, `private`, `revoked` or `unknown`: who vouches for it
    /// @param names `a.example:confirmed,b.example:elsewhere,c.example:unknown`, or `none`,
    ///     `later`; `awaited` until [#answer]
    /// @param denied lines of a deny list
    public ScriptedHops(
            boolean isSecured,
            @Nullable String shows,
            @Nullable String commonName,
            String standing,
            String names,
            List<String> denied,
            CommonNames commonNames) {
        this.isSecured = isSecured;
        this.names = names;
        this.certificate =
                shows == null
                        ? null
                        : new PeerCertificate(
                                shows.isEmpty() ? List.of() : List.of(shows.split(",", -1)),
                                commonName,
                                "CN=authority",
                                "a".repeat(64),
                                "b".repeat(64),
                                switch (standing) {
                                    case "public" -> new Standing.Held(PUBLIC_KEY);
                                    case "private" -> new Standing.Held(PRIVATE_KEY);
                                    case "revoked" -> new Standing.Revoked("it is on a list");
                                    case "unknown" -> new Standing.NotHeld("nobody vouches for it");
                                    default -> throw new IllegalArgumentException(standing);
                                });
        this.base =
                new TrustBase(
                        Map.of(),
                        Set.of(PRIVATE_KEY),
                        switch (DenyList.parse(String.join("\n", denied))) {
                            case DenyList.Parsed.Valid(var list) -> list;
                            case DenyList.Parsed.Invalid(var faults) ->
                                    throw new IllegalArgumentException(faults.toString());
                        },
                        commonNames);
    }

    @Override
    public HopCheck begin(String listener, IdentitySettings settings, InetAddress peer) {
        PendingReverse reverse = new PendingReverse();
        if (settings.reverse() == ReverseRule.UNASKED) {
            reverse.accept(ReverseFinding.UNASKED);
        } else if (names.equals("awaited")) {
            awaited = reverse;
        } else {
            reverse.accept(finding(names));
        }
        HopCheck check =
                new HopCheck(listener, settings, () -> base, InstantSource.system(), reverse);
        if (isSecured) {
            check.secured(certificate);
        }
        return check;
    }

    /// Reverse DNS answers at last.
    public void answer(String text) {
        Consumer<ReverseFinding> told = awaited;
        if (told == null) {
            throw new IllegalStateException("nobody asked for the names of the address");
        }
        told.accept(finding(text));
    }

    private static ReverseFinding finding(String text) {
        if (text.equals("none")) {
            return ReverseFinding.of(new ReverseDns.Nameless());
        }
        if (text.equals("later")) {
            return ReverseFinding.of(new ReverseDns.TryLater("a time-out"));
        }
        List<String> names = new ArrayList<>();
        Map<String, Forward> forwards = new LinkedHashMap<>();
        for (String name : text.split(",", -1)) {
            String[] sides = name.split(":", 2);
            names.add(sides[0]);
            forwards.put(sides[0], Forward.valueOf(sides[1].toUpperCase(Locale.ROOT)));
        }
        return ReverseFinding.of(names, forwards);
    }
}
