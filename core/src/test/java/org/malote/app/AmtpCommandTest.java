package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.admin.ServedQueue;
import org.malote.amtp.CodeClass;
import org.malote.amtp.CodeRole;
import org.malote.amtp.HopIdentity;
import org.malote.amtp.HopNetwork;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.Observations.Outcome;
import org.malote.amtp.ReverseDns;
import org.malote.config.ConfigFile;
import org.malote.smtp.DomainName;

/// The commands about AMTP as they are typed, with what they print.
final class AmtpCommandTest {
    @TempDir Path directory;

    private ServedQueue served;
    private Path config;

    @BeforeEach
    void start() throws Exception {
        served = ServedQueue.open(directory.resolve("state"));
        config =
                Files.writeString(
                        directory.resolve("malote.toml"),
                        """
                        hostname = "mx.example"
                        state = "state"
                        [[listener]]
                        name = "mx"
                        address = "127.0.0.1:2525"
                        amtp = "observe"
                        mpc = "observe"
                        """);
    }

    @AfterEach
    void stop() {
        served.close();
    }

    private String run(String... arguments) {
        TestScreen screen = new TestScreen(served.clock());
        String[] all = new String[arguments.length + 3];
        all[0] = "amtp";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[arguments.length + 1] = "--config";
        all[arguments.length + 2] = config.toString();
        int status = screen.run(all);
        return status + " " + screen.out() + screen.err();
    }

    private void fill() throws Exception {
        HopIdentity shop =
                new HopIdentity(
                        HopNetwork.PUBLIC,
                        "mail.shop.example",
                        "CN=Federation",
                        new ReverseDns.Unasked(),
                        null);
        InetAddress client = InetAddress.getByName("192.0.2.7");
        MailPolicyCode optout = new MailPolicyCode(CodeRole.COM, CodeClass.OPTOUT);
        for (int i = 0; i < 120; i++) {
            served.observations().see("mx", shop, client, optout, Outcome.ACCEPTED);
        }
        served.observations().see("mx", shop, client, optout, Outcome.WATCHED);
        served.advance(Duration.ofDays(8));
        served.observations().see("mx", HopIdentity.UNKNOWN, client, null, Outcome.ACCEPTED);
        served.observations().see("mx", HopIdentity.UNKNOWN, client, null, Outcome.REFUSED);
    }

    @Test
    void peersShowsWhoWasSeen() throws Exception {
        assertEquals(
                "0 nobody was seen yet; amtp = \"observe\" or mpc = \"observe\" at a listener begins"
                        + " it\n",
                run("peers"));
        fill();
        assertEquals(
                """
                0 LISTENER  NETWORK  PEER               VERDICT         TAKEN  WATCHED  REFUSED  LAST  CODES
                mx        none     192.0.2.0/24       no certificate      1        -        1    0s  none 1
                mx        public   mail.shop.example  verified          121        1        -    8d  com/optout 121
                """,
                run("peers"));
        String json = run("peers", "--json");
        assertTrue(
                json.contains("\"peer\":\"mail.shop.example\",\"verdict\":\"verified\",\"first\":"),
                json);
        assertTrue(
                json.contains(
                        "\"codes\":{\"com/optout\":{\"accepted\":120,\"watched\":1,\"refused\":0}}}"),
                json);
    }

    @Test
    void suggestPrintsAPolicyThatFits() throws Exception {
        fill();
        assertEquals(
                """
                0 # From 1 wanted, 121 unwanted and 1 refused in 8 days.
                # Wanted is what was accepted and is not named by --unwanted.

                [mpc]
                site = "DENY=com/optout"
                # com/optout: 0 wanted, 121 unwanted, 0 refused

                [[listener]]
                name = "mx"
                amtp = "observe" # would refuse 1 of 1 wanted: no certificate 1
                mpc = "observe" # as it is: 1 wanted, of 100

                """,
                run("suggest", "--unwanted", "MAIL.shop.example"));
        assertTrue(run("suggest", "--unwanted", "*/optout").contains("site = \"DENY=com/optout\""));
        assertTrue(run("suggest").contains("site = \"ALLOW=*/*\""));
        assertEquals(
                "1 malote: \"nobody.example\" is neither a peer that was seen nor a code; see malote"
                        + " amtp peers\n",
                run("suggest", "--unwanted", "nobody.example"));
        assertTrue(run("suggest", "--messages", "0").startsWith("2 malote: --messages takes"));
    }

    @Test
    void initMakesWhatAConfigurationCanUse() throws Exception {
        String printed = run("init", directory.resolve("pool").toString(), "--client", "a.example");
        assertTrue(printed.startsWith("0 # Made: an authority that is valid until "), printed);
        assertTrue(printed.contains("openssl s_client -connect mx.example:2424"), printed);
        X509Certificate authority = certificates("ca.pem").getFirst();
        for (String name : List.of("server", "a.example")) {
            List<X509Certificate> chain = certificates(name + ".pem");
            assertEquals(2, chain.size());
            assertEquals(authority, chain.getLast());
            boolean isServer = name.equals("server");
            PKIXParameters parameters =
                    new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(served.clock().instant().plus(Duration.ofDays(396))));
            var _ =
                    CertPathValidator.getInstance("PKIX")
                            .validate(
                                    CertificateFactory.getInstance("X.509")
                                            .generateCertPath(chain.subList(0, 1)),
                                    parameters);
            assertEquals(
                    List.of(List.of(2, isServer ? "mx.example" : name)),
                    List.copyOf(chain.getFirst().getSubjectAlternativeNames()));
            assertEquals(
                    List.of(isServer ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2"),
                    chain.getFirst().getExtendedKeyUsage());
            assertEquals(-1, chain.getFirst().getBasicConstraints());
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(pool(name + ".key"))));
        }
        assertEquals(0, authority.getBasicConstraints());

        byte[] before = Files.readAllBytes(pool("ca.key"));
        String again = run("init", directory.resolve("pool").toString(), "--client", "b.example");
        assertTrue(again.startsWith("1 malote: "), again);
        assertTrue(again.contains("is there already"), again);
        assertFalse(Files.exists(pool("b.example.pem")));
        assertEquals(List.of(before.length), List.of((int) Files.size(pool("ca.key"))));
    }

    /// What it prints for a client is a configuration that is valid.
    @Test
    void initPrintsAValidConfigurationForTheClient() throws Exception {
        String printed = run("init", directory.resolve("pool").toString());
        String client =
                printed.substring(
                        printed.indexOf("# In that of client.mx.example"),
                        printed.indexOf("# To try it"));
        ConfigFile.Result result =
                ConfigFile.parse(client, "c.toml", directory, new DomainName("c.example"));
        assertTrue(result instanceof ConfigFile.Result.Valid, result.toString());
    }

    @Test
    void initRefusesNamesThatAreNone() {
        String pool = directory.resolve("pool").toString();
        assertTrue(
                run("init", pool, "--client", "server").startsWith("2 malote: \"server\" is no"));
        assertTrue(
                run("init", pool, "--client", "a.example", "--client", "A.example")
                        .startsWith("2 malote: the client A.example is there twice"));
        assertFalse(Files.exists(directory.resolve("pool")));
    }

    private Path pool(String name) {
        return directory.resolve("pool").resolve(name);
    }

    private List<X509Certificate> certificates(String name) throws Exception {
        try (InputStream in = Files.newInputStream(pool(name))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
        }
    }
}
