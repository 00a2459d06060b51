package org.malote.offload.pkcs11;

import io.netty.util.internal.ThreadExecutorMap;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.malote.offload.KeyUnavailable;
import org.malote.offload.TlsProblems;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One module of the process, shared by all keys that are reached through it, and initialised while
/// there are any. Its calls may hang for as long as a token does: on an event loop they are
/// refused,
/// and [#enter] is no call.
final class Pkcs11Module {
    private static final Logger LOG = LoggerFactory.getLogger(Pkcs11Module.class);

    /// How long an initialisation waits for calls that are under way. Ours: a call that takes
    /// longer
    /// hangs.
    private static final long QUIET_SECONDS_MAX = 2;

    private final String file;

    /// Calls hold it for reading, initialisation for writing.
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);

    /// PINs that were refused: a token locks itself after a few, so none is tried again until its
    /// file has changed. Guarded by itself, which also lets in one login at a time.
    private final Map<String, FileTime> refusedPins = new HashMap<>();

    // Guarded by the lock.
    private @Nullable Cryptoki cryptoki;
    private boolean isInitialized;
    private boolean isOthers;
    private long generation;

    private final AtomicInteger users = new AtomicInteger();

    Pkcs11Module(String file) {
        this.file = file;
    }

    /// A call into the module.
    ///
    /// @param <T> what it gives
    interface Call<T> {
        T on(Cryptoki cryptoki) throws Pkcs11Exception, TlsProblems, KeyUnavailable;
    }

    /// Which initialisation is in force. Sessions and handles end with it.
    long generation() {
        lock.readLock().lock();
        try {
            return generation;
        } finally {
            lock.readLock().unlock();
        }
    }

    Map<String, FileTime> refusedPins() {
        return refusedPins;
    }

    /// Never waits: a start or a reload enters while the token of another key hangs.
    void enter() {
        users.incrementAndGet();
    }

    /// The last one finalises the module.
    void leave() {
        requireNoEventLoop();
        lock.writeLock().lock();
        try {
            if (users.decrementAndGet() == 0) {
                finish(); // whoever enters now begins again, after this
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// Makes the module ready: the first call loads and initialises it.
    void start() throws Pkcs11Exception, TlsProblems {
        requireNoEventLoop();
        lock.writeLock().lock();
        try {
            if (!isInitialized) {
                begin();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// Finalises and initialises again, which is what brings a token back that was gone.
    ///
    /// @param seen the generation that failed: when another thread has done it since, all is done
    void restart(long seen) throws Pkcs11Exception, TlsProblems, KeyUnavailable {
        requireNoEventLoop();
        boolean isAlone = false;
        try {
            isAlone = lock.writeLock().tryLock(QUIET_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        if (!isAlone) {
            throw new KeyUnavailable(
                    "a call to the PKCS#11 module " + file + " does not come back");
        }
        try {
            if (generation == seen && !isOthers) {
                finish();
                begin();
                LOG.debug("the PKCS#11 module {} was initialised again", file);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// Calls the module, in the generation that a session was opened in.
    ///
    /// @throws KeyUnavailable when that generation is over
    <T> T call(long expected, Call<T> call) throws Pkcs11Exception, TlsProblems, KeyUnavailable {
        requireNoEventLoop();
        lock.readLock().lock();
        try {
            if (cryptoki == null || !isInitialized || generation != expected) {
                throw new KeyUnavailable("the PKCS#11 module was initialised again");
            }
            return call.on(cryptoki);
        } finally {
            lock.readLock().unlock();
        }
    }

    private static void requireNoEventLoop() {
        if (ThreadExecutorMap.currentExecutor() != null) {
            throw new IllegalStateException("a call to a PKCS#11 module on an event loop");
        }
    }

    private void begin() throws Pkcs11Exception, TlsProblems {
        if (cryptoki == null) {
            cryptoki = Cryptoki.load(file);
        }
        try {
            cryptoki.initialize();
            isOthers = false;
        } catch (Pkcs11Exception e) {
            if (e.code() != Pkcs11Exception.CRYPTOKI_ALREADY_INITIALIZED) {
                throw e;
            }
            isOthers = true; // it is not ours to finalise
        }
        isInitialized = true;
        generation++;
    }

    private void finish() {
        if (!isInitialized || isOthers || cryptoki == null) {
            return;
        }
        isInitialized = false;
        try {
            cryptoki.close();
        } catch (Pkcs11Exception e) {
            LOG.warn("the PKCS#11 module {} did not end well: {}", file, e.getMessage());
        }
    }
}
