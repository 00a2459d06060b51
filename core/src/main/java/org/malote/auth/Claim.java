package org.malote.auth;

import org.malote.amtp.HopNetwork;
import org.malote.offload.PeerIdentity;

/// What an [Exchange] asks the [Authenticator].
public sealed interface Claim {

    /// By what the peer wants to be known.
    Mechanism mechanism();

    /// Is this the password of that user?
    ///
    /// It prints nothing of what it holds.
    final class Password implements Claim {
        private final String name;
        private final String password;

        /// @param name as it was sent
        /// @param password as it was sent
        Password(String name, String password) {
            this.name = name;
            this.password = password;
        }

        String name() {
            return name;
        }

        String password() {
            return password;
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.PLAIN;
        }

        @Override
        public String toString() {
            return "a password";
        }
    }

    /// By what can a proof of that user be verified?
    ///
    /// @param name as it was sent
    record Verifier(String name) implements Claim {
        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }
    }

    /// Is this a proof of the password?
    final class Proof implements Claim {
        private final Answer.Verifiable verifiable;
        private final String authMessage;
        private final byte[] proof;

        /// @param authMessage of RFC 5802 §3
        /// @param proof ClientProof
        Proof(Answer.Verifiable verifiable, String authMessage, byte[] proof) {
            this.verifiable = verifiable;
            this.authMessage = authMessage;
            this.proof = proof.clone();
        }

        Answer.Verifiable verifiable() {
            return verifiable;
        }

        boolean isRight() {
            return verifiable.verifier().accepts(authMessage, proof);
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }

        @Override
        public String toString() {
            return "a proof";
        }
    }

    /// Is this the certificate of that user?
    ///
    /// @param name as it was sent; empty: whose is it?
    /// @param network whose word it rests on
    record Certificate(String name, PeerIdentity peer, HopNetwork network) implements Claim {
        @Override
        public Mechanism mechanism() {
            return Mechanism.EXTERNAL;
        }
    }
}
