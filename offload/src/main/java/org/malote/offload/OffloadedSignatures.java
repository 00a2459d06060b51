package org.malote.offload;

import io.netty.handler.ssl.OpenSslAsyncPrivateKeyMethod;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import io.netty.util.internal.ThreadExecutorMap;
import java.security.SignatureException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/// Leads BoringSSL's requests for a signature to the key's operations, and their answers back to
/// the event loop. While a key cannot sign, its fallback does, there.
final class OffloadedSignatures implements OpenSslAsyncPrivateKeyMethod {
    private final Map<SignatureScheme.Family, Signer> signers =
            new EnumMap<>(SignatureScheme.Family.class);

    private record Signer(PrivateKeyOps key, @Nullable PrivateKeyOps fallback) {}

    OffloadedSignatures(List<ServedCertificate> served) {
        for (ServedCertificate one : served) {
            signers.put(one.family(), new Signer(one.operations(), one.fallbackOperations()));
        }
    }

    @Override
    public Future<byte[]> sign(SSLEngine engine, int signatureAlgorithm, byte[] input) {
        Promise<byte[]> answer = ImmediateEventExecutor.INSTANCE.newPromise();
        SignatureScheme scheme = SignatureScheme.ofCode(signatureAlgorithm);
        Signer signer = scheme == null ? null : signers.get(scheme.family());
        if (scheme == null || signer == null) {
            return answer.setFailure(noKey(signatureAlgorithm));
        }
        // The engine's completion is not safe against its own start: it must run where sign was
        // called.
        EventExecutor loop = ThreadExecutorMap.currentExecutor();
        PrivateKeyOps fallback = signer.fallback();
        if (fallback != null && signer.key().health() instanceof PrivateKeyOps.Health.Ailing) {
            ask(fallback, null, scheme, input, loop, answer);
        } else {
            ask(signer.key(), fallback, scheme, input, loop, answer);
        }
        return answer;
    }

    private static void ask(
            PrivateKeyOps key,
            @Nullable PrivateKeyOps fallback,
            SignatureScheme scheme,
            byte[] input,
            @Nullable EventExecutor loop,
            Promise<byte[]> answer) {
        key.sign(scheme, input)
                .whenComplete(
                        (bytes, failure) ->
                                onLoop(
                                        loop,
                                        () -> {
                                            if (bytes != null) {
                                                answer.trySuccess(bytes);
                                            } else if (fallback != null) {
                                                ask(fallback, null, scheme, input, loop, answer);
                                            } else {
                                                answer.tryFailure(
                                                        failure != null
                                                                ? failure
                                                                : new SignatureException(
                                                                        "the key gave no"
                                                                                + " signature"));
                                            }
                                        }));
    }

    private static void onLoop(@Nullable EventExecutor loop, Runnable completion) {
        if (loop == null || loop.inEventLoop()) {
            completion.run();
            return;
        }
        try {
            loop.execute(completion);
        } catch (RejectedExecutionException _) {
            // The event loop has ended, and the connection with it.
        }
    }

    static SignatureException noKey(int signatureAlgorithm) {
        return new SignatureException(
                String.format("no key signs with scheme 0x%04x", signatureAlgorithm));
    }

    /// Only the RSA key exchange of TLS 1.2 decrypts, and it is not offered: RFC 9325 §4.1.
    static SignatureException noDecryption() {
        return new SignatureException("keys are for signatures only");
    }

    @Override
    public Future<byte[]> decrypt(SSLEngine engine, byte[] input) {
        return ImmediateEventExecutor.INSTANCE.newFailedFuture(noDecryption());
    }
}
