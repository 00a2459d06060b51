package org.malote.offload;

import static org.malote.offload.OpenSslFunctions.INT;
import static org.malote.offload.OpenSslFunctions.LONG;
import static org.malote.offload.OpenSslFunctions.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// OpenSSL's own configuration, config(5): where an operator names the provider or the engine of an
/// accelerator. It is read here before netty-tcnative begins the library, since that would go on in
/// silence without what the configuration asks for, and the processor would do the work.
///
/// Threads: any.
final class OpenSslConfiguration {
    /// openssl/crypto.h
    private static final long OPENSSL_INIT_LOAD_CONFIG = 0x40L;

    /// openssl/conf.h: what OPENSSL_init_crypto(3) has by default, but for
    /// CONF_MFLAGS_IGNORE_RETURN_CODES.
    private static final long CONF_MFLAGS_IGNORE_MISSING_FILE = 0x10L;

    private static final long CONF_MFLAGS_DEFAULT_SECTION = 0x20L;

    /// Names a configuration other than the system's: openssl-env(7).
    private static final String VARIABLE = "OPENSSL_CONF";

    /// config(5): what switches a provider on.
    private static final List<String> YES = List.of("1", "yes", "true", "on");

    private final OpenSslFunctions crypto;

    OpenSslConfiguration(OpenSslFunctions crypto) {
        this.crypto = crypto;
    }

    /// Makes all that it asks for, once in a process: OPENSSL_init_crypto(3).
    ///
    /// @throws TlsProblems when something of it is not there
    void require() throws Throwable {
        boolean isNamed = System.getenv(VARIABLE) != null;
        long flags = CONF_MFLAGS_DEFAULT_SECTION | (isNamed ? 0 : CONF_MFLAGS_IGNORE_MISSING_FILE);
        var settings = (MemorySegment) crypto.find("OPENSSL_INIT_new", POINTER).invokeExact();
        try {
            crypto.find("OPENSSL_INIT_set_config_file_flags", null, POINTER, LONG)
                    .invokeExact(settings, flags);
            crypto.forgetErrors();
            int result =
                    (int)
                            crypto.find("OPENSSL_init_crypto", INT, LONG, POINTER)
                                    .invokeExact(OPENSSL_INIT_LOAD_CONFIG, settings);
            if (result != 1) {
                throw PemFile.problem(
                        String.format(
                                "OpenSSL refuses its configuration %s (%s): mend it, or name another"
                                        + " in the environment variable %s",
                                file(), crypto.errors(), VARIABLE));
            }
        } finally {
            crypto.find("OPENSSL_INIT_free", null, POINTER).invokeExact(settings);
        }
        List<String> missing = missingProviders();
        if (!missing.isEmpty()) {
            throw PemFile.problem(
                    String.format(
                            "OpenSSL's configuration %s names the provider %s, which cannot be loaded:"
                                    + " install it, or take it out",
                            file(), String.join(", ", missing)));
        }
    }

    /// Those that it activates and that are not there: OpenSSL goes on without a provider that it
    /// cannot load, and says nothing.
    private List<String> missingProviders() throws Throwable {
        List<String> missing = new ArrayList<>();
        var configuration =
                (MemorySegment)
                        crypto.find("NCONF_new", POINTER, POINTER).invokeExact(MemorySegment.NULL);
        try (Arena arena = Arena.ofConfined()) {
            int isRead =
                    (int)
                            crypto.find("NCONF_load", INT, POINTER, POINTER, POINTER)
                                    .invokeExact(
                                            configuration,
                                            arena.allocateFrom(file()),
                                            arena.allocate(LONG));
            String begin = isRead > 0 ? value(configuration, null, "openssl_conf") : null;
            String providers = begin == null ? null : value(configuration, begin, "providers");
            if (providers != null) {
                for (Entry entry : section(configuration, providers)) {
                    String activate = value(configuration, entry.value(), "activate");
                    String identity = value(configuration, entry.value(), "identity");
                    if (activate != null && YES.contains(activate.toLowerCase(Locale.ROOT))) {
                        // What comes before a dot only tells names apart.
                        String name = entry.name().substring(entry.name().lastIndexOf('.') + 1);
                        String wanted = identity == null ? name : identity;
                        if (!hasProvider(wanted)) {
                            missing.add(wanted);
                        }
                    }
                }
            }
            return missing;
        } finally {
            crypto.find("NCONF_free", null, POINTER).invokeExact(configuration);
            crypto.forgetErrors(); // of values that are not there
        }
    }

    private @Nullable String value(
            MemorySegment configuration, @Nullable String section, String name) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment group =
                    section == null ? MemorySegment.NULL : arena.allocateFrom(section);
            var value =
                    (MemorySegment)
                            crypto.find("NCONF_get_string", POINTER, POINTER, POINTER, POINTER)
                                    .invokeExact(configuration, group, arena.allocateFrom(name));
            return value.address() == 0 ? null : OpenSslFunctions.text(value);
        }
    }

    private record Entry(String name, String value) {}

    private List<Entry> section(MemorySegment configuration, String name) throws Throwable {
        List<Entry> entries = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            var stack =
                    (MemorySegment)
                            crypto.find("NCONF_get_section", POINTER, POINTER, POINTER)
                                    .invokeExact(configuration, arena.allocateFrom(name));
            MethodHandle element = crypto.find("OPENSSL_sk_value", POINTER, POINTER, INT);
            int size = (int) crypto.find("OPENSSL_sk_num", INT, POINTER).invokeExact(stack);
            for (int i = 0; i < size; i++) {
                entries.add(entry((MemorySegment) element.invokeExact(stack, i)));
            }
        }
        return entries;
    }

    /// openssl/conf.h: CONF_VALUE is three texts, its section, name and value.
    @SuppressWarnings("restricted")
    private static Entry entry(MemorySegment address) {
        MemorySegment texts = address.reinterpret(3 * POINTER.byteSize());
        return new Entry(
                OpenSslFunctions.text(texts.getAtIndex(POINTER, 1)),
                OpenSslFunctions.text(texts.getAtIndex(POINTER, 2)));
    }

    private String file() throws Throwable {
        var name =
                (MemorySegment) crypto.find("CONF_get1_default_config_file", POINTER).invokeExact();
        return name.address() == 0
                ? ""
                : OpenSslFunctions.text(name); // ours to free; once in a process
    }

    /// Whether a provider of this name is active: `default`, or what the configuration names.
    boolean hasProvider(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return (int)
                            crypto.find("OSSL_PROVIDER_available", INT, POINTER, POINTER)
                                    .invokeExact(MemorySegment.NULL, arena.allocateFrom(name))
                    == 1;
        } catch (Throwable e) {
            throw OpenSslFunctions.bug(e);
        }
    }
}
