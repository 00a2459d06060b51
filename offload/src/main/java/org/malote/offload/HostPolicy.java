package org.malote.offload;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is asked of the TLS of hosts that we connect to. A session that was made under one policy
/// is never continued under another.
///
/// @param trust whether a host is verified
/// @param authorities a PEM file of the certificates that chains must end in; null for those of the
///     system. Only looked at when hosts are verified
/// @param names of which the certificate must have one: DNS names in lower case and A-labels, or
///     addresses. Empty for the name that the host is connected to by. Only looked at when hosts
///     are verified
public record HostPolicy(Trust trust, @Nullable Path authorities, List<String> names) {

    /// How far a host is believed.
    public enum Trust {
        /// Nothing is verified, and the caller does without TLS when a handshake fails (RFC 7435).
        OPPORTUNISTIC,
        /// Nothing is verified, and the caller does not do without TLS: safe from who only listens.
        ENCRYPTED,
        /// Nothing is verified, and all that can be shown is asked for: the caller looks at it with
        /// [HostTls#certificate].
        SHOWN,
        /// The chain and the dates are verified (RFC 5280 §6), and the caller sees to the name with
        /// [HostTls#isFor] after each handshake, resumed ones too.
        VERIFIED_BUT_FOR_NAME,
        /// The chain, the dates and the name are verified (RFC 5280 §6, RFC 9525 §6).
        VERIFIED
    }

    /// Nothing is asked.
    public static final HostPolicy OPPORTUNISTIC =
            new HostPolicy(Trust.OPPORTUNISTIC, null, List.of());

    /// TLS, with whoever answers.
    public static final HostPolicy ENCRYPTED = new HostPolicy(Trust.ENCRYPTED, null, List.of());

    /// Whoever answers, to be looked at.
    public static final HostPolicy SHOWN = new HostPolicy(Trust.SHOWN, null, List.of());

    public HostPolicy {
        names = List.copyOf(names);
    }

    /// Only for whom an authority stands, whatever the name: the caller asks for that.
    ///
    /// @param authorities null for those of the system
    public static HostPolicy verifiedButForName(@Nullable Path authorities) {
        return new HostPolicy(Trust.VERIFIED_BUT_FOR_NAME, authorities, List.of());
    }

    /// Whether a host is asked to staple what its issuer says of its certificate (RFC 6066 §8). The
    /// engine `jdk` always does, `openssl` never.
    boolean asksForStatus() {
        return hasAuthorities() || trust == Trust.SHOWN;
    }

    /// Whether chains are verified.
    boolean hasAuthorities() {
        return switch (trust) {
            case OPPORTUNISTIC, ENCRYPTED, SHOWN -> false;
            case VERIFIED_BUT_FOR_NAME, VERIFIED -> true;
        };
    }

    /// Only who is who they say.
    ///
    /// @param authorities null for those of the system
    /// @param names empty for the name that the host is connected to by
    public static HostPolicy verified(@Nullable Path authorities, List<String> names) {
        return new HostPolicy(Trust.VERIFIED, authorities, names);
    }
}
