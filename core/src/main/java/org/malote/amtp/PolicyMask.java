package org.malote.amtp;

/// Which codes are taken, a bit for each. `mpc/individual` always is.
///
/// @param bits bit [MailPolicyCode#index] is set when the code is taken
public record PolicyMask(long bits) {
    private static final long ALL_BITS = (1L << MailPolicyCode.ALL.size()) - 1;

    /// Takes every code.
    public static final PolicyMask ALL = new PolicyMask(ALL_BITS);

    public PolicyMask {
        // draft-weinman-amtp-03 §4.5: mpc/individual is accepted and delivered by all systems.
        bits = (bits & ALL_BITS) | bit(MailPolicyCode.MPC_INDIVIDUAL);
    }

    /// Whether the code is taken.
    public boolean allows(MailPolicyCode code) {
        return (bits & bit(code)) != 0;
    }

    static long bit(MailPolicyCode code) {
        return 1L << code.index();
    }
}
