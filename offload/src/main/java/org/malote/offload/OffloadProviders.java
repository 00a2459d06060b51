package org.malote.offload;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The providers of a process, of private keys and of ticket keys. Made once and kept for as long
/// as it runs, across reloads: what a
/// provider holds for the whole process, such as an initialised PKCS#11 module, it holds here.
///
/// Threads: any.
public final class OffloadProviders {
    /// What a provider can be named, at the start of a URI. A path is absolute by now.
    private static final Pattern URI = Pattern.compile("([a-z][a-z0-9-]{0,31}):");

    private final List<OffloadProvider> providers;
    private final List<TicketKeyProvider> ticketKeyProviders;
    private final @Nullable KeyEnvironment environment;

    /// What could not be loaded.
    private final List<String> problems;

    private OffloadProviders(
            List<OffloadProvider> providers,
            List<TicketKeyProvider> ticketKeyProviders,
            @Nullable KeyEnvironment environment,
            List<String> problems) {
        this.ticketKeyProviders = List.copyOf(ticketKeyProviders);
        this.providers = List.copyOf(providers);
        this.environment = environment;
        this.problems = List.copyOf(problems);
    }

    /// Those of Malote and every one whose jar is on the class path.
    public static OffloadProviders installed(KeyEnvironment environment) {
        ClassLoader ours = OffloadProvider.class.getClassLoader();
        return installed(environment, ours);
    }

    /// Those that a class loader sees. A jar that is broken is told by [#open], so that `check`
    /// shows it beside what else is wrong.
    static OffloadProviders installed(KeyEnvironment environment, ClassLoader loader) {
        List<String> problems = new ArrayList<>();
        List<OffloadProvider> found = load(OffloadProvider.class, loader, problems);
        List<TicketKeyProvider> ticketKeys = load(TicketKeyProvider.class, loader, problems);
        return new OffloadProviders(found, ticketKeys, environment, problems);
    }

    private static <P> List<P> load(Class<P> kind, ClassLoader loader, List<String> problems) {
        List<P> found = new ArrayList<>();
        Iterator<P> each = ServiceLoader.load(kind, loader).iterator();
        while (true) {
            try {
                if (!each.hasNext()) {
                    break;
                }
                found.add(each.next());
            } catch (ServiceConfigurationError | LinkageError e) {
                problems.add(
                        String.format(
                                "a provider on the class path cannot be loaded (%s): replace its jar"
                                        + " or take it away",
                                PemFile.firstLine(e.getMessage())));
                if (e instanceof LinkageError) {
                    break; // the iterator may not have moved on
                }
            }
        }
        return found;
    }

    /// These alone.
    static OffloadProviders of(KeyEnvironment environment, List<OffloadProvider> providers) {
        return new OffloadProviders(providers, List.of(), environment, List.of());
    }

    /// The provider `native` alone, which needs nothing: for contexts that are only a client.
    public static OffloadProviders inProcess() {
        return new OffloadProviders(List.of(new NativeProvider()), List.of(), null, List.of());
    }

    /// Every provider, as an operator wants to see it.
    public List<ProviderInfo> infos() {
        return providers.stream()
                .map(one -> new ProviderInfo(one.name(), one.describe(), one.missing()))
                .toList();
    }

    /// What providers work with; null where only the native one is.
    @Nullable KeyEnvironment environment() {
        return environment;
    }

    /// What could not be loaded, in sentences.
    List<String> problems() {
        return problems;
    }

    /// Opens a key with the provider that its location names (`pkcs11:...`), else with the one of
    /// the settings.
    ///
    /// @param usual the name in the settings
    OpenedKey open(String usual, KeyReference reference) throws TlsProblems {
        String name = nameFor(usual, reference.location());
        OffloadProvider provider = find(name);
        if (provider == null) {
            throw PemFile.problem(unknown(name));
        }
        List<String> missing = provider.missing();
        if (!missing.isEmpty()) {
            throw new TlsProblems(missing);
        }
        if (environment == null) {
            // Only the native provider is here, and it uses nothing of it.
            return NativeProvider.openFile(reference);
        }
        return provider.open(reference, environment);
    }

    /// Opens the ticket keys of a location, with the provider that it names.
    TicketKeySource openTicketKeys(String location, TicketSettings settings, SecureRandom random)
            throws TlsProblems {
        String name = schemeOf(location);
        for (TicketKeyProvider provider : ticketKeyProviders) {
            if (provider.name().equals(name)) {
                return provider.open(location, settings, random);
            }
        }
        throw PemFile.problem(
                String.format(
                        "no provider has the ticket keys of \"%s\": put its jar on the class path%s",
                        location,
                        ticketKeyProviders.isEmpty()
                                ? ""
                                : ticketKeyProviders.stream()
                                        .map(TicketKeyProvider::name)
                                        .sorted()
                                        .collect(Collectors.joining(", ", "; there are ", ""))));
    }

    /// The name of the provider of a key.
    ///
    /// @param usual the name in the settings
    static String nameFor(String usual, String location) {
        String scheme = schemeOf(location);
        return scheme == null ? usual : scheme;
    }

    /// Opens a key from a file, with the cheapest provider of such keys that signs without the TLS
    /// engine.
    OpenedKey openFile(KeyReference reference) throws TlsProblems {
        OffloadProvider libcrypto = find(LibcryptoProvider.NAME);
        if (libcrypto != null && environment != null && libcrypto.missing().isEmpty()) {
            return libcrypto.open(reference, environment);
        }
        return NativeProvider.openFile(reference);
    }

    /// Whether there is one of this name.
    boolean has(String name) {
        return find(name) != null;
    }

    String unknown(String name) {
        return String.format(
                "provider \"%s\" is not there: choose one of %s, or put its jar on the class path",
                name,
                providers.stream()
                        .map(OffloadProvider::name)
                        .sorted()
                        .collect(Collectors.joining(", ")));
    }

    private @Nullable OffloadProvider find(String name) {
        for (OffloadProvider provider : providers) {
            if (provider.name().equals(name)) {
                return provider;
            }
        }
        return null;
    }

    /// Null for a path.
    private static @Nullable String schemeOf(String location) {
        Matcher uri = URI.matcher(location);
        return uri.lookingAt() ? uri.group(1) : null;
    }
}
