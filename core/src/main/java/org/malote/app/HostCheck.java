package org.malote.app;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.malote.admin.ControlClient;
import org.malote.auth.UserFile;
import org.malote.config.Settings;
import org.malote.delivery.Route;
import org.malote.delivery.Source;
import org.malote.delivery.Via;
import org.malote.dns.Dns;
import org.malote.dns.DnsjavaDns;
import org.malote.offload.CertificateSettings;
import org.malote.offload.HostCertificate;
import org.malote.offload.HostTls;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import org.malote.server.InboundServer;
import org.malote.server.ListenerSettings;
import org.malote.server.TlsMode;
import org.malote.smtp.IpAddresses;

/// Whether this host has what the settings name.
final class HostCheck {
    /// unix(7): sun_path has 108 octets; the JDK keeps some.
    private static final int SOCKET_OCTETS_MAX = 100;

    /// As the warning of a server that runs.
    private static final int EXPIRY_DAYS = 14;

    private HostCheck() {}

    /// @param notes told of what is no problem and still worth knowing
    /// @return a sentence for everything that would keep the server from starting or from passing
    /// mail on
    static List<String> problems(Settings settings, Consumer<String> notes) {
        List<String> problems = new ArrayList<>();
        directory("state", settings.state(), problems);
        directory("queue directory", settings.queue().directory(), problems);
        int socketOctets =
                settings.controlSocket().toString().getBytes(StandardCharsets.UTF_8).length;
        if (socketOctets > SOCKET_OCTETS_MAX) {
            problems.add(
                    "the path of the control socket, "
                            + settings.controlSocket()
                            + ", has "
                            + socketOctets
                            + " octets and may have "
                            + SOCKET_OCTETS_MAX
                            + "; choose a shorter \"state\"");
        }
        tls(settings, problems, notes);
        if (UserFile.read(settings.auth().users()) instanceof UserFile.Result.Invalid(var wrong)) {
            problems.addAll(wrong);
        }
        problems.addAll(TrustFiles.check(settings, Clock.systemUTC().instant(), notes));
        sources(settings, problems);
        try (ExecutorService queries = Executors.newVirtualThreadPerTaskExecutor()) {
            names(
                    settings,
                    new DnsjavaDns(settings.dns(), queries, System::nanoTime),
                    problems,
                    notes);
        }
        if (new ControlClient(settings.controlSocket()).isServed()) {
            notes.accept(
                    "a server runs with this state, so the ports that it listens on were not tried");
        } else {
            ports(settings, problems);
        }
        routes(settings, problems, notes);
        return problems;
    }

    private static void tls(Settings settings, List<String> problems, Consumer<String> notes) {
        boolean isServed = settings.listeners().stream().anyMatch(l -> l.tls() != TlsMode.NONE);
        if (isServed && settings.tls().certificates().isEmpty()) {
            notes.accept("no certificate is configured: a self-signed one is made");
        }
        SecureRandom random = new SecureRandom();
        TlsEnvironment environment =
                KeyProviders.environment(
                        Clock.systemUTC(),
                        random,
                        KeyProviders.installed(random),
                        SignatureWatch.NONE);
        List<String> found = new ArrayList<>(TlsContexts.check(settings.tls(), environment));
        found.addAll(HostTls.check(Deliveries.hostTls(settings), environment));
        found.stream().distinct().forEach(problems::add);
    }

    /// A connection can only begin at an address of this host.
    private static void sources(Settings settings, List<String> problems) {
        for (Source source : settings.sources()) {
            for (InetAddress address : source.addresses()) {
                try (ServerSocket socket = new ServerSocket()) {
                    socket.bind(new InetSocketAddress(address, 0));
                } catch (IOException e) {
                    problems.add(
                            "source \""
                                    + source.name()
                                    + "\": "
                                    + IpAddresses.format(address)
                                    + " cannot be used ("
                                    + e.getMessage()
                                    + "); give it to an interface of this host, or name another");
                }
            }
        }
    }

    /// Where mail goes over AMTP, a source whose names are not one is a problem: its mail waits.
    /// For
    /// others it is worth knowing, since hosts of SMTP look at reverse DNS too.
    private static void names(
            Settings settings, Dns dns, List<String> problems, Consumer<String> notes) {
        List<Via> vias = settings.routes().routes().stream().map(Route::via).toList();
        boolean isPublic = vias.stream().anyMatch(via -> via.isAmtp() && !via.isPrivate());
        Set<Source> forAmtp =
                settings.sites().terms().stream()
                        .map(terms -> terms.forAmtp().source())
                        .filter(Objects::nonNull)
                        .collect(Collectors.toSet());
        for (Source source : settings.sources()) {
            boolean isUsed = isPublic && forAmtp.contains(source);
            for (SourceNames.Finding finding : SourceNames.of(source, dns)) {
                String sentence = "source \"" + source.name() + "\": " + finding.sentence();
                if (!finding.isGood() && isUsed) {
                    problems.add(sentence);
                } else if (!finding.isGood() && source.identity() != null) {
                    notes.accept(sentence);
                }
            }
            expiry(source, notes);
        }
        listeners(settings, dns, notes);
    }

    private static void expiry(Source source, Consumer<String> notes) {
        for (CertificateSettings certificate : source.certificates()) {
            try {
                Instant end = HostCertificate.read(certificate.chain()).notAfter();
                Duration left = Duration.between(Clock.systemUTC().instant(), end);
                if (!left.isNegative() && left.toDays() < EXPIRY_DAYS) {
                    notes.accept(
                            "source \""
                                    + source.name()
                                    + "\": the certificate "
                                    + certificate.chain()
                                    + " expires at "
                                    + end
                                    + "; renew it");
                }
            } catch (TlsProblems _) {
                // it is a problem of TLS already
            }
        }
    }

    /// Clients of AMTP ask the certificate for the name that the SRV record gives, which is mostly
    /// that of the host: only the operator knows, so nothing here is a problem.
    private static void listeners(Settings settings, Dns dns, Consumer<String> notes) {
        String name = settings.hostname().text();
        for (ListenerSettings listener : settings.listeners()) {
            boolean isAmtp =
                    switch (listener.profile()) {
                        case AMTP_PUBLIC, AMTP_PRIVATE -> true;
                        case MX, SUBMISSION -> false;
                    };
            if (!isAmtp) {
                continue;
            }
            List<SourceNames.Finding> findings = new ArrayList<>();
            if (!settings.tls().certificates().isEmpty()) {
                SourceNames.certificates(settings.tls().certificates(), name, findings);
            }
            InetAddress address = listener.address().getAddress();
            if (!address.isAnyLocalAddress()) {
                findings.add(SourceNames.reverse(address, name, dns));
            }
            findings.stream()
                    .filter(finding -> !finding.isGood())
                    .forEach(
                            finding ->
                                    notes.accept(
                                            "listener \""
                                                    + listener.name()
                                                    + "\": "
                                                    + finding.sentence()));
        }
    }

    private static void directory(String what, Path directory, List<String> problems) {
        Path there = directory;
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (there == null) {
            return;
        }
        if (!Files.isDirectory(there)) {
            problems.add(
                    "the " + what + " " + directory + " cannot be made: " + there + " is a file");
        } else if (!Files.isWritable(there)) {
            problems.add(
                    "the "
                            + what
                            + " "
                            + directory
                            + " cannot be written by this user; run as another, or chown "
                            + there);
        }
    }

    /// Binds all at once: two that are fine alone can be in each other's way.
    private static void ports(Settings settings, List<String> problems) {
        List<ServerSocket> bound = new ArrayList<>();
        try {
            for (ListenerSettings listener : settings.listeners()) {
                String problem = bindProblem(listener.address(), bound);
                if (problem != null) {
                    problems.add("listener \"" + listener.name() + "\": " + problem);
                }
            }
            InetSocketAddress admin = settings.admin().address();
            String problem = admin == null ? null : bindProblem(admin, bound);
            if (problem != null) {
                problems.add("[admin]: " + problem);
            }
        } finally {
            bound.forEach(HostCheck::close);
        }
    }

    private static void close(ServerSocket socket) {
        try {
            socket.close();
        } catch (IOException _) {
            // the process ends soon
        }
    }

    private static @Nullable String bindProblem(
            InetSocketAddress address, List<ServerSocket> bound) {
        try {
            ServerSocket socket = new ServerSocket();
            bound.add(socket);
            socket.setReuseAddress(true);
            socket.bind(address);
            return null;
        } catch (IOException e) {
            return InboundServer.cannotListen(address, e);
        }
    }

    private static void routes(Settings settings, List<String> problems, Consumer<String> notes) {
        for (Route route : settings.routes().routes()) {
            switch (route.via()) {
                case Via.Maildir(String template) -> {
                    int brace = template.indexOf('{');
                    String fixed = brace < 0 ? template : template.substring(0, brace);
                    Path base = Path.of(fixed.isEmpty() ? "/" : fixed);
                    directory("Maildir folder of route " + route.pattern(), base, problems);
                }
                case Via.Lmtp(String host, int _) -> host(route, host, problems);
                case Via.Smtp(String host, int _) -> host(route, host, problems);
                case Via.AmtpHost(String host, int _) -> host(route, host, problems);
                case Via.Mx _, Via.Amtp _, Via.Hybrid _, Via.Hold _, Via.Discard _ -> {}
            }
        }
        if (!settings.routes().isRouted(settings.hostname().text())) {
            notes.accept(
                    "mail for postmaster@"
                            + settings.hostname()
                            + " has no route; RFC 5321 asks that somebody reads it");
        }
    }

    private static void host(Route route, String host, List<String> problems) {
        try {
            InetAddress[] _ = InetAddress.getAllByName(host);
        } catch (UnknownHostException _) {
            problems.add(
                    "route "
                            + route.pattern()
                            + ": the host "
                            + host
                            + " has no address; write one, or add it to the DNS");
        }
    }
}
