package org.malote.offload;

import java.security.GeneralSecurityException;
import java.security.SignatureException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/// Keys from PEM files, signed by the system's OpenSSL 3, whose RSA is 2 to 3 times faster than
/// BoringSSL's where the processor has AVX512-IFMA.
public final class LibcryptoProvider implements OffloadProvider {
    static final String NAME = "libcrypto";

    private final @Nullable Libcrypto library;
    private final List<String> missing;

    /// For [java.util.ServiceLoader].
    public LibcryptoProvider() {
        this(Libcrypto.LIBRARY);
    }

    /// @param file of the library, as the dynamic linker finds it
    LibcryptoProvider(String file) {
        Libcrypto loaded = null;
        List<String> problems = List.of();
        try {
            loaded = Libcrypto.load(file);
        } catch (TlsProblems e) {
            problems = e.problems();
        }
        this.library = loaded;
        this.missing = problems;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String describe() {
        return "keys from PEM files, signed in process by the system's OpenSSL 3: the fastest RSA on"
                + " processors with AVX512-IFMA; needs "
                + Libcrypto.LIBRARY
                + " and files of mode 600";
    }

    @Override
    public List<String> missing() {
        return missing;
    }

    /// The library's own name and version, or null where it is not there.
    @Nullable String version() {
        return library == null ? null : library.version();
    }

    @Override
    public OpenedKey open(KeyReference reference, KeyEnvironment environment) throws TlsProblems {
        if (library == null) {
            throw new TlsProblems(missing);
        }
        byte[] encoded = NativeProvider.readKey(reference.location()).getEncoded();
        try {
            return new OpenedKey.Inline(new Ops(library.key(encoded)));
        } catch (GeneralSecurityException e) {
            throw PemFile.problem(
                    String.format(
                            "key %s is refused by the system's OpenSSL (%s): choose provider"
                                    + " \"native\" or another key",
                            reference.location(), e.getMessage()));
        }
    }

    /// Many signatures go on at the same time; closing waits for them, a millisecond at most.
    private static final class Ops implements PrivateKeyOps {
        private final ReadWriteLock lock = new ReentrantReadWriteLock();
        private final Libcrypto.Key key;
        private boolean isClosed; // guarded by the lock

        private Ops(Libcrypto.Key key) {
            this.key = key;
        }

        @Override
        public CompletionStage<byte[]> sign(SignatureScheme scheme, byte[] message) {
            lock.readLock().lock();
            try {
                if (isClosed) {
                    return CompletableFuture.failedFuture(
                            new SignatureException("the key is closed"));
                }
                return CompletableFuture.completedFuture(key.sign(scheme, message));
            } catch (SignatureException e) {
                return CompletableFuture.failedFuture(e);
            } finally {
                lock.readLock().unlock();
            }
        }

        @Override
        public Health health() {
            return new Health.Well();
        }

        @Override
        public void close() {
            lock.writeLock().lock();
            try {
                if (!isClosed) {
                    isClosed = true;
                    key.free();
                }
            } finally {
                lock.writeLock().unlock();
            }
        }
    }
}
