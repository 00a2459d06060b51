package org.malote.app;

import java.io.PrintWriter;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.config.Settings;
import org.malote.delivery.Source;
import org.malote.delivery.Terms;
import org.malote.dns.DnsjavaDns;
import org.malote.offload.EngineLibrary;
import org.malote.offload.HostIdentity;
import org.malote.offload.HostPolicy;
import org.malote.offload.HostTls;
import org.malote.offload.HostTlsSettings;
import org.malote.offload.HostWay;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsProblems;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "probe",
        description = {
            "Speaks with a host of AMTP as a source of the configuration, and says step by step what"
                    + " matches and what does not.",
            "No mail is sent. The exit status is 1 when anything does not match."
        },
        footer = {
            "",
            "Examples:",
            "  malote amtp probe peer.example --config malote.toml",
            "  malote amtp probe hub.isp.example:2424 --source out2"
        },
        mixinStandardHelpOptions = true)
final class AmtpProbeCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Option(
            names = "--source",
            paramLabel = "NAME",
            description = "The [[source]] to speak as; default: that of [amtp].")
    private @Nullable String sourceName;

    @Parameters(
            paramLabel = "DOMAIN|HOST[:PORT]",
            description =
                    "A domain, whose SRV records are looked up, and their targets tried in order until"
                            + " one answers; or a host, on port 24 if it has no such record.")
    private String target = "";

    @Override
    public Integer call() throws CommandFailure {
        PrintWriter out = Commands.present(spec).commandLine().getOut();
        Settings settings = config.settings();
        EngineLibrary.choose(settings.tls().engine());
        Terms terms = settings.sites().usual().terms().forAmtp();
        Source source = source(settings, terms.source());
        SecureRandom random = new SecureRandom();
        HostWay way = new HostWay(HostPolicy.SHOWN, source.identity());
        try (Threads threads = new Threads(1);
                HostTls tls =
                        HostTls.open(
                                new HostTlsSettings(
                                        settings.tls().withCertificates(List.of()),
                                        List.of(way),
                                        identities(source)),
                                KeyProviders.environment(
                                        Clock.systemUTC(),
                                        random,
                                        KeyProviders.installed(random),
                                        SignatureWatch.NONE))) {
            boolean isWell =
                    new AmtpProbe(
                                    source,
                                    terms.tls().authorities(),
                                    tls,
                                    way,
                                    new DnsjavaDns(
                                            settings.dns(), threads.waiting(), System::nanoTime),
                                    threads,
                                    Clock.systemUTC(),
                                    out)
                            .probe(target);
            return isWell ? 0 : 1;
        } catch (TlsProblems e) {
            throw new CommandFailure(String.join("\n", e.problems()), e);
        } finally {
            out.flush();
        }
    }

    private static List<HostIdentity> identities(Source source) {
        return source.identity() == null
                ? List.of()
                : List.of(new HostIdentity(source.name(), source.certificates()));
    }

    private Source source(Settings settings, @Nullable Source usual) throws CommandFailure {
        if (sourceName == null) {
            if (usual == null) {
                throw new CommandFailure(
                        "AMTP needs a source: name one with --source NAME, or in [amtp]");
            }
            return usual;
        }
        return settings.sources().stream()
                .filter(one -> one.name().equals(sourceName))
                .findFirst()
                .orElseThrow(
                        () ->
                                new CommandFailure(
                                        "there is no [[source]] with the name " + sourceName));
    }
}
