package org.malote.offload.pkcs11;

import java.security.SignatureException;
import java.util.Map;

/// A function of a module said no.
final class Pkcs11Exception extends SignatureException {
    private static final long serialVersionUID = 1L;

    static final long OK = 0;
    static final long PIN_INCORRECT = 0xa0;
    static final long PIN_LOCKED = 0xa4;
    static final long USER_ALREADY_LOGGED_IN = 0x100;
    static final long CRYPTOKI_ALREADY_INITIALIZED = 0x191;

    /// PKCS #11 v2.40 §2.3 of its header: those that operators meet.
    private static final Map<Long, String> NAMES =
            Map.ofEntries(
                    Map.entry(0x3L, "CKR_SLOT_ID_INVALID"),
                    Map.entry(0x5L, "CKR_GENERAL_ERROR"),
                    Map.entry(0x6L, "CKR_FUNCTION_FAILED"),
                    Map.entry(0x7L, "CKR_ARGUMENTS_BAD"),
                    Map.entry(0x21L, "CKR_DATA_LEN_RANGE"),
                    Map.entry(0x30L, "CKR_DEVICE_ERROR"),
                    Map.entry(0x31L, "CKR_DEVICE_MEMORY"),
                    Map.entry(0x32L, "CKR_DEVICE_REMOVED"),
                    Map.entry(0x54L, "CKR_FUNCTION_NOT_SUPPORTED"),
                    Map.entry(0x60L, "CKR_KEY_HANDLE_INVALID"),
                    Map.entry(0x68L, "CKR_KEY_FUNCTION_NOT_PERMITTED"),
                    Map.entry(0x70L, "CKR_MECHANISM_INVALID"),
                    Map.entry(0x71L, "CKR_MECHANISM_PARAM_INVALID"),
                    Map.entry(0x82L, "CKR_OBJECT_HANDLE_INVALID"),
                    Map.entry(PIN_INCORRECT, "CKR_PIN_INCORRECT"),
                    Map.entry(0xa1L, "CKR_PIN_INVALID"),
                    Map.entry(0xa2L, "CKR_PIN_LEN_RANGE"),
                    Map.entry(0xa3L, "CKR_PIN_EXPIRED"),
                    Map.entry(PIN_LOCKED, "CKR_PIN_LOCKED"),
                    Map.entry(0xb0L, "CKR_SESSION_CLOSED"),
                    Map.entry(0xb1L, "CKR_SESSION_COUNT"),
                    Map.entry(0xb3L, "CKR_SESSION_HANDLE_INVALID"),
                    Map.entry(0xe0L, "CKR_TOKEN_NOT_PRESENT"),
                    Map.entry(0xe1L, "CKR_TOKEN_NOT_RECOGNIZED"),
                    Map.entry(USER_ALREADY_LOGGED_IN, "CKR_USER_ALREADY_LOGGED_IN"),
                    Map.entry(0x101L, "CKR_USER_NOT_LOGGED_IN"),
                    Map.entry(0x102L, "CKR_USER_PIN_NOT_INITIALIZED"),
                    Map.entry(0x190L, "CKR_CRYPTOKI_NOT_INITIALIZED"),
                    Map.entry(CRYPTOKI_ALREADY_INITIALIZED, "CKR_CRYPTOKI_ALREADY_INITIALIZED"));

    private final long code;

    Pkcs11Exception(String function, long code) {
        super(function + ": " + name(code));
        this.code = code;
    }

    long code() {
        return code;
    }

    static String name(long code) {
        String name = NAMES.get(code);
        return name == null ? String.format("CKR 0x%x", code) : name;
    }
}
