package org.malote.offload;

import javax.net.ssl.SSLHandshakeException;

/// A peer came for another protocol (RFC 7301 §3.2).
final class ForeignProtocol extends SSLHandshakeException {
    private static final long serialVersionUID = 1;

    ForeignProtocol(String message) {
        super(message);
    }
}
