package org.malote.offload;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.SignatureException;
import org.jspecify.annotations.Nullable;

/// The few functions of the system's OpenSSL 3 that sign: EVP_DigestSign(3). They live beside the
/// TLS engine's BoringSSL in one process, each with names of its own library.
///
/// Threads: any; OpenSSL counts references of a key and keeps errors by thread.
final class Libcrypto {
    /// The stable name of OpenSSL 3, whatever its minor version.
    static final String LIBRARY = "libcrypto.so.3";

    /// openssl/rsa.h
    private static final int RSA_PKCS1_PADDING = 1;

    private static final int RSA_PKCS1_PSS_PADDING = 6;

    /// openssl/rsa.h: a salt as long as the digest, RFC 8446 §4.2.3.
    private static final int RSA_PSS_SALTLEN_DIGEST = -1;

    /// ERR_error_string_n(3) cuts what is longer.
    private static final int ERROR_BYTES_MAX = 256;

    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    /// C's long and size_t on Linux, 64 bits on all that Malote runs on.
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private final MethodHandle version;
    private final MethodHandle parseKey;
    private final MethodHandle keySize;
    private final MethodHandle freeKey;
    private final MethodHandle newContext;
    private final MethodHandle freeContext;
    private final MethodHandle signInit;
    private final MethodHandle sign;
    private final MethodHandle setPadding;
    private final MethodHandle setSaltLength;
    private final MethodHandle getError;
    private final MethodHandle errorText;
    private final MemorySegment sha256;
    private final MemorySegment sha384;
    private final MemorySegment sha512;

    /// Never unloaded: OpenSSL registers what runs at the process's end.
    private Libcrypto(Functions functions) throws TlsProblems {
        version = functions.find("OpenSSL_version", POINTER, INT);
        parseKey = functions.find("d2i_AutoPrivateKey", POINTER, POINTER, POINTER, LONG);
        keySize = functions.find("EVP_PKEY_get_size", INT, POINTER);
        freeKey = functions.find("EVP_PKEY_free", null, POINTER);
        newContext = functions.find("EVP_MD_CTX_new", POINTER);
        freeContext = functions.find("EVP_MD_CTX_free", null, POINTER);
        signInit =
                functions.find(
                        "EVP_DigestSignInit", INT, POINTER, POINTER, POINTER, POINTER, POINTER);
        sign = functions.find("EVP_DigestSign", INT, POINTER, POINTER, POINTER, POINTER, LONG);
        setPadding = functions.find("EVP_PKEY_CTX_set_rsa_padding", INT, POINTER, INT);
        setSaltLength = functions.find("EVP_PKEY_CTX_set_rsa_pss_saltlen", INT, POINTER, INT);
        getError = functions.find("ERR_get_error", LONG);
        errorText = functions.find("ERR_error_string_n", null, LONG, POINTER, LONG);
        sha256 = digest(functions.find("EVP_sha256", POINTER));
        sha384 = digest(functions.find("EVP_sha384", POINTER));
        sha512 = digest(functions.find("EVP_sha512", POINTER));
    }

    @SuppressWarnings("restricted") // loads a library by the operator's wish
    static Libcrypto load(String file) throws TlsProblems {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException e) {
            throw PemFile.problem(
                    String.format(
                            "the library %s does not load (%s): install OpenSSL 3, or choose provider"
                                    + " \"native\"",
                            file, PemFile.firstLine(e.getMessage())));
        }
        return new Libcrypto(new Functions(file, symbols));
    }

    private record Functions(String file, SymbolLookup symbols) {
        @SuppressWarnings("restricted") // the signatures are those of OpenSSL's manual pages
        MethodHandle find(String name, @Nullable MemoryLayout result, MemoryLayout... arguments)
                throws TlsProblems {
            MemorySegment address =
                    symbols.find(name)
                            .orElseThrow(
                                    () ->
                                            PemFile.problem(
                                                    String.format(
                                                            "the library %s has no %s: install"
                                                                    + " OpenSSL 3, or choose provider"
                                                                    + " \"native\"",
                                                            file, name)));
            return Linker.nativeLinker()
                    .downcallHandle(
                            address,
                            result == null
                                    ? FunctionDescriptor.ofVoid(arguments)
                                    : FunctionDescriptor.of(result, arguments));
        }
    }

    private static MemorySegment digest(MethodHandle function) {
        try {
            return (MemorySegment) function.invokeExact();
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    /// `OpenSSL 3.0.22 25 Aug 2026`
    @SuppressWarnings("restricted") // a constant of the library, ended by a zero
    String version() {
        try {
            MemorySegment text = (MemorySegment) version.invokeExact(0);
            return text.reinterpret(ERROR_BYTES_MAX).getString(0);
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    /// @param encoded PKCS#8
    Key key(byte[] encoded) throws GeneralSecurityException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, encoded);
            try {
                // The function moves the pointer that it is given, so it is given a copy.
                MemorySegment cursor = arena.allocateFrom(POINTER, bytes);
                MemorySegment key =
                        (MemorySegment)
                                parseKey.invokeExact(
                                        MemorySegment.NULL, cursor, (long) encoded.length);
                if (key.address() == 0) {
                    throw new InvalidKeyException(lastError());
                }
                return new Key(key, (int) keySize.invokeExact(key));
            } catch (GeneralSecurityException e) {
                throw e;
            } catch (Throwable e) {
                throw bug(e);
            } finally {
                bytes.fill((byte) 0);
            }
        }
    }

    /// A key of the library's. Its owner frees it once, when no signature is under way.
    final class Key {
        private final MemorySegment key;
        private final int signatureBytesMax;

        private Key(MemorySegment key, int signatureBytesMax) {
            this.key = key;
            this.signatureBytesMax = signatureBytesMax;
        }

        byte[] sign(SignatureScheme scheme, byte[] message) throws SignatureException {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment context = (MemorySegment) newContext.invokeExact();
                if (context.address() == 0) {
                    throw new SignatureException(lastError());
                }
                try {
                    return sign(scheme, message, context, arena);
                } finally {
                    freeContext.invokeExact(context);
                }
            } catch (SignatureException e) {
                throw e;
            } catch (Throwable e) {
                throw bug(e);
            }
        }

        private byte[] sign(
                SignatureScheme scheme, byte[] message, MemorySegment context, Arena arena)
                throws Throwable {
            MemorySegment keyContext = arena.allocate(POINTER);
            require(
                    (int)
                            signInit.invokeExact(
                                    context,
                                    keyContext,
                                    digestOf(scheme),
                                    MemorySegment.NULL,
                                    key));
            if (scheme.family() == SignatureScheme.Family.RSA) {
                MemorySegment inner = keyContext.get(POINTER, 0);
                if (scheme.isPss()) {
                    require((int) setPadding.invokeExact(inner, RSA_PKCS1_PSS_PADDING));
                    require((int) setSaltLength.invokeExact(inner, RSA_PSS_SALTLEN_DIGEST));
                } else {
                    require((int) setPadding.invokeExact(inner, RSA_PKCS1_PADDING));
                }
            }
            MemorySegment signature = arena.allocate(signatureBytesMax);
            MemorySegment length = arena.allocateFrom(LONG, signatureBytesMax);
            require(
                    (int)
                            sign.invokeExact(
                                    context,
                                    signature,
                                    length,
                                    arena.allocateFrom(ValueLayout.JAVA_BYTE, message),
                                    (long) message.length));
            return signature.asSlice(0, length.get(LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
        }

        void free() {
            try {
                freeKey.invokeExact(key);
            } catch (Throwable e) {
                throw bug(e);
            }
        }
    }

    private MemorySegment digestOf(SignatureScheme scheme) {
        return switch (scheme.digest()) {
            case SHA256 -> sha256;
            case SHA384 -> sha384;
            case SHA512 -> sha512;
        };
    }

    private void require(int result) throws SignatureException {
        if (result <= 0) { // 1 is success: EVP_DigestSignInit(3)
            throw new SignatureException(lastError());
        }
    }

    /// The oldest error of this thread, and none is left behind.
    private String lastError() {
        try (Arena arena = Arena.ofConfined()) {
            long first = (long) getError.invokeExact();
            long next = first;
            while (next != 0) {
                next = (long) getError.invokeExact();
            }
            MemorySegment text = arena.allocate(ERROR_BYTES_MAX);
            errorText.invokeExact(first, text, (long) ERROR_BYTES_MAX);
            return text.getString(0, StandardCharsets.US_ASCII);
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    private static RuntimeException bug(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
    }
}
