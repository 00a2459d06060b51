package org.malote.app;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.config.ConfigFile;
import org.malote.offload.CertificateSettings;
import org.malote.offload.Engine;
import org.malote.offload.EngineLibrary;
import org.malote.offload.HandshakeCost;
import org.malote.offload.KeyType;
import org.malote.offload.OffloadProviders;
import org.malote.offload.ProviderInfo;
import org.malote.offload.SelfSigned;
import org.malote.offload.SignatureWatch;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsMeasurement;
import org.malote.offload.TlsProblems;
import org.malote.offload.TlsSettings;

/// Signatures and handshakes of `malote tune`: with each engine, provider and kind of key, through
/// what serves TLS.
final class TuneKeys {
    /// One to warm up, and two so that a moment's load does not decide.
    private static final int PASSES = 3;

    private final Path scratch;
    private final int rounds;
    private final TuneTrial.Report report;

    /// Where the pass that goes on is told.
    private TuneTrial.Report now;

    /// @param rounds signatures, and handshakes of each kind, in each pass
    TuneKeys(Path scratch, int rounds, TuneTrial.Report report) {
        this.scratch = scratch;
        this.rounds = rounds;
        this.report = report;
        this.now = report;
    }

    /// @param config whose certificates are measured, too
    void measure(List<Engine> engines, @Nullable Path config) throws IOException {
        EngineLibrary.choose(engines.getFirst());
        Clock clock = Clock.systemUTC();
        SecureRandom random = new SecureRandom();
        OffloadProviders providers = KeyProviders.installed(random);
        TlsEnvironment environment =
                KeyProviders.environment(clock, random, providers, SignatureWatch.NONE);
        List<CertificateSettings> made = new ArrayList<>();
        for (KeyType type : KeyType.values()) {
            made.add(SelfSigned.toMeasure(scratch, type, clock, random));
        }
        for (Engine engine : engines) {
            // The first pass is for the compilers.
            for (int pass = 0; pass < PASSES; pass++) {
                now = pass == 0 ? TuneTrial.Report.SILENT : report;
                if (engine == engines.getFirst()) {
                    own(engine, config, environment);
                }
                for (ProviderInfo provider : providers.infos()) {
                    if (provider.name().equals(TlsSettings.DEFAULT_PROVIDER)
                            || engine == Engine.BORINGSSL) {
                        made(engine, provider, made, environment);
                    }
                }
            }
        }
    }

    private void made(
            Engine engine,
            ProviderInfo info,
            List<CertificateSettings> made,
            TlsEnvironment environment) {
        String provider = info.name();
        if (!info.missing().isEmpty()) {
            now.note(
                    "provider "
                            + provider
                            + " cannot be used: "
                            + String.join("; ", info.missing()));
            return;
        }
        for (CertificateSettings one : made) {
            CertificateSettings certificate = one;
            switch (provider) {
                case TlsSettings.DEFAULT_PROVIDER, "libcrypto" -> {}
                case "jca" -> certificate = withJdkProvider(one);
                default -> {
                    now.note(
                            "provider "
                                    + provider
                                    + " was measured with the keys of the configuration alone, if"
                                    + " it has any: its keys cannot be made here");
                    return;
                }
            }
            TlsSettings settings =
                    TlsSettings.withDefaults(List.of(certificate))
                            .withEngine(engine)
                            .withProvider(provider.equals("jca") ? "native" : provider);
            try {
                for (TlsMeasurement each : TlsMeasurement.of(settings, environment, rounds)) {
                    now.print(TuneTrial.TLS, figure(engine, provider, false, each));
                }
            } catch (TlsProblems e) {
                now.note(
                        "engine "
                                + engine.settingName()
                                + ", provider "
                                + provider
                                + ": "
                                + String.join("; ", e.problems()));
                return; // as each other key would
            }
        }
    }

    /// Of the JDK, the one that every host has.
    private static CertificateSettings withJdkProvider(CertificateSettings one) {
        boolean isRsa = one.chain().getFileName().toString().startsWith("RSA");
        return new CertificateSettings(
                one.chain(), "jca:" + (isRsa ? "SunRsaSign" : "SunEC") + "?key=" + one.key());
    }

    /// The certificates of the operator, with the provider that the configuration names.
    private void own(Engine engine, @Nullable Path config, TlsEnvironment environment) {
        if (config == null
                || !(ConfigFile.read(config, TuneTrial.NAME)
                        instanceof ConfigFile.Result.Valid(var all))) {
            return;
        }
        for (CertificateSettings one : all.tls().certificates()) {
            int colon = one.key().startsWith("/") ? -1 : one.key().indexOf(':');
            String provider = colon < 0 ? all.tls().provider() : one.key().substring(0, colon);
            try {
                TlsSettings settings = all.tls().withEngine(engine).withCertificates(List.of(one));
                for (TlsMeasurement each : TlsMeasurement.of(settings, environment, rounds)) {
                    now.print(TuneTrial.TLS, figure(engine, provider, true, each));
                }
            } catch (TlsProblems e) {
                now.note("certificate " + one.chain() + ": " + String.join("; ", e.problems()));
            }
        }
    }

    private static TuneFigures.Tls figure(
            Engine engine, String provider, boolean isOwn, TlsMeasurement measured) {
        return new TuneFigures.Tls(
                engine.settingName(),
                provider,
                measured.certificate().keyType(),
                isOwn,
                measured.signatureNanos(),
                measured.isSignedByEngine(),
                nanos(measured, "TLSv1.3", false),
                nanos(measured, "TLSv1.3", true),
                nanos(measured, "TLSv1.2", false),
                nanos(measured, "TLSv1.2", true));
    }

    private static long nanos(TlsMeasurement measured, String version, boolean isResumed) {
        for (HandshakeCost cost : measured.handshakes()) {
            if (cost.version().equals(version) && cost.isResumed() == isResumed) {
                return cost.nanos();
            }
        }
        return 0;
    }
}
