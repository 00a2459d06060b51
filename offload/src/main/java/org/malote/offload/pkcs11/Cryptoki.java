package org.malote.offload.pkcs11;

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
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.offload.TlsProblems;

/// The functions of one PKCS#11 module: section numbers are those of PKCS #11 v2.40 base.
///
/// Threads: any, as [#initialize] asks for (CKF_OS_LOCKING_OK); a session is used by one at a time.
final class Cryptoki {
    /// §5.2: the function list begins with a version, then has the functions in the order of the
    /// standard.
    private static final int LIST_OFFSET = 8;

    private static final int FUNCTIONS = 68;
    private static final int INITIALIZE = 0;
    private static final int FINALIZE = 1;
    private static final int GET_SLOT_LIST = 4;
    private static final int GET_TOKEN_INFO = 6;
    private static final int GET_MECHANISM_LIST = 7;
    private static final int OPEN_SESSION = 12;
    private static final int CLOSE_SESSION = 13;
    private static final int LOGIN = 18;
    private static final int GET_ATTRIBUTE_VALUE = 24;
    private static final int FIND_OBJECTS_INIT = 26;
    private static final int FIND_OBJECTS = 27;
    private static final int FIND_OBJECTS_FINAL = 28;
    private static final int SIGN_INIT = 42;
    private static final int SIGN = 43;

    /// §3.2, CK_TOKEN_INFO: four texts, flags, ten numbers, two versions, a time.
    private static final long TOKEN_INFO_BYTES = 208;

    private static final long CKF_OS_LOCKING_OK = 2;
    private static final long CKF_SERIAL_SESSION = 4;

    static final long CKU_USER = 1;
    static final long CKU_CONTEXT_SPECIFIC = 2;

    static final long CKO_PRIVATE_KEY = 3;
    static final long CKK_RSA = 0;
    static final long CKK_EC = 3;
    static final long CKA_CLASS = 0x0;
    static final long CKA_LABEL = 0x3;
    static final long CKA_KEY_TYPE = 0x100;
    static final long CKA_ID = 0x102;
    static final long CKA_ALWAYS_AUTHENTICATE = 0x202;

    static final long CKM_RSA_PKCS = 0x1;
    static final long CKM_RSA_X_509 = 0x3;
    static final long CKM_RSA_PKCS_PSS = 0xd;
    static final long CKM_ECDSA = 0x1041;

    /// More slots and mechanisms than any module has, and few enough for a buffer.
    private static final int LIST_MAX = 4096;

    /// RSA-8192.
    private static final int SIGNATURE_BYTES_MAX = 1024;

    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final ValueLayout.OfLong ULONG = ValueLayout.JAVA_LONG;

    /// CK_ATTRIBUTE and CK_MECHANISM: a type, a pointer, a length.
    private static final long TRIPLE_BYTES = 24;

    private final MemorySegment list;
    private final MethodHandle initialize;
    private final MethodHandle finalize;
    private final MethodHandle getSlotList;
    private final MethodHandle getTokenInfo;
    private final MethodHandle getMechanismList;
    private final MethodHandle openSession;
    private final MethodHandle closeSession;
    private final MethodHandle login;
    private final MethodHandle getAttributeValue;
    private final MethodHandle findObjectsInit;
    private final MethodHandle findObjects;
    private final MethodHandle findObjectsFinal;
    private final MethodHandle signInit;
    private final MethodHandle sign;

    /// What a token says of itself, without the spaces that fill its texts.
    record TokenInfo(String label, String manufacturer, String model, String serial, long flags) {
        private static final long CKF_LOGIN_REQUIRED = 0x4;
        private static final long CKF_USER_PIN_FINAL_TRY = 0x20000;
        private static final long CKF_USER_PIN_LOCKED = 0x40000;

        boolean isLoginRequired() {
            return (flags & CKF_LOGIN_REQUIRED) != 0;
        }

        boolean isLastTry() {
            return (flags & CKF_USER_PIN_FINAL_TRY) != 0;
        }

        boolean isLocked() {
            return (flags & CKF_USER_PIN_LOCKED) != 0;
        }
    }

    /// An attribute to look for.
    static final class Attribute {
        private final long type;
        private final byte[] value;

        Attribute(long type, byte[] value) {
            this.type = type;
            this.value = value;
        }

        static Attribute of(long type, long value) {
            byte[] bytes = new byte[Long.BYTES];
            MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
            return new Attribute(type, bytes);
        }
    }

    /// Loads a module. It is never unloaded: modules register what runs at the process's end.
    ///
    /// @param file a path, or a name that the dynamic linker finds
    @SuppressWarnings("restricted") // loads a library by the operator's wish
    static Cryptoki load(String file) throws TlsProblems {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException e) {
            throw Pkcs11Uri.problem(
                    String.format(
                            "the PKCS#11 module %s does not load (%s): install it, or correct module-path",
                            file, String.valueOf(e.getMessage())));
        }
        MemorySegment address =
                symbols.find("C_GetFunctionList")
                        .orElseThrow(
                                () ->
                                        Pkcs11Uri.problem(
                                                String.format(
                                                        "the library %s is no PKCS#11 module: correct"
                                                                + " module-path",
                                                        file)));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(POINTER);
            MethodHandle getFunctionList =
                    Linker.nativeLinker()
                            .downcallHandle(address, FunctionDescriptor.of(ULONG, POINTER));
            long result = (long) getFunctionList.invokeExact(list);
            if (result != Pkcs11Exception.OK) {
                throw Pkcs11Uri.problem(
                        String.format(
                                "the PKCS#11 module %s has no functions (%s): replace it",
                                file, Pkcs11Exception.name(result)));
            }
            return new Cryptoki(
                    list.get(POINTER, 0).reinterpret(LIST_OFFSET + POINTER.byteSize() * FUNCTIONS));
        } catch (TlsProblems e) {
            throw e;
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    private Cryptoki(MemorySegment list) {
        this.list = list;
        initialize = function(INITIALIZE, POINTER);
        finalize = function(FINALIZE, POINTER);
        getSlotList = function(GET_SLOT_LIST, ValueLayout.JAVA_BYTE, POINTER, POINTER);
        getTokenInfo = function(GET_TOKEN_INFO, ULONG, POINTER);
        getMechanismList = function(GET_MECHANISM_LIST, ULONG, POINTER, POINTER);
        openSession = function(OPEN_SESSION, ULONG, ULONG, POINTER, POINTER, POINTER);
        closeSession = function(CLOSE_SESSION, ULONG);
        login = function(LOGIN, ULONG, ULONG, POINTER, ULONG);
        getAttributeValue = function(GET_ATTRIBUTE_VALUE, ULONG, ULONG, POINTER, ULONG);
        findObjectsInit = function(FIND_OBJECTS_INIT, ULONG, POINTER, ULONG);
        findObjects = function(FIND_OBJECTS, ULONG, POINTER, ULONG, POINTER);
        findObjectsFinal = function(FIND_OBJECTS_FINAL, ULONG);
        signInit = function(SIGN_INIT, ULONG, POINTER, ULONG);
        sign = function(SIGN, ULONG, POINTER, ULONG, POINTER, POINTER);
    }

    @SuppressWarnings("restricted") // the signatures are the standard's
    private MethodHandle function(int index, MemoryLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(
                        list.get(POINTER, LIST_OFFSET + POINTER.byteSize() * index),
                        FunctionDescriptor.of(ULONG, arguments));
    }

    /// §5.4.
    void initialize() throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            // CK_C_INITIALIZE_ARGS: four functions for locks (none: the system's), flags, reserved.
            MemorySegment arguments = arena.allocate(ULONG, 6);
            arguments.setAtIndex(ULONG, 4, CKF_OS_LOCKING_OK);
            check("C_Initialize", (long) initialize.invokeExact(arguments));
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// §5.4.
    void close() throws Pkcs11Exception {
        try {
            check("C_Finalize", (long) finalize.invokeExact(MemorySegment.NULL));
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// The slots with a token in them, §5.5.
    long[] slots() throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocateFrom(ULONG, LIST_MAX);
            MemorySegment slots = arena.allocate(ULONG, LIST_MAX);
            check("C_GetSlotList", (long) getSlotList.invokeExact((byte) 1, slots, count));
            return slots.asSlice(0, count.get(ULONG, 0) * ULONG.byteSize()).toArray(ULONG);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    TokenInfo tokenInfo(long slot) throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(TOKEN_INFO_BYTES, Long.BYTES);
            check("C_GetTokenInfo", (long) getTokenInfo.invokeExact(slot, info));
            return new TokenInfo(
                    text(info, 0, 32),
                    text(info, 32, 32),
                    text(info, 64, 16),
                    text(info, 80, 16),
                    info.get(ULONG, 96));
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static String text(MemorySegment info, int offset, int length) {
        return new String(
                        info.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE),
                        StandardCharsets.UTF_8)
                .stripTrailing();
    }

    Set<Long> mechanisms(long slot) throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocateFrom(ULONG, LIST_MAX);
            MemorySegment found = arena.allocate(ULONG, LIST_MAX);
            check("C_GetMechanismList", (long) getMechanismList.invokeExact(slot, found, count));
            Set<Long> mechanisms = new HashSet<>();
            for (long i = 0; i < count.get(ULONG, 0); i++) {
                mechanisms.add(found.getAtIndex(ULONG, i));
            }
            return mechanisms;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// §5.6: a session that only reads.
    long openSession(long slot) throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment session = arena.allocate(ULONG);
            check(
                    "C_OpenSession",
                    (long)
                            openSession.invokeExact(
                                    slot,
                                    CKF_SERIAL_SESSION,
                                    MemorySegment.NULL,
                                    MemorySegment.NULL,
                                    session));
            return session.get(ULONG, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void closeSession(long session) throws Pkcs11Exception {
        try {
            check("C_CloseSession", (long) closeSession.invokeExact(session));
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// §5.6. The copy of the PIN that the module reads is overwritten.
    void login(long session, long user, byte[] pin) throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, pin);
            try {
                check("C_Login", (long) login.invokeExact(session, user, bytes, (long) pin.length));
            } finally {
                bytes.fill((byte) 0);
            }
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Whether a key wants the PIN for each signature. Modules without the attribute do not.
    boolean isAlwaysAuthenticated(long session, long key) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(1);
            long result =
                    (long)
                            getAttributeValue.invokeExact(
                                    session,
                                    key,
                                    triple(arena, CKA_ALWAYS_AUTHENTICATE, value),
                                    1L);
            return result == Pkcs11Exception.OK && value.get(ValueLayout.JAVA_BYTE, 0) != 0;
        } catch (Throwable e) {
            throw bug(e);
        }
    }

    /// §5.7.
    ///
    /// @param max how many are looked for
    long[] find(long session, Attribute[] template, int max) throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(TRIPLE_BYTES * template.length, Long.BYTES);
            for (int i = 0; i < template.length; i++) {
                byte[] value = template[i].value;
                MemorySegment bytes =
                        value.length == 0
                                ? MemorySegment.NULL
                                : arena.allocateFrom(ValueLayout.JAVA_BYTE, value);
                MemorySegment.copy(
                        triple(arena, template[i].type, bytes),
                        0,
                        attributes,
                        i * TRIPLE_BYTES,
                        TRIPLE_BYTES);
            }
            check(
                    "C_FindObjectsInit",
                    (long)
                            findObjectsInit.invokeExact(
                                    session, attributes, (long) template.length));
            MemorySegment found = arena.allocate(ULONG, max);
            MemorySegment count = arena.allocate(ULONG);
            check(
                    "C_FindObjects",
                    (long) findObjects.invokeExact(session, found, (long) max, count));
            check("C_FindObjectsFinal", (long) findObjectsFinal.invokeExact(session));
            return found.asSlice(0, count.get(ULONG, 0) * ULONG.byteSize()).toArray(ULONG);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// §5.11.
    ///
    /// @param parameters of the mechanism, as numbers; none for most
    /// @param pin for a key that wants it each time, or null
    byte[] sign(
            long session,
            long key,
            long mechanism,
            long[] parameters,
            byte @Nullable [] pin,
            byte[] data)
            throws Pkcs11Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment parameter =
                    parameters.length == 0
                            ? MemorySegment.NULL
                            : arena.allocateFrom(ULONG, parameters);
            check(
                    "C_SignInit",
                    (long) signInit.invokeExact(session, triple(arena, mechanism, parameter), key));
            if (pin != null) {
                login(session, CKU_CONTEXT_SPECIFIC, pin);
            }
            MemorySegment signature = arena.allocate(SIGNATURE_BYTES_MAX);
            MemorySegment length = arena.allocateFrom(ULONG, SIGNATURE_BYTES_MAX);
            check(
                    "C_Sign",
                    (long)
                            sign.invokeExact(
                                    session,
                                    arena.allocateFrom(ValueLayout.JAVA_BYTE, data),
                                    (long) data.length,
                                    signature,
                                    length));
            return signature.asSlice(0, length.get(ULONG, 0)).toArray(ValueLayout.JAVA_BYTE);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// CK_ATTRIBUTE or CK_MECHANISM.
    private static MemorySegment triple(Arena arena, long type, MemorySegment value) {
        MemorySegment triple = arena.allocate(TRIPLE_BYTES, Long.BYTES);
        triple.set(ULONG, 0, type);
        triple.set(POINTER, 8, value);
        triple.set(ULONG, 16, value.byteSize());
        return triple;
    }

    private static void check(String function, long result) throws Pkcs11Exception {
        if (result != Pkcs11Exception.OK) {
            throw new Pkcs11Exception(function, result);
        }
    }

    private static Pkcs11Exception rethrow(Throwable e) {
        if (e instanceof Pkcs11Exception expected) {
            return expected;
        }
        throw bug(e);
    }

    private static RuntimeException bug(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
    }
}
