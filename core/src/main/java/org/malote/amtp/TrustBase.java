package org.malote.amtp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.malote.offload.PeerTrust;
import org.malote.offload.PeerTrust.Authority;

/// Who is believed now, as one reading of the files has it. Another reading is another object.
public final class TrustBase {
    /// Nobody is believed.
    public static final TrustBase NONE =
            new TrustBase(Map.of(), Set.of(), DenyList.EMPTY, CommonNames.NEVER);

    private final Map<String, PeerTrust> listeners;
    private final Set<String> privateKeys;
    private final DenyList denied;
    private final CommonNames commonNames;

    TrustBase(
            Map<String, PeerTrust> listeners,
            Set<String> privateKeys,
            DenyList denied,
            CommonNames commonNames) {
        this.listeners = Map.copyOf(listeners);
        this.privateKeys = Set.copyOf(privateKeys);
        this.denied = denied;
        this.commonNames = commonNames;
    }

    /// What a listener is for, as far as it matters whom it may believe.
    public enum Standing {
        /// AMTP between networks.
        PUBLIC,
        /// AMTP inside one.
        PRIVATE,
        /// SMTP: either may come, and is told apart.
        EITHER
    }

    /// A listener with the authorities that may vouch for its peers.
    ///
    /// @param name of the listener
    public record Believing(String name, Standing standing, PeerTrust trust) {}

    /// Puts together what was read.
    ///
    /// Draft-weinman-amtp-03 §1.2, §7: a private authority is recognised by a closed set of hosts,
    /// and one that others recognise is not to be treated as private. So the two kinds must have
    /// none in common.
    ///
    /// @throws NotDisjoint with a sentence for each authority of both kinds
    public static TrustBase of(List<Believing> all, DenyList denied, CommonNames commonNames)
            throws NotDisjoint {
        Map<String, PeerTrust> listeners = new HashMap<>();
        Set<String> privateKeys = new HashSet<>();
        for (Believing one : all) {
            listeners.put(one.name(), one.trust());
            if (one.standing() == Standing.PRIVATE) {
                one.trust().authorities().forEach(ca -> privateKeys.add(ca.keyDigest()));
            }
        }
        List<String> problems = new ArrayList<>();
        for (Believing inner : all) {
            for (Believing outer : all) {
                if (inner.standing() == Standing.PRIVATE && outer.standing() == Standing.PUBLIC) {
                    compare(inner, outer, problems);
                }
            }
        }
        if (!problems.isEmpty()) {
            throw new NotDisjoint(problems.stream().distinct().toList());
        }
        return new TrustBase(listeners, privateKeys, denied, commonNames);
    }

    private static void compare(Believing inner, Believing outer, List<String> problems) {
        Map<String, Authority> byKey = new HashMap<>();
        outer.trust().authorities().forEach(ca -> byKey.putIfAbsent(ca.keyDigest(), ca));
        for (Authority own : inner.trust().authorities()) {
            Authority same = byKey.get(own.keyDigest());
            if (same != null) {
                problems.add(
                        describe(inner, own)
                                + " is also in "
                                + source(same)
                                + ", which listener \""
                                + outer.name()
                                + "\" trusts for public networks: make an authority for the private"
                                + " network alone, or take it out of one of the two");
                continue;
            }
            for (Authority issuer : outer.trust().authorities()) {
                if (own.isIssuedBy(issuer)) {
                    problems.add(
                            describe(inner, own)
                                    + " is issued by "
                                    + issuer.subject()
                                    + " of "
                                    + source(issuer)
                                    + ", which listener \""
                                    + outer.name()
                                    + "\" trusts for public networks: make an authority for the"
                                    + " private network alone");
                }
            }
        }
    }

    private static String describe(Believing believing, Authority authority) {
        return "the private authority "
                + authority.subject()
                + " of "
                + source(authority)
                + " (listener \""
                + believing.name()
                + "\")";
    }

    private static String source(Authority authority) {
        return authority.source().equals(PeerTrust.SYSTEM)
                ? "the system's store"
                : authority.source();
    }

    /// An authority is both private and public.
    public static final class NotDisjoint extends Exception {
        private static final long serialVersionUID = 1L;

        @SuppressWarnings("serial") // a stream's list is serializable
        private final List<String> problems;

        NotDisjoint(List<String> problems) {
            super(String.join("; ", problems));
            this.problems = List.copyOf(problems);
        }

        /// A sentence for each.
        public List<String> problems() {
            return problems;
        }
    }

    /// Who may vouch for the peers of a listener.
    ///
    /// @throws IllegalStateException for one that finds out nothing
    PeerTrust of(String listener) {
        PeerTrust trust = listeners.get(listener);
        if (trust == null) {
            throw new IllegalStateException("nobody is believed at listener " + listener);
        }
        return trust;
    }

    DenyList denied() {
        return denied;
    }

    CommonNames commonNames() {
        return commonNames;
    }

    /// By who vouches, never by port or address (draft-weinman-amtp-03 §1.2): a connection is
    /// private when the authority of the client's certificate is, and public in every other case.
    HopNetwork networkOf(String authorityKey) {
        return privateKeys.contains(authorityKey) ? HopNetwork.PRIVATE : HopNetwork.PUBLIC;
    }
}
