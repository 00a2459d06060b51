package org.malote.amtp;

import java.util.Locale;

/// How a message came to its recipients: the second half of a code (draft-weinman-amtp-03 §4.5).
public enum CodeClass {
    /// Written to each; not in bulk.
    INDIVIDUAL(0),
    /// An answer by a machine, or what a user's act has triggered.
    AUTORESPONSE(1),
    /// In bulk, to one's own customers, who agreed.
    CUSTOMER(2),
    /// In bulk, to people who did not ask for it.
    OPTOUT(3),
    /// In bulk, to people who asked for it.
    OPTIN(4),
    /// In bulk, to people who asked for it and confirmed that by mail.
    CONFIRMED(5);

    private final int place;

    CodeClass(int place) {
        this.place = place;
    }

    /// From 0: its part of [MailPolicyCode#index].
    int place() {
        return place;
    }

    /// The class as it is written.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
