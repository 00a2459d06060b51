package org.malote.offload;

import java.security.cert.CertificateException;

/// A host's certificate is not believed. It has no stack trace: every host can cause it.
public final class CertificateRefused extends CertificateException {
    private static final long serialVersionUID = 1L;

    /// What is wrong with it.
    public enum Reason {
        /// No authority that is believed stands behind it, or something in its chain is broken.
        UNTRUSTED("untrusted"),
        /// It has expired, or one that it depends on.
        EXPIRED("expired"),
        /// It is not valid yet: one of the two clocks may be wrong.
        NOT_YET_VALID("not-yet-valid"),
        /// It is for other names.
        NAME("name"),
        /// It is not for servers.
        USE("use"),
        /// Its issuer has taken it back.
        REVOKED("revoked"),
        /// It must come with its issuer's word that it has not (RFC 7633), and does not.
        STATUS("status");

        private final String word;

        Reason(String word) {
            this.word = word;
        }

        /// As the meters spell it.
        public String word() {
            return word;
        }
    }

    private final Reason reason;

    /// @param sentence for the operator
    CertificateRefused(Reason reason, String sentence) {
        super(sentence);
        this.reason = reason;
    }

    /// What is wrong.
    public Reason reason() {
        return reason;
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // there is nothing to guard
    public Throwable fillInStackTrace() {
        return this;
    }
}
