package org.malote.amtp;

/// What a peer says of its message, as far as it counts here.
public sealed interface CodeClaim {

    /// Nothing, or nothing that counts.
    record None() implements CodeClaim {}

    /// The message has a code.
    ///
    /// @param isEnforced whether a policy that denies it refuses, or is only watched
    record Stated(MailPolicyCode code, boolean isEnforced) implements CodeClaim {}

    /// No message may say this.
    ///
    /// @param isEnforced as above
    record Faulty(Fault fault, boolean isEnforced) implements CodeClaim {}

    /// What is wrong.
    enum Fault {
        /// There must be a code, and there is none.
        MISSING,
        /// It is not written as a code.
        MALFORMED,
        /// It is written as a code, and is none of those that are defined.
        UNDEFINED
    }

    /// The one silence.
    CodeClaim NONE = new None();
}
