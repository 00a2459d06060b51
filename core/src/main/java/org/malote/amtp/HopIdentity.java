package org.malote.amtp;

import org.jspecify.annotations.Nullable;

/// Who is at the other end of a hop, and how that was found: the certificate, the name that EHLO
/// gave and reverse DNS, compared (draft-weinman-amtp-03 §4.2 to §4.4.2).
///
/// @param network whose word the certificate rests on
/// @param operator the name that the peer is held to, in lower case: that of EHLO, which is one of
///     its certificate's; empty when there is none
/// @param issuer who issued the leaf, RFC 4514 form; empty without a certificate that holds
/// @param reverse what reverse DNS says of the address
/// @param shortcoming what is missing to a verified identity; null when nothing is. On a private
///     network reverse DNS is not looked at (§7)
/// @param fault why the certificate does not hold, who took it back or what denies it, in words for
///     the operator; empty when there is nothing of that
public record HopIdentity(
        HopNetwork network,
        String operator,
        String issuer,
        ReverseDns reverse,
        @Nullable Shortcoming shortcoming,
        String fault) {

    /// A peer of whose certificate there is nothing to say.
    public HopIdentity(
            HopNetwork network,
            String operator,
            String issuer,
            ReverseDns reverse,
            @Nullable Shortcoming shortcoming) {
        this(network, operator, issuer, reverse, shortcoming, "");
    }

    /// A peer of which nothing was asked.
    public static final HopIdentity UNKNOWN =
            new HopIdentity(
                    HopNetwork.NONE, "", "", new ReverseDns.Unasked(), Shortcoming.NO_CERTIFICATE);

    /// Whether everything matches that the draft asks for.
    public boolean isVerified() {
        return shortcoming == null;
    }

    /// The shortcoming in words, or `verified`.
    public String verdict() {
        return verdict(shortcoming);
    }

    /// The same in one word of few, for the meters.
    public String verdictWord() {
        return shortcoming == null ? "verified" : shortcoming.word();
    }

    static String verdict(@Nullable Shortcoming shortcoming) {
        return shortcoming == null ? "verified" : shortcoming.text();
    }
}
