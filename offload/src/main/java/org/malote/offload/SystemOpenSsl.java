package org.malote.offload;

import static org.malote.offload.OpenSslFunctions.INT;
import static org.malote.offload.OpenSslFunctions.LONG;
import static org.malote.offload.OpenSslFunctions.POINTER;
import static org.malote.offload.OpenSslFunctions.bug;
import static org.malote.offload.OpenSslFunctions.text;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// The system's OpenSSL, as the engine of that name needs it: found, new enough, and begun with its
/// own configuration; and what contexts need of it that netty-tcnative does not pass on.
///
/// Threads: any.
final class SystemOpenSsl {
    /// What netty-tcnative's library is linked with, by its own headers: `readelf -d`.
    static final String SSL_LIBRARY = "libssl.so.3";

    static final String CRYPTO_LIBRARY = "libcrypto.so.3";
    static final String PORTABILITY_LIBRARY = "libapr-1.so.0";

    /// netty-tcnative asks for `SSL_get0_group_name`, which came with 3.2. As of
    /// OpenSSL_version_num(3): 0xMNN00PP0L.
    private static final long VERSION_MIN = 0x30200000L;

    /// The first with X25519MLKEM768.
    private static final long POST_QUANTUM_VERSION_MIN = 0x30500000L;

    /// openssl/ssl.h
    private static final long SSL_OP_NO_TICKET = 1L << 14;

    /// SSL_CTX_use_cert_and_key(3): a second of one kind is an error.
    private static final int NOT_IN_PLACE_OF_ANOTHER = 0;

    /// A process has one, as it has one C library.
    private static final AtomicReference<@Nullable SystemOpenSsl> LOADED = new AtomicReference<>();

    private final OpenSslFunctions crypto;
    private final OpenSslConfiguration configuration;
    private final MethodHandle setTicketCount;
    private final MethodHandle setTicketCallback;
    private final MemorySegment onTicket;
    private final MethodHandle setOptions;
    private final MethodHandle useCertificate;
    private final long versionNumber;
    private final String version;

    private SystemOpenSsl(OpenSslFunctions crypto, OpenSslFunctions ssl) throws Throwable {
        this.crypto = crypto;
        configuration = new OpenSslConfiguration(crypto);
        versionNumber = (long) crypto.find("OpenSSL_version_num", LONG).invokeExact();
        version = text((MemorySegment) crypto.find("OpenSSL_version", POINTER, INT).invoke(0));
        setTicketCount = ssl.find("SSL_set_num_tickets", INT, POINTER, LONG);
        setOptions = ssl.find("SSL_set_options", LONG, POINTER, LONG);
        setTicketCallback =
                ssl.find("SSL_CTX_set_session_ticket_cb", INT, POINTER, POINTER, POINTER, POINTER);
        onTicket = upcall(new TicketRule(ssl.find("SSL_version", INT, POINTER)));
        useCertificate =
                ssl.find("SSL_CTX_use_cert_and_key", INT, POINTER, POINTER, POINTER, POINTER, INT);
    }

    /// That of this process, loaded and configured by the first call that finds all it needs.
    ///
    /// @throws TlsProblems with what is missing, and how to get it
    static SystemOpenSsl load() throws TlsProblems {
        synchronized (LOADED) {
            SystemOpenSsl loaded = LOADED.get();
            if (loaded == null) {
                loaded = load(SSL_LIBRARY, CRYPTO_LIBRARY, PORTABILITY_LIBRARY);
                LOADED.set(loaded);
            }
            return loaded;
        }
    }

    /// The same with other libraries.
    static SystemOpenSsl load(String ssl, String crypto, String portability) throws TlsProblems {
        OpenSslFunctions cryptoFunctions =
                OpenSslFunctions.open(crypto, "install OpenSSL 3.2 or later");
        OpenSslFunctions sslFunctions = OpenSslFunctions.open(ssl, "install OpenSSL 3.2 or later");
        try {
            SystemOpenSsl found = new SystemOpenSsl(cryptoFunctions, sslFunctions);
            if (found.versionNumber < VERSION_MIN) {
                throw PemFile.problem(
                        String.format(
                                "engine \"openssl\" needs OpenSSL 3.2 or later and this host has %s:"
                                        + " take a host with a newer one (Debian 13 has 3.5)%s",
                                found.version, OpenSslFunctions.OTHERWISE));
            }
            OpenSslFunctions _ =
                    OpenSslFunctions.open(
                            portability,
                            "install the Apache Portable Runtime (Debian 13: libapr1t64)");
            found.configuration.require();
            return found;
        } catch (TlsProblems e) {
            throw e;
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    /// `OpenSSL 3.5.9 29 Sep 2026`
    String version() {
        return version;
    }

    boolean hasPostQuantum() {
        return versionNumber >= POST_QUANTUM_VERSION_MIN;
    }

    /// Whether a provider of this name is active: `default`, or what the configuration names.
    boolean hasProvider(String name) {
        return configuration.hasProvider(name);
    }

    /// Gives a context a certificate beside those that it has, SSL_CTX_use_cert_and_key(3): one for
    /// each kind of key, among which OpenSSL chooses by all that the peer says.
    ///
    /// @param context the address of an `SSL_CTX` that lives
    /// @param key an encodable one
    void use(long context, X509Certificate[] chain, PrivateKey key) throws SSLException {
        byte[] encodedKey = key.getEncoded();
        try (Arena arena = Arena.ofConfined();
                var parsed = new Parsed()) {
            MemorySegment stack = parsed.newStack();
            for (int i = 1; i < chain.length; i++) {
                parsed.push(stack, parsed.certificate(arena, chain[i].getEncoded()));
            }
            MemorySegment leaf = parsed.certificate(arena, chain[0].getEncoded());
            MemorySegment ours = parsed.key(arena, encodedKey);
            int result =
                    (int)
                            useCertificate.invokeExact(
                                    MemorySegment.ofAddress(context),
                                    leaf,
                                    ours,
                                    stack,
                                    NOT_IN_PLACE_OF_ANOTHER);
            require(result == 1);
        } catch (SSLException e) {
            throw e;
        } catch (Throwable e) {
            throw bug(e);
        } finally {
            Arrays.fill(encodedKey, (byte) 0);
        }
    }

    private void require(boolean isDone) throws Throwable {
        if (!isDone) {
            throw new SSLException(crypto.errors());
        }
    }

    /// What was parsed: the context takes references of its own, and ours end here.
    private final class Parsed implements AutoCloseable {
        private final List<MemorySegment> certificates = new ArrayList<>();
        private final List<MemorySegment> keys = new ArrayList<>();
        private final List<MemorySegment> stacks = new ArrayList<>();

        MemorySegment certificate(Arena arena, byte[] encoded) throws Throwable {
            return parse(
                    "d2i_X509",
                    arena.allocateFrom(ValueLayout.JAVA_BYTE, encoded),
                    arena,
                    certificates);
        }

        MemorySegment key(Arena arena, byte[] encoded) throws Throwable {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, encoded);
            try {
                return parse("d2i_AutoPrivateKey", bytes, arena, keys);
            } finally {
                bytes.fill((byte) 0);
            }
        }

        private MemorySegment parse(
                String parser, MemorySegment bytes, Arena arena, List<MemorySegment> owned)
                throws Throwable {
            // The function moves the pointer that it is given, so it is given a copy.
            MemorySegment cursor = arena.allocateFrom(POINTER, bytes);
            var parsed =
                    (MemorySegment)
                            crypto.find(parser, POINTER, POINTER, POINTER, LONG)
                                    .invokeExact(MemorySegment.NULL, cursor, bytes.byteSize());
            require(parsed.address() != 0);
            owned.add(parsed);
            return parsed;
        }

        MemorySegment newStack() throws Throwable {
            var stack = (MemorySegment) crypto.find("OPENSSL_sk_new_null", POINTER).invokeExact();
            require(stack.address() != 0);
            stacks.add(stack);
            return stack;
        }

        void push(MemorySegment stack, MemorySegment certificate) throws Throwable {
            int size =
                    (int)
                            crypto.find("OPENSSL_sk_push", INT, POINTER, POINTER)
                                    .invokeExact(stack, certificate);
            require(size > 0);
        }

        @Override
        public void close() {
            try {
                free("OPENSSL_sk_free", stacks);
                free("X509_free", certificates);
                free("EVP_PKEY_free", keys);
            } catch (Throwable e) {
                throw bug(e);
            }
        }

        private void free(String function, List<MemorySegment> owned) throws Throwable {
            for (MemorySegment one : owned) {
                crypto.find(function, null, POINTER).invokeExact(one);
            }
        }
    }

    /// Makes a context give a new ticket for each that a TLS 1.3 peer comes with, as BoringSSL
    /// does: a peer that uses each only once (RFC 8446 §C.4) would have none left. netty-tcnative
    /// asks for it only where the key of the ticket is an old one.
    ///
    /// @param context the address of an `SSL_CTX` that lives
    void renewTickets(long context) {
        try {
            int _ =
                    (int)
                            setTicketCallback.invokeExact(
                                    MemorySegment.ofAddress(context),
                                    MemorySegment.NULL,
                                    onTicket,
                                    MemorySegment.NULL);
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    @SuppressWarnings("restricted") // the signature is that of SSL_CTX_set_session_ticket_cb(3)
    private static MemorySegment upcall(TicketRule rule) throws ReflectiveOperationException {
        return Linker.nativeLinker()
                .upcallStub(
                        MethodHandles.lookup()
                                .bind(
                                        rule,
                                        "decide",
                                        MethodType.methodType(
                                                int.class,
                                                MemorySegment.class,
                                                MemorySegment.class,
                                                MemorySegment.class,
                                                long.class,
                                                int.class,
                                                MemorySegment.class)),
                        FunctionDescriptor.of(INT, POINTER, POINTER, POINTER, LONG, INT, POINTER),
                        Arena.global());
    }

    /// What becomes of a ticket. Called by OpenSSL inside of a handshake: it must not throw, which
    /// would end the process.
    private record TicketRule(MethodHandle protocolVersion) {
        // openssl/ssl.h: what was found ...
        private static final int SSL_TICKET_SUCCESS = 5;
        private static final int SSL_TICKET_SUCCESS_RENEW = 6;

        // ... and what is to be done.
        private static final int SSL_TICKET_RETURN_IGNORE_RENEW = 2;
        private static final int SSL_TICKET_RETURN_USE = 3;
        private static final int SSL_TICKET_RETURN_USE_RENEW = 4;

        private static final int TLS1_3_VERSION = 0x0304;

        @SuppressWarnings("unused") // by its name
        int decide(
                MemorySegment ssl,
                MemorySegment session,
                MemorySegment keyName,
                long keyNameLength,
                int status,
                MemorySegment argument) {
            return switch (status) {
                case SSL_TICKET_SUCCESS ->
                        isTls13(ssl) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
                case SSL_TICKET_SUCCESS_RENEW -> SSL_TICKET_RETURN_USE_RENEW;
                default -> SSL_TICKET_RETURN_IGNORE_RENEW;
            };
        }

        private boolean isTls13(MemorySegment ssl) {
            try {
                return (int) protocolVersion.invokeExact(ssl) >= TLS1_3_VERSION;
            } catch (Throwable _) {
                return false; // it has no way to fail
            }
        }
    }

    /// No tickets for one peer, and none taken: SSL_CTX_set_options(3), SSL_set_num_tickets(3). By
    /// the option alone a TLS 1.3 peer would get one that refers to a session of ours.
    ///
    /// @param ssl the address of an `SSL` that lives
    void withholdTickets(long ssl) {
        try {
            MemorySegment address = MemorySegment.ofAddress(ssl);
            long _ = (long) setOptions.invokeExact(address, SSL_OP_NO_TICKET);
            int _ = (int) setTicketCount.invokeExact(address, 0L);
        } catch (Throwable e) {
            throw bug(e);
        }
    }
}
