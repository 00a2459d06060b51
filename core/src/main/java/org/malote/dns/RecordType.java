package org.malote.dns;

import org.xbill.DNS.Type;

/// What can be asked for.
public enum RecordType {
    A(Type.A),
    AAAA(Type.AAAA),
    MX(Type.MX),
    PTR(Type.PTR),
    TXT(Type.TXT),
    TLSA(Type.TLSA),
    SRV(Type.SRV);

    private final int code;

    RecordType(int code) {
        this.code = code;
    }

    /// The number in a message (RFC 1035 §3.2.2).
    int code() {
        return code;
    }
}
