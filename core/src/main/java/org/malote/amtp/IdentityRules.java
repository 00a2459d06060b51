package org.malote.amtp;

/// What the dialogue of a listener makes of who its peers are.
///
/// @param dial how much it counts
/// @param isAmtp whether AMTP is spoken, which has no HELO (draft-weinman-amtp-03 §4.4.1)
public record IdentityRules(Dial dial, boolean isAmtp) {
    /// A listener for SMTP that asks nobody.
    public static final IdentityRules OFF = new IdentityRules(Dial.OFF, false);

    /// Whether it is found out at all.
    public boolean isAsked() {
        return dial != Dial.OFF;
    }

    /// Whether it refuses.
    public boolean isEnforced() {
        return dial == Dial.ENFORCE;
    }
}
