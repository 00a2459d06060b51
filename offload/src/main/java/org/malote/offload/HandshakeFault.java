package org.malote.offload;

import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Why a handshake failed, in one word of few, for the meters.
public final class HandshakeFault {
    /// Causes of causes are looked at so far.
    private static final int DEPTH_MAX = 8;

    private HandshakeFault() {}

    /// One of these words:
    ///
    /// - `timeout`
    /// - `closed` by the other side, without an alert
    /// - `key`: ours could not sign
    /// - `alpn`: a peer came for other protocols than are spoken here
    /// - `untrusted`, `expired`, `not-yet-valid`, `name`, `use`, `revoked`, `status`: what was
    ///   wrong with a host's certificate, where hosts are verified
    /// - `alert`: the other side said that it does not go on
    /// - `protocol`: all else that one side did not like of the other
    ///
    /// @param cause of the failure, as a handler tells it
    public static String of(@Nullable Throwable cause) {
        String word = "protocol";
        Throwable one = cause;
        for (int depth = 0; one != null && depth < DEPTH_MAX; depth++) {
            switch (one) {
                case SslHandshakeTimeoutException _ -> {
                    return "timeout";
                }
                case ClosedChannelException _ -> {
                    return "closed";
                }
                case KeyUnavailable _ -> {
                    return "key";
                }
                case ForeignProtocol _ -> {
                    return "alpn";
                }
                case CertificateRefused refused -> {
                    return refused.reason().word();
                }
                default -> {
                    if (isFailedSignature(one.getMessage())) {
                        return "key";
                    }
                    if (isAlert(one.getMessage())) {
                        word = "alert";
                    }
                    one = one.getCause();
                }
            }
        }
        return word;
    }

    /// BoringSSL keeps what the key said to itself.
    private static boolean isFailedSignature(@Nullable String message) {
        return message != null && message.contains("PRIVATE_KEY_OPERATION_FAILED");
    }

    /// No engine has a type for it. BoringSSL writes `SSLV3_ALERT_BAD_CERTIFICATE` or
    /// `TLSV1_ALERT_UNKNOWN_CA`, OpenSSL `ssl/tls alert bad certificate` or `tlsv1 alert unknown
    /// ca`,
    /// the JDK `(bad_certificate) Received fatal alert: bad_certificate`.
    private static boolean isAlert(@Nullable String message) {
        if (message == null) {
            return false;
        }
        String upper = message.toUpperCase(Locale.ROOT);
        return upper.contains("_ALERT_")
                || upper.contains(" ALERT ")
                || upper.contains("RECEIVED FATAL ALERT");
    }

    /// One sentence for the operator: the innermost that says something of use.
    ///
    /// @param cause of the failure, as a handler tells it
    public static String words(Throwable cause) {
        String words = cause.getClass().getSimpleName();
        Throwable one = cause;
        for (int depth = 0; one != null && depth < DEPTH_MAX; depth++) {
            String message = one.getMessage();
            if (one instanceof CertificateRefused && message != null) {
                return message;
            }
            if (one instanceof ClosedChannelException) {
                return "the connection was closed";
            }
            if (message != null && !message.startsWith("General OpenSslEngine problem")) {
                words = plain(one, message);
            }
            one = one.getCause();
        }
        return words;
    }

    /// Without the name of the class, which an exception made of another has in front.
    private static String plain(Throwable one, String message) {
        Throwable cause = one.getCause();
        String prefix = cause == null ? "" : cause.getClass().getName() + ": ";
        String text = PemFile.firstLine(message);
        return !prefix.isEmpty() && text.startsWith(prefix)
                ? text.substring(prefix.length())
                : text;
    }
}
