package org.malote.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.amtp.AmtpSettings;
import org.malote.amtp.CodeClass;
import org.malote.amtp.CodeRole;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.CommonNames;
import org.malote.amtp.Dial;
import org.malote.amtp.ForeignHeaders;
import org.malote.amtp.IdentitySettings;
import org.malote.amtp.MailPolicyCode;
import org.malote.amtp.ReverseRule;
import org.malote.auth.AuthSettings;
import org.malote.auth.Mechanism;
import org.malote.config.ConfigFile.Result;
import org.malote.config.Section.Notes;
import org.malote.delivery.AmtpSending;
import org.malote.delivery.DomainPattern;
import org.malote.delivery.Route;
import org.malote.delivery.SiteRule;
import org.malote.delivery.Source;
import org.malote.delivery.Terms;
import org.malote.delivery.TlsPolicy;
import org.malote.delivery.TlsUse;
import org.malote.delivery.Via;
import org.malote.offload.CertificateSettings;
import org.malote.offload.ClientCertificates;
import org.malote.offload.KeyLimits;
import org.malote.policy.Network;
import org.malote.queue.Durability;
import org.malote.queue.schedule.SiteLimits;
import org.malote.server.Profile;
import org.malote.server.SenderNetwork;
import org.malote.server.SenderNetworks;
import org.malote.server.TicketUse;
import org.malote.server.TlsMode;
import org.malote.smtp.DomainName;
import org.malote.smtp.Printable;

final class ConfigFileTest {
    private static final DomainName HOSTNAME = new DomainName("host.example");
    private static final Path BASE = Path.of("/etc/malote");

    @Test
    void readsTheDocumentedExample() {
        Settings settings =
                valid(
                        """
                        hostname = "mx1.isp.example"
                        state    = "/var/lib/malote"

                        [[listener]]
                        name    = "mx"
                        address = "0.0.0.0:25"
                        profile = "mx"
                        tls     = "starttls"

                        [[listener]]
                        address = "[::]:465"
                        tls     = "implicit"
                        proxy-networks = ["10.1.0.0/16"]

                        [tls]
                        engine       = "boringssl"
                        provider     = "native"
                        certificates = [
                          { chain = "mx1-p256.pem", key = "mx1-p256.key" },
                          { chain = "mx1-rsa.pem",  key = "pkcs11:object=mx1-rsa", fallback-key = "mx1-rsa.key" },
                        ]
                        key-threads  = 8
                        key-timeout  = "500ms"
                        ticket-key-file = "memory"
                        ticket-key-source = "vault:mail/tickets"
                        client-certificates = "request"
                        client-authorities  = "authorities.pem"
                        client-server-use   = true
                        tickets = "on"

                        [[tls.network]]
                        name      = "outlook"
                        addresses = ["40.92.0.0/15", "2a01:111:f400::/48"]
                        tickets   = "off"

                        [queue]
                        directory  = "spool"
                        durability = "relaxed"
                        retry-first = "1m30s"

                        [limits]
                        message-octets-max = "10MiB"
                        recipients-max = 500
                        idle-timeout = "90s"

                        [relay]
                        networks = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"]

                        [policy]
                        refuse-null-mx-senders = false

                        [bounce]
                        delay-after = "1h"

                        [[route]]
                        domain = "isp.example"
                        via    = "lmtp:127.0.0.1:2003"

                        [[route]]
                        domain = "*.isp.example"
                        via    = "maildir:mail/{domain}/{local}"

                        [[route]]
                        domain = "hub.example"
                        via    = "smtp:[2001:db8::1]:2525"

                        [[route]]
                        domain = "old.example"
                        via    = "discard"

                        [delivery]
                        tls = "none"
                        allow-private-targets = true
                        [delivery.timeouts]
                        connect = "5s"

                        [dns]
                        servers = ["127.0.0.1:53", "::1"]

                        [admin]
                        address = "127.0.0.1:9200"
                        """);
        assertEquals("mx1.isp.example", settings.hostname().text());
        assertEquals(Path.of("/var/lib/malote"), settings.state());
        assertEquals(2, settings.listeners().size());
        var mx = settings.listeners().getFirst();
        assertEquals("mx", mx.name());
        assertEquals("0.0.0.0:25", Units.format(mx.address()));
        assertEquals(TlsMode.STARTTLS, mx.tls());
        var second = settings.listeners().getLast();
        assertEquals("listener-2", second.name());
        assertEquals("[::]:465", Units.format(second.address()));
        assertEquals(Profile.MX, second.profile());
        assertEquals(List.of(Network.parse("10.1.0.0/16")), second.proxyNetworks());
        assertEquals(
                List.of(
                        new CertificateSettings(
                                BASE.resolve("mx1-p256.pem"), "/etc/malote/mx1-p256.key"),
                        new CertificateSettings(
                                BASE.resolve("mx1-rsa.pem"),
                                "pkcs11:object=mx1-rsa",
                                "/etc/malote/mx1-rsa.key")),
                settings.tls().certificates());
        assertEquals(
                new ClientCertificates(
                        ClientCertificates.Demand.REQUEST, BASE.resolve("authorities.pem"), true),
                settings.tls().clientCertificates());
        assertNull(settings.tls().tickets().file());
        assertEquals("vault:mail/tickets", settings.tls().tickets().source());
        assertEquals(
                SenderNetworks.of(
                        List.of(
                                new SenderNetwork(
                                        "outlook",
                                        List.of(
                                                Network.parse("40.92.0.0/15"),
                                                Network.parse("2a01:111:f400::/48")),
                                        TicketUse.OFF)),
                        TicketUse.ON),
                settings.senderNetworks());
        assertEquals(
                new KeyLimits(
                        8,
                        KeyLimits.DEFAULT_QUEUE_MAX,
                        Duration.ofMillis(500),
                        KeyLimits.DEFAULT_HEALTH_INTERVAL),
                settings.tls().keyLimits());
        assertEquals(Path.of("/var/lib/malote/spool"), settings.queue().directory());
        assertEquals(Durability.RELAXED, settings.queue().durability());
        assertEquals(Duration.ofSeconds(90), settings.queue().retry().first());
        assertEquals(10 << 20, settings.limits().messageOctetsMax());
        assertEquals(500, settings.limits().recipientsMax());
        assertEquals(Duration.ofSeconds(90), settings.limits().idleTimeout());
        assertEquals(3, settings.relay().networks().size());
        assertFalse(settings.senders().refusesNullMx());
        assertEquals(Duration.ofHours(1), settings.bounce().delayAfter());
        assertEquals(
                List.of(
                        new Route(
                                new DomainPattern("isp.example"), new Via.Lmtp("127.0.0.1", 2003)),
                        new Route(
                                new DomainPattern("*.isp.example"),
                                new Via.Maildir("/etc/malote/mail/{domain}/{local}")),
                        new Route(
                                new DomainPattern("hub.example"),
                                new Via.Smtp("2001:db8::1", 2525)),
                        new Route(new DomainPattern("old.example"), new Via.Discard())),
                settings.routes().routes());
        assertEquals(TlsUse.NONE, settings.sites().usual().terms().tls().use());
        assertTrue(settings.delivery().allowPrivateTargets());
        assertEquals(Duration.ofSeconds(5), settings.delivery().timeouts().connect());
        assertEquals("mx1.isp.example", settings.delivery().heloName());
        assertEquals(
                List.of("127.0.0.1:53", "[::1]:53"),
                settings.dns().servers().stream().map(Units::format).toList());
        assertEquals(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 9200),
                settings.admin().address());
    }

    @Test
    void needsNothing() {
        Settings settings = valid("");
        assertEquals(HOSTNAME, settings.hostname());
        assertEquals("0.0.0.0:25", Units.format(settings.listeners().getFirst().address()));
        assertEquals(Path.of("/var/lib/malote/spool"), settings.queue().directory());
        assertEquals(Durability.COMMIT, settings.queue().durability());
        assertEquals(List.of(), settings.routes().routes());
    }

    /// A file to fall back to is chosen by naming it, or in so many words.
    @Test
    void saysWhatIsDoneWhileAKeyCannotSign() {
        assertEquals(
                List.of(
                        new CertificateSettings(BASE.resolve("a.pem"), "pkcs11:object=a"),
                        new CertificateSettings(BASE.resolve("b.pem"), "pkcs11:object=b"),
                        new CertificateSettings(
                                BASE.resolve("c.pem"), "pkcs11:object=c", "/etc/malote/c.key"),
                        new CertificateSettings(
                                BASE.resolve("d.pem"), "pkcs11:object=d", "/etc/malote/d.key")),
                valid(
                                """
                                [tls]
                                certificates = [
                                  { chain = "a.pem", key = "pkcs11:object=a" },
                                  { chain = "b.pem", key = "pkcs11:object=b", on-failure = "closed" },
                                  { chain = "c.pem", key = "pkcs11:object=c", fallback-key = "c.key" },
                                  { chain = "d.pem", key = "pkcs11:object=d", fallback-key = "d.key", on-failure = "fallback" },
                                ]
                                """)
                        .tls()
                        .certificates());
    }

    @Test
    void refusesAFallbackWithoutAFileAndAFileWithoutAFallback() {
        assertEquals(
                """
                malote.toml:3: on-failure = "fallback" needs the same key in a file; write fallback-key = "mx.key"
                malote.toml:4: with on-failure = "closed" nothing signs with fallback-key; take one of them away
                malote.toml:5: "on-failure" is one of closed, fallback, not "fall-back"; did you mean "fallback"?"""
                        .lines()
                        .collect(Collectors.joining("\n")),
                problems(
                        """
                        [tls]
                        certificates = [
                          { chain = "a.pem", key = "pkcs11:object=a", on-failure = "fallback" },
                          { chain = "b.pem", key = "pkcs11:object=b", on-failure = "closed", fallback-key = "b.key" },
                          { chain = "c.pem", key = "pkcs11:object=c", on-failure = "fall-back", fallback-key = "c.key" },
                        ]
                        """));
    }

    @Test
    void reportsEveryProblemAtOnceWithItsLine() {
        assertEquals(
                """
                malote.toml:1: unknown key "hostnme"; did you mean "hostname"?
                malote.toml:2: "state" is written as "/var/lib/malote", not 7
                malote.toml:4: "address" is missing; write address = "0.0.0.0:25"
                malote.toml:6: "tls" is one of none, starttls, implicit, not "startls"; did you mean "starttls"?
                malote.toml:9: two listeners are named "mx"; name each its own way
                malote.toml:10: "address" is written as "0.0.0.0:25", not "25"
                malote.toml:11: this listener must know its users: write users = "FILE" below [auth], with lines of malote password in the file
                malote.toml:15: "key" is missing; write key = "mx.key"
                malote.toml:16: "chain" is missing; write chain = "mx.pem"
                malote.toml:16: unknown key "chian" in [tls.certificates]; did you mean "chain"?
                malote.toml:20: "retry-first" is a duration such as "5m", from 1ms to 1d, not "soon"
                malote.toml:21: "free-space-reserve" is a size such as "512MiB", from 1MiB to 1024TiB, not "9KiB"
                malote.toml:24: "recipients-max" is a number from 100 to 10000, not 5
                malote.toml:26: "idle-timeout" is a duration such as "5m", from 1s to 1d, not "1ms"
                malote.toml:29: "networks" is written as "10.0.0.0/8", not "10.0.0.1/8"
                malote.toml:33: "via" is written as "lmtp:127.0.0.1:2003", not "lmtp:127.0.0.1"
                malote.toml:39: no mail comes to this route: a route above takes all of "b.example"
                malote.toml:42: the metrics and the status page are served on loopback alone, such as "127.0.0.1:9125", since they ask nobody for a password
                malote.toml:43: unknown key "adress" in [admin]; did you mean "address"?
                malote.toml:44: unknown key "zzzzzzzz" in [admin]"""
                        .lines()
                        .collect(Collectors.joining("\n")),
                problems(
                        """
                        hostnme = "mx1.isp.example"
                        state = 7

                        [[listener]]
                        name = "mx"
                        tls = "startls"

                        [[listener]]
                        name = "mx"
                        address = "25"
                        profile = "submission"

                        [tls]
                        certificates = [
                          { chain = "a.pem" },
                          { chian = "a.pem", key = "a.key" },
                        ]

                        [queue]
                        retry-first = "soon"
                        free-space-reserve = "9KiB"

                        [limits]
                        recipients-max = 5
                        # a comment = "with a key"
                        idle-timeout = "1ms"

                        [relay]
                        networks = ["127.0.0.0/8", "10.0.0.1/8"]

                        [[route]]
                        domain = "a.example"
                        via = "lmtp:127.0.0.1"
                        [[route]]
                        domain = "*"
                        via = "mx"

                        [[route]]
                        domain = "b.example"
                        via = "hold"
                        [admin]
                        address = "0.0.0.0:9125"
                        adress = "0.0.0.0:9125"
                        zzzzzzzz = 1
                        """));
    }

    /// Draft-weinman-amtp-03 §4.1, §4.2: ports are chosen, TLS comes first, and a code is a duty.
    /// While SRV records of before are still kept, both are asked for.
    @Test
    void amtpMayBeListenedForOnSeveralPorts() {
        String listener =
                """
                [[listener]]
                name    = "amtp-%1$d"
                address = "0.0.0.0:%1$d"
                profile = "amtp-public"
                trust   = ["federation-ca.pem"]
                """;
        assertEquals(
                List.of(24, 26),
                valid(listener.formatted(24) + listener.formatted(26)).listeners().stream()
                        .map(one -> one.address().getPort())
                        .toList());
    }

    @Test
    void readsListenersForAmtp() {
        Settings settings =
                valid(
                        """
                        [[listener]]
                        address = "0.0.0.0:25"
                        amtp    = "observe"

                        [[listener]]
                        name    = "amtp"
                        address = "0.0.0.0:24"
                        profile = "amtp-public"
                        trust   = ["federation-ca.pem", "system"]
                        rdns    = "ptr"

                        [[listener]]
                        name    = "customers"
                        address = "0.0.0.0:2424"
                        profile = "amtp-private"
                        trust   = ["isp-ca.pem"]
                        amtp    = "observe"
                        mpc     = "off"

                        [amtp]
                        strict-relay = false
                        deny         = "deny.list"
                        crls         = ["isp.crl"]
                        common-names = "never"
                        server-use   = false
                        """);
        var mx = settings.listeners().getFirst();
        assertEquals(
                new IdentitySettings(Dial.OBSERVE, List.of(), true, ReverseRule.FCRDNS),
                mx.identity());
        var amtp = settings.listeners().get(1);
        assertEquals(TlsMode.IMPLICIT, amtp.tls());
        assertEquals(Dial.ENFORCE, amtp.codes());
        assertEquals(
                new IdentitySettings(
                        Dial.ENFORCE,
                        List.of(BASE.resolve("federation-ca.pem")),
                        true,
                        ReverseRule.PTR),
                amtp.identity());
        var customers = settings.listeners().getLast();
        assertEquals(Dial.OFF, customers.codes());
        assertEquals(
                new IdentitySettings(
                        Dial.OBSERVE,
                        List.of(BASE.resolve("isp-ca.pem")),
                        false,
                        ReverseRule.UNASKED),
                customers.identity());
        assertEquals(
                new AmtpSettings(
                        false,
                        BASE.resolve("deny.list"),
                        List.of(BASE.resolve("isp.crl")),
                        CommonNames.NEVER,
                        false),
                settings.amtp());
        assertEquals(AmtpSettings.defaults(), valid("").amtp());
    }

    @Test
    void saysWhatIsWrongWithListenersForAmtp() {
        assertEquals(
                """
                malote.toml:1: a listener for AMTP says who may vouch for its peers; write trust = ["authorities.pem"], a PEM file
                malote.toml:4: AMTP is inside TLS from the first octet; write tls = "implicit", or leave it out
                malote.toml:9: the system's authorities vouch for everybody; name the one of your private network
                malote.toml:10: "rdns" is one of fcrdns, ptr, not "unasked"
                malote.toml:15: who a peer is shows inside TLS alone; write tls = "starttls"
                malote.toml:19: "trust" needs amtp = "observe" or "enforce"
                malote.toml:22: "deny" is written as "/etc/malote/deny", not 7
                malote.toml:23: "common-names" is one of private, always, never, not "public"
                malote.toml:24: unknown key "crl" in [amtp]; did you mean "crls"?"""
                        .lines()
                        .collect(Collectors.joining("\n")),
                problems(
                        """
                        [[listener]]
                        address = "[::]:24"
                        profile = "amtp-public"
                        tls     = "starttls"

                        [[listener]]
                        address = "[::]:2424"
                        profile = "amtp-private"
                        trust   = ["system"]
                        rdns    = "unasked"

                        [[listener]]
                        address = "[::]:25"
                        tls     = "none"
                        amtp    = "observe"

                        [[listener]]
                        address = "[::]:26"
                        trust   = ["a.pem"]

                        [amtp]
                        deny = 7
                        common-names = "public"
                        crl = ["a.crl"]
                        """));
    }

    @Test
    void readsWhoMaySubmitMail() {
        Settings settings =
                valid(
                        """
                        [[listener]]
                        name    = "submissions"
                        address = "[::]:465"
                        profile = "submission"
                        tls     = "implicit"

                        [[listener]]
                        address = "[::]:587"
                        profile = "submission"

                        [auth]
                        users      = "users"
                        mechanisms = ["scram-sha-256", "EXTERNAL"]
                        failures-per-session-max = 0
                        failures-per-network-max = 5
                        failure-window = "1h"
                        failure-delay  = "0s"
                        """);
        assertEquals(Profile.SUBMISSION, settings.listeners().getFirst().profile());
        assertEquals(TlsMode.STARTTLS, settings.listeners().getLast().tls());
        assertEquals(
                new AuthSettings(
                        BASE.resolve("users"),
                        Set.of(Mechanism.SCRAM_SHA_256, Mechanism.EXTERNAL),
                        0,
                        5,
                        Duration.ofHours(1),
                        Duration.ZERO),
                settings.auth());
        assertEquals(AuthSettings.defaults(), valid("").auth());
    }

    @Test
    void aListenerForUsersKnowsThemAndSpeaksTls() {
        assertEquals(
                """
                malote.toml:3: this listener must know its users: write users = "FILE" below [auth], with lines of malote password in the file
                malote.toml:4: users send their passwords here, so "tls" is "implicit" or "starttls"
                malote.toml:7: "mechanisms" is written as "PLAIN", not "CRAM-MD5"
                malote.toml:8: unknown key "user" in [auth]; did you mean "users"?"""
                        .lines()
                        .collect(Collectors.joining("\n")),
                problems(
                        """
                        [[listener]]
                        address = "[::]:587"
                        profile = "submission"
                        tls = "none"

                        [auth]
                        mechanisms = ["PLAIN", "CRAM-MD5"]
                        user = "users"
                        """));
        assertEquals(
                "malote.toml:2: \"mechanisms\" names one at least; leave it out for all",
                problems("[auth]\nmechanisms = []\n"));
    }

    @Test
    void readsWhichCodesAreTaken() {
        CodeSettings codes =
                valid(
                                """
                                [[listener]]
                                address = "[::]:25"
                                mpc     = "observe"

                                [mpc]
                                site    = "deny=*/optout"
                                domains = { "ISP.example" = "DENY com/* ALLOW com/confirmed", "bücher.example" = "ALLOW=*/individual" }
                                absent  = "refuse"
                                foreign-header = "keep"
                                [mpc.recipients]
                                "Ann.Lee@Isp.example" = "DENY=*/optin"
                                """)
                        .codes();
        assertEquals("DENY=*/optout", codes.site().text());
        assertEquals(Set.of("isp.example", "xn--bcher-kva.example"), codes.domains().keySet());
        assertEquals("[ann.lee@isp.example]", codes.recipients().keySet().toString());
        assertTrue(codes.isRequired());
        assertEquals(ForeignHeaders.KEEP, codes.foreignHeaders());
        assertEquals(Dial.OFF, valid("").listeners().getFirst().codes());
        assertEquals(CodeSettings.defaults(), valid("").codes());
    }

    @Test
    void saysWhichCodeIsNone() {
        assertEquals(
                """
                malote.toml:3: "mpc" is one of off, observe, enforce, not "enforced"; did you mean "enforce"?
                malote.toml:5: "optuot" is none of individual, autoresponse, customer, optout, optin, confirmed; did you mean "optout"?
                malote.toml:6: "absent" is one of allow, refuse, not "deny"
                malote.toml:7: unknown key "domain" in [mpc]; did you mean "domains"?
                malote.toml:9: "cmo" is none of per, com, ngo, net, gov, pol, mpc; did you mean "com"?
                malote.toml:10: "-b" is no domain such as isp.example
                malote.toml:12: the domain c.example is there twice
                malote.toml:13: "DENY=com" is no declaration; write ALLOW=role/class or DENY=role/class, with * for all roles or classes
                malote.toml:14: "ALLOWED" is no declaration; write ALLOW=role/class or DENY=role/class, with * for all roles or classes
                malote.toml:15: declarations have 1 to 501 characters, as an EHLO line holds; write "ALLOW=*/*" to deny nothing
                malote.toml:16: "f.example" is written as "DENY=*/optout", not 7
                malote.toml:18: "ann" is no address such as ann@isp.example
                malote.toml:20: the address bob@b.example is there twice""",
                problems(
                        """
                        [[listener]]
                        address = "[::]:25"
                        mpc = "enforced"
                        [mpc]
                        site = "DENY=*/optuot"
                        absent = "deny"
                        domain = {}
                        [mpc.domains]
                        "a.example" = "DENY=cmo/*"
                        "-b" = "DENY=com/*"
                        "c.example" = "DENY=ngo/*"
                        "C.example" = "DENY=com/*"
                        "d.example" = "DENY=com"
                        "e.example" = "ALLOWED com/*"
                        "g.example" = ""
                        "f.example" = 7
                        [mpc.recipients]
                        "ann" = "DENY=*/*"
                        "bob@b.example" = "DENY=*/*"
                        "BOB@b.example" = "DENY=*/*"
                        """));
    }

    /// A letter that is longer in lower case makes an address that is none.
    @Test
    void anAddressMustBeOneInLowerCaseToo() {
        String longest = "\u0130".repeat(32) + "@b.example";
        assertEquals(
                "malote.toml:2: \""
                        + Printable.escape(longest)
                        + "\" is no address such as ann@isp.example",
                problems("[mpc.recipients]\n\"" + longest + "\" = \"DENY=*/*\"\n"));
    }

    @Test
    void saysWhereTheTextIsNoToml() {
        String problem = problems("hostname = \"a.example\"\n\n[queue\n");
        assertTrue(problem.startsWith("malote.toml:3: this is not TOML: "), problem);
        problem = problems("state = \"a\"\nstate = \"b\"\n");
        assertTrue(problem.startsWith("malote.toml:2: this is not TOML: "), problem);
    }

    @Test
    void namesTheLineInsideMultiLineValues() {
        assertEquals(
                "malote.toml:5: \"networks\" is written as \"10.0.0.0/8\", not \"x\"",
                problems(
                        """
                        hostname = "a.example"
                        relay.networks = [
                          # "y"
                          "10.0.0.0/8",
                          "x"]
                        """));
    }

    @Test
    void networksOfSendersAreNamedOnceAndHaveAddresses() {
        assertEquals(
                """
                malote.toml:5: the name "one" is taken: choose another
                malote.toml:7: "addresses" names the networks: give one at least""",
                problems(
                        """
                        [[tls.network]]
                        name = "one"
                        addresses = ["192.0.2.0/24"]
                        [[tls.network]]
                        name = "one"
                        addresses = ["198.51.100.0/24"]
                        [[tls.network]]
                        name = "two"
                        """));
    }

    @Test
    void opensNoPathByAnAddressThatIsNoName() {
        for (String via :
                List.of(
                        "smtp:127.1:25",
                        "smtp:10.0.0.256",
                        "smtp:host:0",
                        "smtp:host:70000",
                        "lmtp::2003",
                        "smtp:",
                        "maildir:",
                        "mx:",
                        "hold:x",
                        "amtp:",
                        "amtp:hub.example",
                        "hybrid:hub.example:24",
                        "pop3:host",
                        "")) {
            assertTrue(
                    problems("[[route]]\ndomain = \"*\"\nvia = \"" + via + "\"\n")
                            .startsWith("malote.toml:3: \"via\" is written as "),
                    via);
        }
        assertEquals(
                new Via.Smtp("hub.example", 25),
                valid("[[route]]\ndomain = \"*\"\nvia = \"smtp:Hub.example\"\n")
                        .routes()
                        .routes()
                        .getFirst()
                        .via());
    }

    @Test
    void readsTheEmbeddedDefaultAsItIsPrinted() {
        Path here = Path.of("/srv/here");
        Settings settings = EmbeddedDefault.settings(here, HOSTNAME);
        assertEquals(
                settings,
                ((Result.Valid)
                                ConfigFile.parse(
                                        EmbeddedDefault.text(HOSTNAME),
                                        "saved.toml",
                                        here,
                                        new DomainName("other.example")))
                        .settings());
        assertEquals(
                List.of("127.0.0.1:2525", "127.0.0.1:2465"),
                settings.listeners().stream().map(l -> Units.format(l.address())).toList());
        assertEquals(
                new Via.Maildir("/srv/here/var/mail/{domain}/{local}"),
                settings.routes().routes().getFirst().via());
        assertEquals(Path.of("/srv/here/var/spool"), settings.queue().directory());
    }

    @Test
    void turnsTheAdministrationOff() {
        assertNull(valid("[admin]\nenabled = false\n").admin().address());
    }

    @Test
    void saysThatAFileIsNotThere(@TempDir Path directory) throws IOException {
        Path missing = directory.resolve("malote.toml");
        assertEquals(
                missing + ":1: there is no such file; name one with --config FILE",
                text(ConfigFile.read(missing, HOSTNAME)));
        Files.write(missing, new byte[] {'a', (byte) 0xff});
        assertEquals(
                missing + ":1: the file is not UTF-8 text",
                text(ConfigFile.read(missing, HOSTNAME)));
        Files.writeString(missing, "state = \"here\"\n");
        assertEquals(
                directory.resolve("here"),
                ((Result.Valid) ConfigFile.read(missing, HOSTNAME)).settings().state());
    }

    /// Whatever the text, the answer is settings or problems, each on a line that the text has.
    @Test
    void neverThrows() {
        List<String> pieces =
                List.of(
                        "hostname",
                        "state",
                        "listener",
                        "route",
                        "queue",
                        "tls",
                        "[",
                        "]",
                        "[[",
                        "]]",
                        "=",
                        "\"",
                        "\"\"\"",
                        "'",
                        "'''",
                        "{",
                        "}",
                        ",",
                        ".",
                        "#",
                        "\n",
                        "\n",
                        "\r\n",
                        " ",
                        "\\",
                        "1",
                        "-7",
                        "1e400",
                        "0x",
                        "9999999999999999999",
                        "true",
                        "inf",
                        "nan",
                        "2020-01-01",
                        "address",
                        "via",
                        "\"maildir:\\u0000\"",
                        "\"a.example\"",
                        "networks",
                        "\u0000",
                        "\ud800",
                        "é",
                        "certificates",
                        "\"5m\"",
                        "retry-first",
                        "domain",
                        "[[listener]]\n",
                        "[[route]]\n");
        RandomGenerator random = new SplittableRandom(25);
        for (int round = 0; round < 30_000; round++) {
            StringBuilder text = new StringBuilder();
            int count = random.nextInt(24);
            for (int i = 0; i < count; i++) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            long lines = text.chars().filter(c -> c == '\n').count() + 1;
            switch (ConfigFile.parse(text.toString(), "f", BASE, HOSTNAME)) {
                case Result.Valid _ -> {}
                case Result.Invalid(var problems) -> {
                    assertTrue(!problems.isEmpty());
                    for (Problem problem : problems) {
                        assertTrue(
                                problem.line() >= 1 && problem.line() <= lines,
                                () -> problem + " in " + text);
                    }
                }
            }
        }
        String deep = "a = " + "[".repeat(100_000);
        assertInstanceOf(Result.Invalid.class, ConfigFile.parse(deep, "f", BASE, HOSTNAME));
    }

    @Test
    void aSiteHasConnectionsAndARate() {
        Settings settings =
                valid(
                        """
                        hostname = "mx1.isp.example"
                        [[site]]
                        hosts = "*.Big.example"
                        connections-max = 7
                        rate = "90/m"
                        [[site]]
                        hosts = "slow.example"
                        """);
        assertEquals(
                List.of(
                        new SiteRule(
                                new DomainPattern("*.big.example"),
                                new SiteLimits(7, 1.5),
                                Terms.USUAL),
                        new SiteRule(
                                new DomainPattern("slow.example"),
                                SiteLimits.window(20),
                                Terms.USUAL)),
                settings.sites().rules());
        for (String rate : List.of("0/s", "20", "20/d", "-1/s", "1.5/s", "9999999/s")) {
            assertInstanceOf(
                    Result.Invalid.class,
                    ConfigFile.parse(
                            "[[site]]\nhosts = \"a.example\"\nrate = \"" + rate + "\"",
                            "f",
                            BASE,
                            HOSTNAME),
                    rate);
        }
    }

    @Test
    void aSiteHasItsTlsAndItsSource() {
        Settings settings =
                valid(
                        """
                        hostname = "mx1.isp.example"
                        [[source]]
                        name = "out1"
                        addresses = ["192.0.2.1", "2001:db8::1"]
                        hostname = "out1.isp.example"
                        certificates = [{ chain = "out1.pem", key = "pkcs11:object=out1" }]
                        [[source]]
                        name = "out2"
                        addresses = ["192.0.2.2"]
                        [delivery]
                        tls-authorities = "ours.pem"
                        source = "out2"
                        [[site]]
                        hosts = "bank.example"
                        tls = "verified"
                        tls-names = ["MX.bank.example", "192.0.2.9"]
                        source = "out1"
                        [[site]]
                        hosts = "*.public.example"
                        tls = "verified"
                        tls-authorities = ""
                        source = "system"
                        [[site]]
                        hosts = "old.example"
                        tls = "none"
                        """);
        Source out1 = settings.sources().getFirst();
        Source out2 = settings.sources().getLast();
        assertEquals("out1.isp.example", out1.heloName());
        assertEquals("mx1.isp.example", out2.heloName());
        assertEquals(
                List.of(
                        new CertificateSettings(
                                Path.of("/etc/malote/out1.pem"), "pkcs11:object=out1")),
                out1.certificates());
        assertEquals(
                List.of("192.0.2.1", "2001:db8:0:0:0:0:0:1"),
                out1.addresses().stream().map(InetAddress::getHostAddress).toList());
        assertEquals(
                List.of(
                        new Terms(
                                new TlsPolicy(
                                        TlsUse.VERIFIED,
                                        Path.of("/etc/malote/ours.pem"),
                                        List.of("mx.bank.example", "192.0.2.9")),
                                out1),
                        new Terms(new TlsPolicy(TlsUse.VERIFIED, null, List.of()), null),
                        new Terms(new TlsPolicy(TlsUse.NONE, null, List.of()), out2)),
                settings.sites().rules().stream()
                        .map(SiteRule::terms)
                        .map(terms -> new Terms(terms.tls(), terms.source()))
                        .toList());
        assertEquals(
                new Terms(
                        TlsPolicy.OPPORTUNISTIC,
                        out2,
                        new Terms(
                                new TlsPolicy(
                                        TlsUse.AMTP, Path.of("/etc/malote/ours.pem"), List.of()),
                                out2)),
                settings.sites().usual().terms());
    }

    @Test
    void amtpHasItsRoutesItsAuthoritiesAndItsSource() {
        Settings settings =
                valid(
                        """
                        [[source]]
                        name = "out1"
                        addresses = ["192.0.2.1"]
                        certificates = [{ chain = "out1.pem", key = "out1.key" }]
                        [[source]]
                        name = "out2"
                        addresses = ["192.0.2.2"]
                        [delivery]
                        source = "out2"
                        [amtp]
                        source = "out1"
                        authorities = "federation.pem"
                        code-for-unknown = "per/individual"
                        quit-on-deny = true
                        strict-relay = false
                        [[route]]
                        domain = "a.example"
                        via = "amtp"
                        [[route]]
                        domain = "b.example"
                        via = "hybrid"
                        [[route]]
                        domain = "c.example"
                        via = "amtp:Hub.example:2424"
                        [[site]]
                        hosts = "a.example"
                        tls = "verified"
                        tls-names = ["mx.a.example"]
                        [[site]]
                        hosts = "b.example"
                        source = "out2"
                        """);
        assertEquals(
                List.of(new Via.Amtp(), new Via.Hybrid(), new Via.AmtpHost("hub.example", 2424)),
                settings.routes().routes().stream().map(Route::via).toList());
        assertEquals(
                new AmtpSending(
                        true, new MailPolicyCode(CodeRole.PER, CodeClass.INDIVIDUAL), false),
                settings.delivery().amtp());
        Source out1 = settings.sources().getFirst();
        Path federation = Path.of("/etc/malote/federation.pem");
        assertEquals(
                new Terms(new TlsPolicy(TlsUse.AMTP, federation, List.of()), out1),
                settings.sites().usual().terms().forAmtp());
        assertEquals(
                new Terms(new TlsPolicy(TlsUse.AMTP, federation, List.of("mx.a.example")), out1),
                settings.sites().rules().getFirst().terms().forAmtp());
        assertEquals(
                settings.sources().getLast(),
                settings.sites().rules().getLast().terms().forAmtp().source());
    }

    @Test
    void amtpNeedsACertificateOfOurs() {
        String text =
                """
                malote.toml:3: AMTP needs a certificate of ours: give a [[source]] "certificates", and name it with "source" in [amtp]
                """
                        .strip();
        for (String via : List.of("amtp", "hybrid", "amtp:hub.example:24")) {
            assertEquals(
                    text, problems("[[route]]\ndomain = \"a.example\"\nvia = \"" + via + "\"\n"));
        }
        assertEquals(
                """
                malote.toml:2: "code-for-unknown" is written as "per/individual", not "per/optional"
                """
                        .strip(),
                problems("[amtp]\ncode-for-unknown = \"per/optional\"\n"));
    }

    @Test
    void whatIsWrongWithSourcesAndTlsIsSaid() {
        assertEquals(
                """
                malote.toml:3: "addresses" has an IPv4 address, an IPv6 address, or one of each; write addresses = ["192.0.2.1"]
                malote.toml:5: the name "system" is taken: choose another
                malote.toml:6: "addresses" has an IPv4 address, an IPv6 address, or one of each; write addresses = ["192.0.2.1"]
                malote.toml:6: "addresses" is written as "192.0.2.1", not "0.0.0.0"
                malote.toml:12: "tls" is one of none, opportunistic, required, verified, not "verifed"; did you mean "verified"?
                malote.toml:13: "source" is one of system, out, not "uot"; did you mean "out"?
                malote.toml:17: "tls-names" needs tls = "verified"
                malote.toml:18: "tls-authorities" needs tls = "verified"
                """
                        .stripTrailing(),
                problems(
                        """
                        [[source]]
                        name = "two"
                        addresses = ["192.0.2.1", "192.0.2.2"]
                        [[source]]
                        name = "system"
                        addresses = ["0.0.0.0"]
                        [[source]]
                        name = "out"
                        addresses = ["192.0.2.3"]
                        [[site]]
                        hosts = "a.example"
                        tls = "verifed"
                        source = "uot"
                        [[site]]
                        hosts = "b.example"
                        tls = "required"
                        tls-names = ["b.example"]
                        tls-authorities = "b.pem"
                        """));
    }

    /// core/malote.toml is the operator's reference.
    @Test
    void theReferenceHasEveryKeyWithItsDefault() throws IOException {
        String reference = Files.readString(Path.of("malote.toml"));
        assertEquals(valid("hostname = \"mx1.isp.example\""), valid(reference));
        Notes notes = new Notes("malote.toml", Lines.of(reference));
        var _ =
                new ConfigFile(BASE, HOSTNAME)
                        .settings(Section.root(new TomlMapper().readTree(reference), notes));
        // There are none by default.
        assertEquals(Set.of("tls.network", "route", "site", "source"), notes.unsaid());
    }

    private static Settings valid(String text) {
        return switch (ConfigFile.parse(text, "malote.toml", BASE, HOSTNAME)) {
            case Result.Valid(Settings settings) -> settings;
            case Result.Invalid(var problems) -> throw new AssertionError(problems.toString());
        };
    }

    private static String problems(String text) {
        return text(ConfigFile.parse(text, "malote.toml", BASE, HOSTNAME));
    }

    private static String text(Result result) {
        return ((Result.Invalid) result)
                .problems().stream().map(Problem::toString).collect(Collectors.joining("\n"));
    }
}
