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
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/// Leads BoringSSL's requests for a signature to the key's operations, and their answers back to
/// the event loop.
final class OffloadedSignatures implements OpenSslAsyncPrivateKeyMethod {
    private final Map<SignatureScheme.Family, PrivateKeyOps> operations =
            new EnumMap<>(SignatureScheme.Family.class);

    OffloadedSignatures(List<ServedCertificate> served) {
        for (ServedCertificate one : served) {
            operations.put(one.family(), one.operations());
        }
    }

    @Override
    public Future<byte[]> sign(SSLEngine engine, int signatureAlgorithm, byte[] input) {
        Promise<byte[]> answer = ImmediateEventExecutor.INSTANCE.newPromise();
        SignatureScheme scheme = SignatureScheme.ofCode(signatureAlgorithm);
        PrivateKeyOps key = scheme == null ? null : operations.get(scheme.family());
        if (scheme == null || key == null) {
            return answer.setFailure(
                    new SignatureException(
                            String.format("no key signs with scheme 0x%04x", signatureAlgorithm)));
        }
        // The engine's completion is not safe against its own start: it must run where sign was
        // called.
        EventExecutor loop = ThreadExecutorMap.currentExecutor();
        CompletionStage<byte[]> signature = key.sign(scheme, input);
        signature.whenComplete((bytes, failure) -> complete(loop, answer, bytes, failure));
        return answer;
    }

    private static void complete(
            @Nullable EventExecutor loop,
            Promise<byte[]> answer,
            byte @Nullable [] bytes,
            @Nullable Throwable failure) {
        Runnable completion =
                () -> {
                    if (bytes != null) {
                        answer.trySuccess(bytes);
                    } else {
                        answer.tryFailure(
                                failure != null
                                        ? failure
                                        : new SignatureException("the key gave no signature"));
                    }
                };
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

    @Override
    public Future<byte[]> decrypt(SSLEngine engine, byte[] input) {
        // Only the RSA key exchange of TLS 1.2 decrypts, and it is not offered: RFC 9325 §4.1.
        return ImmediateEventExecutor.INSTANCE.newFailedFuture(
                new SignatureException("keys are for signatures only"));
    }
}
