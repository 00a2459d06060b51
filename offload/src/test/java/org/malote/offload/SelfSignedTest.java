package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SelfSignedTest {
    private static final Instant NOW = TestCertificates.NOW;

    private final SecureRandom random = new SecureRandom();
    @TempDir private Path directory;

    @Test
    void makesAP256CertificateThatServes() throws Exception {
        CertificateSettings made = ensure(NOW);
        TlsSettings settings = TlsSettings.withDefaults(List.of(made));
        TlsEnvironment environment = new TlsEnvironment(() -> NOW, random);
        assertEquals(List.of(), TlsContexts.check(settings, environment));
        try (TlsContexts contexts = TlsContexts.open(settings, environment)) {
            CertificateInfo info = contexts.certificates().getFirst();
            assertEquals("CN=mx1.isp.example", info.subject());
            assertEquals(List.of("mx1.isp.example", "localhost"), info.names());
            assertEquals("P-256", info.keyType());
            assertEquals(NOW.plus(Duration.ofDays(3650)), info.notAfter());
        }
    }

    @Test
    void makesEachKindToMeasureWith() throws Exception {
        Files.createDirectories(keys());
        TlsEnvironment environment = new TlsEnvironment(() -> NOW, random);
        for (KeyType type : KeyType.values()) {
            CertificateSettings made = SelfSigned.toMeasure(keys(), type, () -> NOW, random);
            assertEquals("rw-------", mode(made.chain()));
            try (TlsContexts contexts =
                    TlsContexts.open(TlsSettings.withDefaults(List.of(made)), environment)) {
                assertEquals(type.text(), contexts.certificates().getFirst().keyType());
            }
        }
    }

    @Test
    void onlyTheOwnerCanReadIt() throws Exception {
        CertificateSettings made = ensure(NOW);
        assertEquals("rw-------", mode(made.chain()));
        assertEquals("rwx------", mode(keys()));
        try (Stream<Path> files = Files.list(keys())) {
            assertEquals(List.of(made.chain()), files.toList());
        }
    }

    @Test
    void usesWhatIsThere() throws Exception {
        String first = Files.readString(ensure(NOW).chain());
        assertEquals(first, Files.readString(ensure(NOW.plus(Duration.ofDays(365))).chain()));
    }

    @Test
    void replacesWhatHasExpiredOrIsDamaged() throws Exception {
        String first = Files.readString(ensure(NOW).chain());
        Instant later = NOW.plus(Duration.ofDays(3651));
        String second = Files.readString(ensure(later).chain());
        assertNotEquals(first, second);
        Files.writeString(keys().resolve(SelfSigned.FILE_NAME), second.substring(0, 200));
        assertEquals(second.length(), Files.readString(ensure(later).chain()).length(), 20);
    }

    @Test
    void aNameTooLongForTheSubjectIsStillAmongTheNames() throws Exception {
        String name = "a".repeat(60) + ".isp.example";
        CertificateSettings made = SelfSigned.ensure(keys(), name, () -> NOW, random);
        var leaf = PemFile.read(made.chain(), "certificate").certificates().getFirst();
        assertEquals(List.of(name, "localhost"), ServedCertificate.dnsNames(leaf));
        assertEquals("CN=localhost", leaf.getSubjectX500Principal().getName());
    }

    private Path keys() {
        return directory.resolve("var/keys");
    }

    private CertificateSettings ensure(Instant now) throws Exception {
        return SelfSigned.ensure(keys(), "mx1.isp.example", () -> now, random);
    }

    private static String mode(Path path) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
