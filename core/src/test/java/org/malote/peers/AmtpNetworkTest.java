package org.malote.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Two servers in network namespaces of their own, with a name server between them (unbound), and a
/// third host that speaks SMTP alone: AMTP as an operator has it, with nothing scripted.
///
/// The addresses are of TEST-NET-2 (RFC 5737), on a bridge that no other namespace reaches.
@Tag("peers")
@Tag("namespaces")
final class AmtpNetworkTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String OUT = "198.51.100.7";
    private static final String MX = "198.51.100.8";
    private static final String THIRD = "198.51.100.9";
    private static final String DNS = "198.51.100.53";

    /// Of the peer that is tried by hand: a name for each of its addresses, but for the last.
    private static final String PEER = "198.51.100.20";

    private static final String MISNAMED = "198.51.100.21";
    private static final String NAMELESS = "198.51.100.22";
    private static final String DENIED = "198.51.100.23";

    private static final AutoCloseables open = new AutoCloseables();
    private static final String id = "m" + ProcessHandle.current().pid();
    private static Folder folder;
    private static MaloteServer a;
    private static MaloteServer b;

    /// Closed in the reverse order of their opening.
    private static final class AutoCloseables {
        private final List<AutoCloseable> list = new ArrayList<>();

        <T extends AutoCloseable> T add(T one) {
            list.add(one);
            return one;
        }

        void close() throws Exception {
            for (AutoCloseable one : list.reversed()) {
                one.close();
            }
        }
    }

    @BeforeAll
    static void start() {
        folder = open.add(Folder.create());
        certificates();
        network();
        open.add(Child.start("unbound", folder.path(), in("dns", "unbound", "-d", "-c", zones())));
        a = open.add(server("a", OUT, "out.a.test", "b.test", ""));
        b = open.add(server("b", MX, "mx.b.test", "a.test", "site = \"DENY=com/optout\""));
    }

    @AfterAll
    static void end() throws Exception {
        open.close();
    }

    private static void certificates() {
        shell(
                """
                key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out $1.key; }
                authority() { key $1; openssl req -x509 -key $1.key -days 2 -subj /CN=$1 -out $1.pem; }
                leaf() { # file, name, authority, days
                    key $1
                    openssl req -new -key $1.key -subj /CN=$2 -addext subjectAltName=DNS:$2 |
                        openssl x509 -req -CA $3.pem -CAkey $3.key -copy_extensions copy -days $4 -out $1.pem
                }
                authority federation
                authority stranger
                leaf a out.a.test federation 2
                leaf b mx.b.test federation 2
                leaf peer peer.test federation 2
                leaf denied denied.test federation 2
                leaf expired peer.test federation -1
                leaf foreign peer.test stranger 2
                echo "key $(openssl pkey -in denied.key -pubout -outform DER | sha256sum | cut -d' ' -f1)" > deny
                """);
    }

    /// A bridge in the namespace of the name server, and a cable to it from each of the others.
    private static void network() {
        for (String name : List.of("dns", "a", "b", "third")) {
            shell("ip netns add " + id + name + " && ip -n " + id + name + " link set lo up");
            open.add(() -> shell("ip netns del " + id + name));
        }
        shell(
                "ip -n %sdns link add br0 type bridge && ip -n %sdns link set br0 up"
                        .formatted(id, id));
        shell("ip -n %sdns addr add %s/24 dev br0".formatted(id, DNS));
        cable("a", OUT, PEER, MISNAMED, NAMELESS, DENIED);
        cable("b", MX);
        cable("third", THIRD);
    }

    private static void cable(String name, String... addresses) {
        shell(
                """
                ip -n IDNAME link add eth0 type veth peer name NAME netns IDdns
                ip -n IDdns link set dev NAME master br0 up
                ip -n IDNAME link set dev eth0 up
                """
                        .replace("ID", id)
                        .replace("NAME", name));
        for (String address : addresses) {
            shell("ip -n %s%s addr add %s/24 dev eth0".formatted(id, name, address));
        }
    }

    private static String zones() {
        StringBuilder text = new StringBuilder();
        text.append(
                """
                server:
                  interface: DNS
                  access-control: 0.0.0.0/0 allow
                  username: ""
                  chroot: ""
                  directory: "FOLDER"
                  pidfile: ""
                  use-syslog: no
                  do-ip6: no
                  module-config: "iterator"
                  local-zone: "test." static
                  local-zone: "100.51.198.in-addr.arpa." static
                """
                        .replace("DNS", DNS)
                        .replace("FOLDER", folder.path().toString()));
        host(text, "out.a.test", OUT);
        host(text, "mx.b.test", MX);
        host(text, "third.test", THIRD);
        host(text, "peer.test", PEER);
        host(text, "denied.test", DENIED);
        text.append("  local-data-ptr: \"" + MISNAMED + " other.test\"\n");
        text.append("  local-data: \"other.test. A " + MISNAMED + "\"\n");
        for (String record :
                List.of(
                        "a.test. MX 10 out.a.test.",
                        "_amtp._tcp.a.test. SRV 0 0 2424 out.a.test.",
                        "b.test. MX 10 mx.b.test.",
                        "_amtp._tcp.b.test. SRV 0 0 2424 mx.b.test.",
                        "closed.test. MX 10 mx.b.test.",
                        "_amtp._tcp.closed.test. SRV 0 0 2499 mx.b.test.",
                        "local.test. MX 10 third.test.",
                        "hybrid.test. MX 10 mx.b.test.",
                        "_amtp._tcp.hybrid.test. SRV 0 0 2424 mx.b.test.")) {
            text.append("  local-data: \"" + record + "\"\n");
        }
        text.append("remote-control:\n  control-enable: no\n");
        return folder.write("unbound.conf", text.toString()).toString();
    }

    private static void host(StringBuilder text, String name, String address) {
        text.append("  local-data: \"" + name + ". A " + address + "\"\n");
        text.append("  local-data-ptr: \"" + address + " " + name + "\"\n");
    }

    private static MaloteServer server(
            String name, String address, String hostname, String other, String site) {
        String toml =
                """
                hostname = "HOSTNAME"
                state = "NAME.state"
                [[listener]]
                name = "users"
                address = "127.0.0.1:2525"
                mpc = "observe"
                [[listener]]
                name = "mx"
                address = "ADDRESS:25"
                amtp = "observe"
                trust = ["federation.pem"]
                [[listener]]
                name = "amtp"
                address = "ADDRESS:2424"
                profile = "amtp-public"
                trust = ["federation.pem"]
                [tls]
                certificates = [{ chain = "NAME.pem", key = "NAME.key" }]
                [amtp]
                deny = "deny"
                source = "out"
                authorities = "federation.pem"
                [mpc]
                SITE
                [[source]]
                name = "out"
                addresses = ["ADDRESS"]
                hostname = "HOSTNAME"
                certificates = [{ chain = "NAME.pem", key = "NAME.key" }]
                [delivery]
                source = "out"
                [[route]]
                domain = "NAME.test"
                via = "maildir:NAME.mail/{domain}/{local}"
                [[route]]
                domain = "OTHER"
                via = "amtp"
                [[route]]
                domain = "local.test"
                via = "hybrid"
                HYBRID
                [dns]
                servers = ["DNS:53"]
                [admin]
                enabled = false
                [queue]
                retry-first = "1s"
                retry-max = "2s"
                """
                        .replace(
                                "HYBRID",
                                List.of("closed.test", "hybrid.test").stream()
                                        .map(
                                                domain ->
                                                        "[[route]]\ndomain = \""
                                                                + domain
                                                                + "\"\nvia = \""
                                                                + (name.equals("a")
                                                                        ? "hybrid"
                                                                        : "maildir:b.mail/{domain}/{local}")
                                                                + "\"\n")
                                        .reduce("", String::concat))
                        .replace("HOSTNAME", hostname)
                        .replace("ADDRESS", address)
                        .replace("OTHER", other)
                        .replace("NAME", name)
                        .replace("SITE", site)
                        .replace("DNS", DNS);
        Path _ = folder.write(name + ".toml", toml);
        return MaloteServer.startBy(in(name), folder, toml);
    }

    // ---- what is tried ----

    @Test
    void mailGoesByAmtpBothWays() {
        send("a", "ann@a.test", "bob@b.test", "per/individual");
        String there = arrived("b", "b.test/bob");
        assertTrue(there.contains("\nMPC: per/individual\n"), there);
        assertTrue(there.contains("X-AMTP-Trust: 4\n"), there);
        assertTrue(there.contains("policy.amtp-id=out.a.test policy.amtp-net=public"), there);
        send("b", "bob@b.test", "ann@a.test", "com/individual");
        String back = arrived("a", "a.test/ann");
        assertTrue(back.contains("\nMPC: com/individual\n"), back);
        assertTrue(back.contains("X-AMTP-Trust: 4\n"), back);
    }

    /// Before MAIL, by what EHLO has announced; nothing goes by the MX host.
    @Test
    void aDeniedClassComesBackWithoutSmtp() {
        send("a", "list@a.test", "all@hybrid.test", "com/optout");
        String bounce = arrived("a", "a.test/list");
        assertTrue(bounce.contains("Status: 5.7.1"), bounce);
        assertEquals(List.of(), Maildirs.messages(folder.path().resolve("b.mail/hybrid.test/all")));
        assertFalse(b.log().contains("to=<all@hybrid.test>"), b::log);
    }

    @Test
    void whatCannotConnectGoesByMxOnAHybridRoute() {
        send("a", "ann@a.test", "carl@closed.test", "per/individual");
        String there = arrived("b", "closed.test/carl");
        assertTrue(there.contains("X-AMTP-Trust: 3\n"), there);
        send("a", "ann@a.test", "dora@hybrid.test", "per/individual");
        assertTrue(arrived("b", "hybrid.test/dora").contains("X-AMTP-Trust: 4\n"));
    }

    @Test
    void aHostThatSpeaksSmtpAloneIsServedAndScored() {
        try (PostfixServer postfix =
                PostfixServer.startIn(
                        in("third"), folder, Certificate.make(folder), "[" + MX + "]:25")) {
            run("third", "smtp-source", "-f", "x@local.test", "-t", "eve@b.test", "127.0.0.1:25");
            String there = arrived("b", "b.test/eve");
            assertTrue(there.contains("from postfix.test"), there);
            // TLS, and a name that its address confirms; no certificate.
            assertTrue(there.contains("X-AMTP-Trust: 1\n"), there);
            assertTrue(there.contains("iprev=pass"), there);
            assertTrue(there.contains("x-amtp=none"), there);

            // It has no SRV record: the hybrid route goes by its MX record.
            send("a", "ann@a.test", "box@local.test", "per/individual");
            byte[] here = Maildirs.await(postfix.maildir(), 1, LIMIT).getFirst();
            String text = new String(here, StandardCharsets.ISO_8859_1);
            assertTrue(text.contains("from out.a.test"), text);
            assertTrue(text.contains("MPC: per/individual"), text);
        }
    }

    @Test
    void whoIsNotWhoItSaysIsRefused() {
        assertReply("250", PEER, "peer", "EHLO peer.test");
        assertReply("504", PEER, "peer", "EHLO other.test");
        assertReply("504", MISNAMED, "peer", "EHLO peer.test");
        assertReply("504", NAMELESS, "peer", "EHLO peer.test");
        assertReply("504", PEER, "expired", "EHLO peer.test");
        assertReply("504", PEER, "foreign", "EHLO peer.test");
        assertReply("504", DENIED, "denied", "EHLO denied.test");
        assertReply("504", PEER, "peer", "HELO peer.test");
        assertReply("504", PEER, "", "EHLO peer.test");
        assertReply("501", PEER, "peer", "EHLO [" + PEER + "]");
    }

    private static void assertReply(String code, String from, String certificate, String line) {
        String reply = reply(from, certificate, line);
        assertTrue(reply.startsWith(code), () -> line + " as " + certificate + ": " + reply);
    }

    /// What an administrator would type, by OpenSSL's client.
    ///
    /// @return the first line of the reply
    private static String reply(String from, String certificate, String line) {
        String shown =
                certificate.isEmpty()
                        ? ""
                        : "-cert %s.pem -key %s.key".formatted(certificate, certificate);
        String output =
                shellIn(
                        "a",
                        """
                        (sleep 1; printf '%s\\r\\n'; sleep 1; printf 'QUIT\\r\\n'; sleep 1) |
                            timeout 30 openssl s_client -quiet -no_ign_eof -connect %s:2424 -bind %s:0 \
                                -CAfile federation.pem %s 2>/dev/null || true
                        """
                                .formatted(line, MX, from, shown));
        assertTrue(output.startsWith("220 mx.b.test"), output);
        return output.lines().skip(1).findFirst().orElse("");
    }

    /// SIGHUP; a file that cannot be read leaves the list of before.
    @Test
    void theDenyListIsReadAgain() {
        String before = shellIn("b", "cat deny");
        folder.write("deny", before + "name peer.test\n");
        hangUp();
        Await.until(LIMIT, () -> isRefused("peer.test"), b::log);
        folder.write("deny", "nobody knows\n");
        hangUp();
        Await.until(LIMIT, () -> b.log().contains("deny line 1"), b::log);
        assertTrue(isRefused("peer.test"));
        folder.write("deny", before);
        hangUp();
        Await.until(LIMIT, () -> !isRefused("peer.test"), b::log);
    }

    /// SIGHUP, for the side that sends: whom it believes, and what it says of mail without a code.
    /// A
    /// file that is not there leaves what was in force.
    @Test
    void whatIsAskedOfHostsIsReadAgain() {
        String before = shellIn("b", "cat malote.toml");
        String believed = "authorities = \"federation.pem\"";
        folder.write("malote.toml", before.replace(believed, "authorities = \"gone.pem\""));
        hangUp();
        Await.until(LIMIT, () -> b.log().contains("gone.pem does not exist"), b::log);
        send("b", "bob@b.test", "gina@a.test", "per/individual");
        assertTrue(arrived("a", "a.test/gina").contains("X-AMTP-Trust: 4\n"));

        folder.write("malote.toml", before.replace(believed, "authorities = \"stranger.pem\""));
        hangUp();
        Await.until(LIMIT, () -> b.log().contains("the rules for sites changed"), b::log);
        send("b", "bob@b.test", "hank@a.test", "per/individual");
        Await.until(LIMIT, () -> b.log().contains("cause=untrusted"), b::log);
        assertEquals(List.of(), Maildirs.messages(folder.path().resolve("a.mail/a.test/hank")));

        folder.write(
                "malote.toml",
                before.replace(believed, believed + "\ncode-for-unknown = \"com/customer\""));
        hangUp();
        assertTrue(arrived("a", "a.test/hank").contains("\nMPC: per/individual\n"));
        send("b", "bob@b.test", "iris@a.test", "");
        assertTrue(arrived("a", "a.test/iris").contains("\nMPC: com/customer\n"));
        folder.write("malote.toml", before);
        hangUp();
    }

    private static void hangUp() {
        shell("kill -HUP " + b.pid());
    }

    private static boolean isRefused(String name) {
        return reply(PEER, "peer", "EHLO " + name).startsWith("504");
    }

    /// What the tools say.
    @Test
    void thePeerIsProbedListedAndAPolicySuggested() {
        String found = malote("a", "amtp", "probe", "b.test", "--config", "a.toml");
        assertTrue(found.contains("mx.b.test"), found);
        assertTrue(found.contains("com/optout"), found);
        send("a", "ann@a.test", "frank@b.test", "per/individual");
        String _ = arrived("b", "b.test/frank");
        assertTrue(
                b.log()
                        .lines()
                        .anyMatch(
                                line ->
                                        line.contains("accepted")
                                                && line.contains("operator=out.a.test")
                                                && line.contains("issuer=CN=federation")
                                                && line.contains("verdict=verified")),
                b::log);
        String peers = malote("b", "amtp", "peers", "--config", "b.toml");
        assertTrue(peers.contains("out.a.test"), peers);
        assertTrue(malote("b", "amtp", "suggest", "--config", "b.toml").contains("[mpc]"));
    }

    // ---- the means ----

    private static void send(String from, String sender, String recipient, String code) {
        run(
                from,
                "python3",
                "-c",
                """
                import smtplib, sys
                s = smtplib.SMTP("127.0.0.1", 2525)
                s.ehlo("user.test")
                for verb, reply in (
                    ("mail", s.mail(sys.argv[1], ["XMPC=" + sys.argv[3]] if sys.argv[3] else [])),
                    ("rcpt", s.rcpt(sys.argv[2])),
                    ("data", s.data("Subject: x\\r\\n\\r\\nx\\r\\n")),
                ):
                    assert reply[0] == 250, (verb, reply)
                s.quit()
                """,
                sender,
                recipient,
                code);
    }

    private static String arrived(String server, String box) {
        Path maildir = folder.path().resolve(server + ".mail").resolve(box);
        try {
            byte[] message = Maildirs.await(maildir, 1, LIMIT).getFirst();
            return new String(message, StandardCharsets.ISO_8859_1)
                    .replace("\r\n", "\n")
                    .replaceAll("\n[ \t]+", " "); // unfolded
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + a.log() + "\n" + b.log(), e);
        }
    }

    private static String malote(String namespace, String... arguments) {
        List<String> command = new ArrayList<>(MaloteServer.malote(List.of()));
        command.addAll(List.of(arguments));
        return Child.run(
                "malote", folder.path(), LIMIT, in(namespace, command.toArray(String[]::new)));
    }

    private static List<String> in(String namespace, String... command) {
        List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", id + namespace));
        whole.addAll(List.of(command));
        return whole;
    }

    private static void run(String namespace, String... command) {
        String _ = Child.run(command[0], folder.path(), LIMIT, in(namespace, command));
    }

    private static String shellIn(String namespace, String script) {
        return Child.run("sh", folder.path(), LIMIT, in(namespace, "bash", "-c", script));
    }

    private static void shell(String script) {
        String _ =
                Child.run(
                        "sh",
                        folder.path(),
                        LIMIT,
                        List.of("bash", "-euo", "pipefail", "-c", script));
    }
}
