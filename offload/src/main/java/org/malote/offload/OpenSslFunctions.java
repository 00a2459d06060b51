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
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Functions of the system's OpenSSL, called as its manual pages say, and its texts.
///
/// @param symbols of one of its libraries, never unloaded: they register what runs at the process's
///     end
record OpenSslFunctions(SymbolLookup symbols) {
    static final AddressLayout POINTER = ValueLayout.ADDRESS;
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    /// C's long and size_t on Linux, 64 bits on all that Malote runs on.
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /// Longer than any text of the library that is read here.
    private static final int TEXT_BYTES_MAX = 4096;

    /// ERR_error_string_n(3) cuts what is longer.
    private static final int ERROR_BYTES_MAX = 256;

    /// More errors of one failure than these say nothing new.
    private static final int ERRORS_MAX = 8;

    /// What to do without it.
    static final String OTHERWISE = ", or choose engine \"boringssl\"";

    /// @param remedy what to do when it does not load
    @SuppressWarnings("restricted") // libraries of the system, by the operator's wish
    static OpenSslFunctions open(String library, String remedy) throws TlsProblems {
        try {
            return new OpenSslFunctions(SymbolLookup.libraryLookup(library, Arena.global()));
        } catch (IllegalArgumentException _) {
            throw PemFile.problem(
                    String.format(
                            "engine \"openssl\" needs the library %s, which does not load: %s%s",
                            library, remedy, OTHERWISE));
        }
    }

    /// @param result null for a function that returns nothing
    @SuppressWarnings("restricted") // the signatures are those of OpenSSL's manual pages
    MethodHandle find(String name, @Nullable MemoryLayout result, MemoryLayout... arguments)
            throws TlsProblems {
        MemorySegment address =
                symbols.find(name)
                        .orElseThrow(
                                () ->
                                        PemFile.problem(
                                                String.format(
                                                        "engine \"openssl\" needs OpenSSL 3.2 or"
                                                                + " later, and this host's has no"
                                                                + " %s: install one%s",
                                                        name, OTHERWISE)));
        return Linker.nativeLinker()
                .downcallHandle(
                        address,
                        result == null
                                ? FunctionDescriptor.ofVoid(arguments)
                                : FunctionDescriptor.of(result, arguments));
    }

    /// The errors of this thread, the newest last, and none is left behind.
    String errors() throws Throwable {
        MethodHandle next = find("ERR_get_error", LONG);
        MethodHandle write = find("ERR_error_string_n", null, LONG, POINTER, LONG);
        List<String> errors = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ERROR_BYTES_MAX);
            for (long code = (long) next.invokeExact();
                    code != 0;
                    code = (long) next.invokeExact()) {
                write.invokeExact(code, text, (long) ERROR_BYTES_MAX);
                if (errors.size() < ERRORS_MAX) {
                    errors.add(text.getString(0, StandardCharsets.US_ASCII));
                }
            }
        }
        return errors.isEmpty() ? "it does not say why" : String.join("; ", errors);
    }

    void forgetErrors() throws Throwable {
        find("ERR_clear_error", null).invokeExact();
    }

    /// A text of the library, ended by a zero.
    @SuppressWarnings("restricted")
    static String text(MemorySegment address) {
        return address.reinterpret(TEXT_BYTES_MAX).getString(0);
    }

    /// What a call by [MethodHandle] throws beside what it is meant to.
    static RuntimeException bug(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
    }
}
