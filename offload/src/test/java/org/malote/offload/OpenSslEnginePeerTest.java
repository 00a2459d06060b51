package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The engine `openssl` in a Debian 13, whose OpenSSL is new enough: the same tests of handshakes,
/// tickets, names and peers as with BoringSSL, and its own ([OpenSslEngineChecks]).
@Tag("peers")
@Tag("debian")
final class OpenSslEnginePeerTest {
    private static final Path IN_DEBIAN = Path.of("src/test/sh/in-debian").toAbsolutePath();

    /// A minute, on two busy processors.
    private static final long WAIT_SECONDS_MAX = 400;

    /// What all of them are at least, so that a class that is not found is seen.
    private static final int TESTS_MIN = 80;

    @TempDir private Path directory;

    private record Ended(int status, String output) {}

    @Test
    void theMatrixPassesThere() throws Exception {
        Ended ended =
                inDebian(
                        configuration("legacy"),
                        "OpenSslEngineChecks",
                        "OpenSslPeerTest",
                        "OpenSslStatusPeerTest",
                        "HandshakeTest",
                        "TicketKeysTest",
                        "TicketKeyFileTest",
                        "ServerNameTest",
                        "PeerIdentityTest");
        assertEquals(0, ended.status(), ended.output());
        assertTrue(ended.output().contains("library: OpenSSL 3.5."), ended.output());
        assertFalse(ended.output().contains("LEAK"), ended.output());
        Matcher counted = Pattern.compile("tests: (\\d+), failures: 0").matcher(ended.output());
        assertTrue(counted.find(), ended.output());
        assertTrue(Integer.parseInt(counted.group(1)) >= TESTS_MIN, ended.output());
    }

    /// An accelerator whose provider is gone would leave its work to the processor, in silence.
    @Test
    void aConfigurationThatCannotBeHadIsAProblem() throws Exception {
        Path broken = configuration("qatprovider");
        assertEquals(
                List.of(
                        "problem: OpenSSL's configuration /host"
                                + broken
                                + " names the provider qatprovider, which cannot be loaded: install"
                                + " it, or take it out",
                        "checked"),
                inDebian(broken).output().lines().toList());
        Path gone = directory.resolve("gone.cnf");
        String told = inDebian(gone).output();
        assertTrue(
                told.startsWith("problem: OpenSSL refuses its configuration /host" + gone + " ("),
                told);
        assertTrue(told.contains("No such file or directory"), told);
        assertEquals("checked\n", inDebian(configuration("legacy")).output());
    }

    /// This host's own is too old, or serves.
    @Test
    void aHostWithAnOlderOneIsToldSo() throws Exception {
        String version = run(List.of("openssl", "version")).output();
        Matcher numbers = Pattern.compile("OpenSSL (\\d+)\\.(\\d+)\\.").matcher(version);
        assertTrue(numbers.find(), version);
        boolean isOld =
                Integer.parseInt(numbers.group(1)) == 3 && Integer.parseInt(numbers.group(2)) < 2;
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(arguments(""));
        String told = run(command).output();
        String problem =
                "problem: engine \"openssl\" needs OpenSSL 3.2 or later and this host has OpenSSL 3.";
        assertEquals(isOld, told.startsWith(problem), told);
        assertFalse(told.contains("\tat "), told);
        assertTrue(told.endsWith("checked\n"), told);
    }

    private Path configuration(String provider) throws Exception {
        return Files.writeString(
                directory.resolve(provider + ".cnf"),
                """
                openssl_conf = begin
                [begin]
                providers = them
                [them]
                default = on
                %s = on
                [on]
                activate = 1
                """
                        .formatted(provider));
    }

    private static Ended inDebian(Path configuration, String... classes) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(IN_DEBIAN.toString());
        command.addAll(
                List.of(
                        "env",
                        "-C",
                        "/host" + Path.of("").toAbsolutePath(),
                        "OPENSSL_CONF=/host" + configuration,
                        "timeout",
                        "" + WAIT_SECONDS_MAX,
                        "java"));
        command.addAll(arguments("/host"));
        Arrays.stream(classes).map(name -> "org.malote.offload." + name).forEach(command::add);
        return run(command);
    }

    /// @param root where this host's files are
    private static List<String> arguments(String root) {
        String classPath =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"));
        return List.of(
                "@" + root + Path.of("..", "queue", "jvm.args").toAbsolutePath().normalize(),
                "-Dio.netty.leakDetection.level=paranoid",
                "-Dmalote.test.engine=openssl",
                "-cp",
                Arrays.stream(classPath.split(File.pathSeparator))
                        .map(entry -> root + entry)
                        .collect(Collectors.joining(File.pathSeparator)),
                OpenSslFolder.class.getName());
    }

    private static Ended run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS), output);
        return new Ended(process.exitValue(), output);
    }
}
