package org.malote.auth;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.malote.amtp.HopNetwork;
import org.malote.offload.PeerIdentity;

/// Which users a certificate vouches for (draft-weinman-amtp-03 §7: the subject of a certificate
/// matches another token of authentication, such as the user's name).
///
/// On a private network the operator has chosen the names of the certificates, so a user may be
/// found by them: `ann.isp.example` vouches for the users `ann.isp.example`, `ann` and
/// `ann@isp.example`. Elsewhere anybody can have a certificate for a name of their own, and only
/// what the file of users says counts: `certificate=`.
public final class CertificateNames {
    private CertificateNames() {}

    /// Whether the certificate of a peer vouches for a user.
    ///
    /// @param network whose word the certificate rests on
    public static boolean vouchFor(PeerIdentity peer, HopNetwork network, User user) {
        if (!(peer instanceof PeerIdentity.Trusted trusted)) {
            return false;
        }
        for (String name : of(trusted, network)) {
            if (user.certificates().contains(name)
                    || (network == HopNetwork.PRIVATE && userForms(name).contains(user.name()))) {
                return true;
            }
        }
        return false;
    }

    /// The names of a certificate, in lower case, without a dot at their end. Its common name is
    /// one only when it has no DNS name, and a private authority vouches (RFC 9525 §2.3).
    static List<String> of(PeerIdentity.Trusted peer, HopNetwork network) {
        List<String> names = new ArrayList<>();
        for (String name : peer.names()) {
            names.add(plain(name));
        }
        if (names.isEmpty() && network == HopNetwork.PRIVATE) {
            String commonName = commonName(peer.subject());
            if (!commonName.isEmpty()) {
                names.add(plain(commonName));
            }
        }
        // No wildcard names a peer.
        names.removeIf(name -> name.contains("*"));
        return names;
    }

    /// The names of users that a name of a certificate may mean: itself, its first label, and the
    /// address that the DNS would write so (RFC 1035 §8).
    static List<String> userForms(String name) {
        int dot = name.indexOf('.');
        return dot <= 0
                ? List.of(name)
                : List.of(
                        name,
                        name.substring(0, dot),
                        name.substring(0, dot) + "@" + name.substring(dot + 1));
    }

    private static String plain(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    private static String commonName(String subject) {
        try {
            // RFC 4514 has the last first: the most particular one is at the list's end.
            for (Rdn rdn : new LdapName(subject).getRdns().reversed()) {
                if (rdn.getType().equalsIgnoreCase("CN") && rdn.getValue() instanceof String text) {
                    return text;
                }
            }
        } catch (InvalidNameException _) {
            // a subject that says nothing
        }
        return "";
    }
}
