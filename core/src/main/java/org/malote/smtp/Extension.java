package org.malote.smtp;

/// The ESMTP extensions that Malote speaks, by their EHLO keyword.
public enum Extension {
    /// RFC 2920.
    PIPELINING("PIPELINING"),
    /// RFC 1870; its argument is the largest message in octets.
    SIZE("SIZE"),
    /// RFC 3207.
    STARTTLS("STARTTLS"),
    /// RFC 4954; its argument lists the mechanisms.
    AUTH("AUTH"),
    /// RFC 2034.
    ENHANCEDSTATUSCODES("ENHANCEDSTATUSCODES"),
    /// RFC 6152.
    EIGHT_BIT_MIME("8BITMIME"),
    /// RFC 3461.
    DSN("DSN"),
    /// RFC 6531.
    SMTPUTF8("SMTPUTF8"),
    /// RFC 3030: BDAT.
    CHUNKING("CHUNKING"),
    /// RFC 3030 §3.
    BINARYMIME("BINARYMIME"),
    /// RFC 9422; its argument lists the limits.
    LIMITS("LIMITS"),
    /// Mail Policy Codes at AMTP (draft-weinman-amtp-03 §4.4.2); its argument says which are taken.
    MPC("MPC"),
    /// The same at SMTP.
    XMPC("XMPC");

    private final String keyword;

    Extension(String keyword) {
        this.keyword = keyword;
    }

    /// The EHLO keyword.
    public String keyword() {
        return keyword;
    }
}
