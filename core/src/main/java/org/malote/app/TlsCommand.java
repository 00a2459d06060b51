package org.malote.app;

import java.io.PrintWriter;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.config.Settings;
import org.malote.offload.CertificateInfo;
import org.malote.offload.OffloadProviders;
import org.malote.offload.SelfSigned;
import org.malote.offload.TlsContexts;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "tls",
        description = "Shows what a TLS session would get: engine, provider, certificates.",
        mixinStandardHelpOptions = true)
final class TlsCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Override
    public Integer call() throws CommandFailure {
        PrintWriter out = Commands.present(spec).commandLine().getOut();
        Settings settings = config.settings();
        Clock clock = Clock.systemUTC();
        if (settings.tls().certificates().isEmpty()) {
            out.println(
                    "no certificate is configured: serve makes a self-signed one, "
                            + settings.generatedKeys().resolve(SelfSigned.FILE_NAME));
        }
        SecureRandom random = new SecureRandom();
        OffloadProviders providers = KeyProviders.installed(random);
        try (TlsContexts contexts =
                TlsContexts.open(settings.tls(), new TlsEnvironment(clock, random, providers))) {
            out.println("engine    " + contexts.engine().settingName());
            out.println("provider  " + settings.tls().provider());
            out.println("versions  TLSv1.3, TLSv1.2");
            for (CertificateInfo certificate : contexts.certificates()) {
                long days = Duration.between(clock.instant(), certificate.notAfter()).toDays();
                out.println("certificate " + certificate.file());
                out.println("  subject  " + certificate.subject());
                out.println("  names    " + String.join(", ", certificate.names()));
                out.println("  key      " + certificate.keyType());
                out.println(
                        "  expires  "
                                + certificate.notAfter()
                                + (days < 0 ? " (expired)" : " (in " + days + " days)"));
            }
        } catch (TlsProblems e) {
            throw new CommandFailure(String.join("\n", e.problems()), e);
        }
        return 0;
    }
}
