package org.malote.smtp;

/// The `BODY=` parameter of MAIL (RFC 6152, RFC 3030 §3): what octets the message holds.
public enum BodyType {
    /// `7BIT`, or no parameter at all.
    SEVEN_BIT("7BIT"),
    /// `8BITMIME`: lines of 8-bit octets.
    EIGHT_BIT_MIME("8BITMIME"),
    /// `BINARYMIME`: any octets; only BDAT can carry it.
    BINARY_MIME("BINARYMIME");

    private final String keyword;

    BodyType(String keyword) {
        this.keyword = keyword;
    }

    /// As it stands on the wire.
    public String keyword() {
        return keyword;
    }
}
