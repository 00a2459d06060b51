package org.malote.amtp;

import java.util.Locale;

/// The first thing by which a peer falls short of a verified identity, in the order in which they
/// are looked at.
public enum Shortcoming {
    /// The session is in clear text.
    NO_TLS("no TLS"),
    /// The name that EHLO gave is not a fully qualified one.
    NOT_QUALIFIED("the name of EHLO is not fully qualified"),
    /// It showed no certificate.
    NO_CERTIFICATE("no certificate"),
    /// The chain of its certificate does not hold, or not today.
    CHAIN("the certificate does not hold"),
    /// The certificate, its key or a name is on the deny list, or revoked.
    DENIED("the certificate is denied"),
    /// The name that EHLO gave is none of the certificate's.
    OTHER_NAME("the name of EHLO is not in the certificate"),
    /// Reverse DNS could not be asked.
    REVERSE_LATER("reverse DNS does not answer"),
    /// The address has no name.
    REVERSE_MISSING("the address has no name"),
    /// The address has names, but not the one that EHLO gave.
    REVERSE_OTHER("the name of the address is another"),
    /// It has that name, but the name has another address.
    REVERSE_UNCONFIRMED("the name has another address");

    private final String text;

    Shortcoming(String text) {
        this.text = text;
    }

    /// What the meters call it.
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// What the log and the operator are told.
    public String text() {
        return text;
    }
}
