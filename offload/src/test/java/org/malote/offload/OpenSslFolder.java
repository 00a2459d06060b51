package org.malote.offload;

import io.netty.handler.ssl.OpenSsl;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// Tells the problems of the engine, or runs test classes, in a process that has OpenSSL under its
/// TLS: in a folder with a system that
/// has one, see [OpenSslEnginePeerTest].
final class OpenSslFolder {
    private OpenSslFolder() {}

    /// @param names of test classes; without any, what `check` would say is printed
    public static void main(String[] names) {
        Engine _ = Engines.inProcess();
        if (names.length == 0) {
            TlsContexts.check(Engines.settings(List.of()), TestCertificates.environment())
                    .forEach(problem -> System.out.println("problem: " + problem));
            System.out.println("checked");
            return;
        }
        System.out.println("library: " + OpenSsl.versionString());
        LauncherDiscoveryRequest request =
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(
                                Arrays.stream(names).map(DiscoverySelectors::selectClass).toList())
                        .build();
        var listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), 20);
        System.out.println(
                "tests: "
                        + summary.getTestsStartedCount()
                        + ", failures: "
                        + summary.getTotalFailureCount());
        System.exit(summary.getTotalFailureCount() == 0 ? 0 : 1);
    }
}
