package org.malote.offload.pkcs11;

import io.netty.util.internal.ThreadExecutorMap;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

    /// How long an initialisation waits for calls that are under way, while new ones wait for it.
    /// Ours: a quarter of the usual time limit of a signature, so that keys of other tokens keep
    /// theirs.
    private static final long QUIET_MILLIS_MAX = 500;

    private final String file;

    /// Calls hold it for reading, initialisation for writing.
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);

    /// By token.
    private final Map<String, Logins> logins = new ConcurrentHashMap<>();

    /// Where keys were found last, by URI: one that is found again is found without a look at the
    /// tokens beside it.
    private final Map<String, Long> slots = new ConcurrentHashMap<>();

    /// The calls that are under way.
    private final Set<Object> underWay = ConcurrentHashMap.newKeySet();

    /// Those that an initialisation has waited for in vain. While one of them is under way, none
    /// waits again, and no other call with it.
    private volatile Set<Object> hanging = Set.of();

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

    /// What happened at the logins of one token, by the file of the PIN.
    ///
    /// Guarded by itself, which also lets in one login at a time: not by what other tokens share,
    /// as a login hangs for as long as its token does.
    static final class Logins {
        /// PINs that were refused: a token locks itself after a few, so none is tried again until
        /// its file has changed.
        private final Map<Path, FileTime> refused = new HashMap<>();

        boolean isRefused(Path file, FileTime written) {
            return written.equals(refused.get(file));
        }

        void refuse(Path file, FileTime written) {
            refused.put(file, written);
        }
    }

    Logins logins(Cryptoki.TokenInfo token) {
        return logins.computeIfAbsent(token.serial() + " " + token.label(), _ -> new Logins());
    }

    Map<String, Long> slots() {
        return slots;
    }

    /// Never waits: a start or a reload enters while the token of another key hangs.
    void enter() {
        users.incrementAndGet();
    }

    /// The last one finalises the module.
    void leave() {
        requireNoEventLoop();
        if (users.decrementAndGet() != 0) {
            return; // another key may be in a call that hangs, and is not waited for
        }
        lock.writeLock().lock();
        try {
            if (users.get() == 0) {
                finish(); // whoever enters now begins again, after this
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /// Makes the module ready: the first call loads and initialises it. The others wait for no
    /// call, and let none wait: one of another token may hang.
    void start() throws Pkcs11Exception, TlsProblems {
        requireNoEventLoop();
        lock.readLock().lock();
        try {
            if (isInitialized) {
                return;
            }
        } finally {
            lock.readLock().unlock();
        }
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
        if (Collections.disjoint(hanging, underWay)) {
            try {
                isAlone = lock.writeLock().tryLock(QUIET_MILLIS_MAX, TimeUnit.MILLISECONDS);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            hanging = isAlone ? Set.of() : Set.copyOf(underWay);
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
        Object thisCall = new Object();
        lock.readLock().lock();
        underWay.add(thisCall);
        try {
            if (cryptoki == null || !isInitialized || generation != expected) {
                throw new KeyUnavailable("the PKCS#11 module was initialised again");
            }
            return call.on(cryptoki);
        } finally {
            underWay.remove(thisCall);
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
