package org.malote.amtp;

import java.util.Locale;

/// Who sends a message: the first half of a code (draft-weinman-amtp-03 §4.5).
public enum CodeRole {
    /// A person, not for business.
    PER(0),
    /// A company, or who speaks for it.
    COM(1),
    /// An organisation without profit or government.
    NGO(2),
    /// Who runs a network, about running it.
    NET(3),
    /// A government, or who speaks for it.
    GOV(4),
    /// A politician in office, or a candidate.
    POL(5),
    /// One administrator to another, about a violation of these codes.
    MPC(6);

    private final int place;

    CodeRole(int place) {
        this.place = place;
    }

    /// From 0: its part of [MailPolicyCode#index].
    int place() {
        return place;
    }

    /// The role as it is written.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
