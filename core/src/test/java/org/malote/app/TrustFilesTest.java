package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.TestIssuer;
import org.malote.amtp.TrustBase;
import org.malote.config.ConfigFile;
import org.malote.config.Settings;
import org.malote.smtp.DomainName;

/// What `malote check`, a start and a reload say of the files by which peers are believed.
final class TrustFilesTest {
    private static final Instant NOW = Instant.parse("2026-11-26T12:00:00Z");
    private static final String BOTH =
            """
            [[listener]]
            name    = "amtp"
            address = "127.0.0.1:24"
            profile = "amtp-public"
            trust   = ["federation.pem"]

            [[listener]]
            name    = "members"
            address = "127.0.0.1:2424"
            profile = "amtp-private"
            trust   = ["isp.pem"]

            """;

    @TempDir private Path folder;

    @Test
    void aHostThatAsksNobodyReadsNothing() throws Exception {
        Settings settings = settings("");
        assertSame(TrustBase.NONE, TrustFiles.read(settings, NOW));
        assertEquals(List.of(), TrustFiles.check(settings, NOW, _ -> {}));
    }

    @Test
    void whatIsWellIsRead() throws Exception {
        TestIssuer federation = new TestIssuer(folder, "federation", null, NOW);
        new TestIssuer(folder, "isp", null, NOW);
        federation.takeBack("federation.crl", false);
        Files.writeString(folder.resolve("deny"), "name *.spam.example # since May\n");
        Settings settings =
                settings(BOTH + "[amtp]\ndeny = \"deny\"\ncrls = [\"federation.crl\"]\n");
        assertNotSame(TrustBase.NONE, TrustFiles.read(settings, NOW));
        List<String> notes = new ArrayList<>();
        assertEquals(
                List.of(), TrustFiles.check(settings, NOW.plus(Duration.ofDays(8)), notes::add));
        assertEquals(
                List.of(
                        "revocation list @/federation.crl of CN=federation was to be renewed by"
                                + " 2026-12-03T12:00:00Z: get the next"),
                relative(notes));
    }

    @Test
    void everythingThatIsWrongIsSaidAtOnce() throws Exception {
        new TestIssuer(folder, "isp", null, NOW);
        Files.writeString(folder.resolve("deny"), "# list\nkey 12\nhost a.example\n");
        assertEquals(
                List.of(
                        "certificate file @/federation.pem does not exist: create it or correct the"
                                + " path",
                        "revocation list @/gone.crl does not exist: create it or correct the path",
                        "deny list @/deny line 2: \"12\" is no SHA-256 of 64 hexadecimal digits;"
                                + " openssl x509 -fingerprint -sha256 prints one",
                        "deny list @/deny line 3: \"host\" is none of certificate, key, name"),
                check(BOTH + "[amtp]\ndeny = \"deny\"\ncrls = [\"gone.crl\"]\n"));
        new TestIssuer(folder, "federation", null, NOW);
        assertEquals(
                List.of(
                        "deny list @/gone does not exist: create it, empty if need be, or correct"
                                + " the path"),
                check(BOTH + "[amtp]\ndeny = \"gone\"\n"));
    }

    @Test
    void aPrivateAuthorityThatIsPublicTooIsSaid() throws Exception {
        TestIssuer isp = new TestIssuer(folder, "isp", null, NOW);
        TestIssuer.bundle(folder.resolve("federation.pem"), List.of(isp));
        assertEquals(
                List.of(
                        "the private authority CN=isp of @/isp.pem (listener \"members\") is also in"
                                + " @/federation.pem, which listener \"amtp\" trusts for public"
                                + " networks: make an authority for the private network alone, or"
                                + " take it out of one of the two"),
                check(BOTH));
    }

    private List<String> check(String text) {
        return relative(TrustFiles.check(settings(text), NOW, _ -> {}));
    }

    private List<String> relative(List<String> sentences) {
        return sentences.stream().map(one -> one.replace(folder.toString(), "@")).toList();
    }

    private Settings settings(String text) {
        return assertInstanceOf(
                        ConfigFile.Result.Valid.class,
                        ConfigFile.parse(text, "malote.toml", folder, new DomainName("mx.example")))
                .settings();
    }
}
