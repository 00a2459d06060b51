package org.malote.app;

import java.io.PrintWriter;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.malote.config.Settings;
import org.malote.delivery.Source;
import org.malote.offload.CertificateInfo;
import org.malote.offload.EngineLibrary;
import org.malote.offload.HandshakeCost;
import org.malote.offload.OffloadProviders;
import org.malote.offload.ProviderInfo;
import org.malote.offload.SelfSigned;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TicketSettings;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsMeasurement;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "tls",
        description = {
            "Shows what a TLS session would get: engine, versions, groups, certificates, ticket keys.",
            "Every key makes signatures, and every certificate handshakes, that are timed."
        },
        mixinStandardHelpOptions = true)
final class TlsCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    private final Clock clock = Clock.systemUTC();

    @Override
    public Integer call() throws CommandFailure {
        PrintWriter out = Commands.present(spec).commandLine().getOut();
        Settings settings = config.settings();
        EngineLibrary.choose(settings.tls().engine());
        SecureRandom random = new SecureRandom();
        OffloadProviders providers = KeyProviders.installed(random);
        TlsEnvironment environment =
                KeyProviders.environment(clock, random, providers, SignatureWatch.NONE);
        try {
            printChoices(out, settings, environment);
            printProviders(out, providers);
            printTicketKeys(out, settings.tls(), environment);
            printCertificates(out, settings, environment);
            printSources(out, settings, environment);
        } catch (TlsProblems e) {
            out.flush();
            throw new CommandFailure(String.join("\n", e.problems()), e);
        } finally {
            out.flush();
        }
        return 0;
    }

    private static void printChoices(PrintWriter out, Settings settings, TlsEnvironment environment)
            throws TlsProblems {
        TlsSettings none = settings.tls().withCertificates(List.of());
        try (TlsContexts contexts = TlsContexts.open(none, environment)) {
            out.println("engine    " + contexts.engine().settingName());
            if (contexts.library() != null) {
                out.println("library   " + contexts.library());
            }
            out.println("provider  " + settings.tls().provider());
            out.println("versions  TLSv1.3, TLSv1.2");
            out.println("groups    " + String.join(", ", contexts.groups()));
        }
    }

    private static void printProviders(PrintWriter out, OffloadProviders providers) {
        for (ProviderInfo provider : providers.infos()) {
            boolean isThere = provider.missing().isEmpty();
            out.printf(
                    "provider %-10s %s: %s%n",
                    provider.name(),
                    isThere ? "can be used" : "cannot be used",
                    isThere ? provider.description() : String.join("; ", provider.missing()));
        }
    }

    private void printTicketKeys(PrintWriter out, TlsSettings settings, TlsEnvironment environment)
            throws TlsProblems {
        TicketSettings tickets = settings.tickets();
        if (tickets.file() == null && tickets.source() == null) {
            out.println("ticket keys  in memory of the server alone");
            return;
        }
        List<String> ages = new ArrayList<>();
        Instant now = clock.instant();
        for (Instant sealsFrom : TlsMeasurement.keptTicketKeys(settings, environment)) {
            Duration age = Duration.between(sealsFrom, now);
            ages.add(
                    age.isNegative()
                            ? "the next in " + minutes(age.negated())
                            : minutes(age) + " old");
        }
        out.println(
                "ticket keys  "
                        + (tickets.source() != null ? tickets.source() : tickets.file())
                        + ": "
                        + (ages.isEmpty() ? "none made yet" : String.join(", ", ages)));
    }

    private static String minutes(Duration duration) {
        return String.format(Locale.ROOT, "%dh%02dm", duration.toHours(), duration.toMinutesPart());
    }

    private void printCertificates(PrintWriter out, Settings settings, TlsEnvironment environment)
            throws TlsProblems {
        TlsSettings tls = settings.tls();
        if (tls.certificates().isEmpty()) {
            out.println(
                    "no certificate is configured: serve makes a self-signed one, "
                            + settings.generatedKeys().resolve(SelfSigned.FILE_NAME));
            return;
        }
        print(out, TlsMeasurement.of(tls, environment));
    }

    /// What hosts are shown.
    private void printSources(PrintWriter out, Settings settings, TlsEnvironment environment)
            throws TlsProblems {
        for (Source source : settings.sources()) {
            if (source.identity() != null) {
                out.println("source    " + source.name() + ", EHLO " + source.heloName());
                print(
                        out,
                        TlsMeasurement.of(
                                settings.tls().withCertificates(source.certificates()),
                                environment));
            }
        }
    }

    private void print(PrintWriter out, List<TlsMeasurement> all) {
        for (TlsMeasurement measured : all) {
            CertificateInfo certificate = measured.certificate();
            long days = Duration.between(clock.instant(), certificate.notAfter()).toDays();
            out.println("certificate " + certificate.file());
            out.println("  subject    " + certificate.subject());
            out.println("  names      " + String.join(", ", certificate.names()));
            out.println(
                    "  expires    "
                            + certificate.notAfter()
                            + (days < 0 ? " (expired)" : " (in " + days + " days)"));
            out.println("  key        " + certificate.keyType() + " " + measured.key());
            out.println(
                    "  signature  "
                            + micros(measured.signatureNanos())
                            + " "
                            + measured.scheme()
                            + (measured.isSignedByEngine()
                                    ? ", by the JDK; in a handshake the engine signs"
                                    : ""));
            for (HandshakeCost handshake : measured.handshakes()) {
                out.println(
                        "  handshake  "
                                + micros(handshake.nanos())
                                + " "
                                + handshake.version()
                                + (handshake.isResumed() ? " resumed" : " full")
                                + ", both ends");
            }
        }
    }

    private static String micros(long nanos) {
        return TimeUnit.NANOSECONDS.toMicros(nanos) + " µs";
    }
}
