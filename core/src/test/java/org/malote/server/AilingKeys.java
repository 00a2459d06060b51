package org.malote.server;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.util.concurrent.atomic.AtomicBoolean;

/// A JCA provider whose keys can be made to fail, as those of a card that is pulled out. It signs
/// with P-256 and SHA-256, by the JDK.
public final class AilingKeys extends Provider {
    private static final long serialVersionUID = 1L;

    /// Whether they fail. Of the process, as a card is.
    static final AtomicBoolean ARE_GONE = new AtomicBoolean();

    public AilingKeys() {
        super("AilingKeys", "1", "fails when it is told to");
        put("Signature.SHA256withECDSA", Ecdsa.class.getName());
    }

    /// Made by the JDK.
    public static final class Ecdsa extends SignatureSpi {
        private final Signature jdk = jdk();

        private static Signature jdk() {
            try {
                return Signature.getInstance("SHA256withECDSA", "SunEC");
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
            jdk.initSign(key);
        }

        @Override
        protected byte[] engineSign() throws SignatureException {
            if (ARE_GONE.get()) {
                throw new SignatureException("the card is gone");
            }
            return jdk.sign();
        }

        @Override
        protected void engineUpdate(byte octet) throws SignatureException {
            jdk.update(octet);
        }

        @Override
        protected void engineUpdate(byte[] octets, int offset, int length)
                throws SignatureException {
            jdk.update(octets, offset, length);
        }

        @Override
        protected void engineInitVerify(PublicKey key) {
            throw new UnsupportedOperationException();
        }

        @Override
        protected boolean engineVerify(byte[] signature) {
            throw new UnsupportedOperationException();
        }

        @Override
        @Deprecated
        protected void engineSetParameter(String name, Object value) {
            throw new UnsupportedOperationException();
        }

        @Override
        @Deprecated
        protected Object engineGetParameter(String name) {
            throw new UnsupportedOperationException();
        }
    }
}
