package org.malote.auth;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.HopNetwork;
import org.malote.offload.PeerIdentity;

/// The users of one reading of the file. Immutable.
public final class Users {
    /// Nobody.
    public static final Users NONE = new Users(List.of());

    private final Map<String, User> byName = new HashMap<>();
    private final Map<String, User> byCertificate = new HashMap<>();
    private final PasswordHash nobody;
    private final int iterations;
    private final int saltOctets;

    /// @param users whose names differ
    public Users(Collection<User> users) {
        Set<String> shared = new HashSet<>();
        for (User user : users) {
            byName.put(user.name(), user);
            for (String certificate : user.certificates()) {
                if (byCertificate.putIfAbsent(certificate, user) != null) {
                    shared.add(certificate);
                }
            }
        }
        // Whose certificate has several users says which one it is.
        byCertificate.keySet().removeAll(shared);
        // Who is not there must cost and look as those who are.
        nobody =
                PasswordHash.ofNobody(
                        users.stream()
                                .map(User::hash)
                                .filter(Objects::nonNull)
                                .map(PasswordHash::cost)
                                .findFirst()
                                .orElse(PasswordHash.USUAL));
        ScramVerifier first =
                users.stream()
                        .map(User::verifier)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElse(null);
        iterations = first == null ? ScramVerifier.USUAL_ITERATIONS : first.iterations();
        saltOctets = first == null ? ScramVerifier.SALT_OCTETS : first.saltOctets();
    }

    /// The user of that name, or null.
    ///
    /// @param name prepared
    public @Nullable User find(String name) {
        return byName.get(name);
    }

    /// How many there are.
    public int size() {
        return byName.size();
    }

    /// The one user that a certificate speaks for, or null when that is none, or not clear.
    @Nullable User of(PeerIdentity.Trusted peer, HopNetwork network) {
        List<User> found = new ArrayList<>();
        for (String name : CertificateNames.of(peer, network)) {
            User named = byCertificate.get(name);
            if (named != null) {
                found.add(named);
            }
        }
        if (found.isEmpty() && network == HopNetwork.PRIVATE) {
            for (String name : CertificateNames.of(peer, network)) {
                for (String form : CertificateNames.userForms(name)) {
                    User named = find(form);
                    if (named != null) {
                        found.add(named);
                    }
                }
            }
        }
        return found.stream().distinct().count() == 1 ? found.getFirst() : null;
    }

    /// To be tried in place of a hash that is not there.
    PasswordHash nobody() {
        return nobody;
    }

    /// Of a verifier that is not there.
    int iterations() {
        return iterations;
    }

    int saltOctets() {
        return saltOctets;
    }
}
