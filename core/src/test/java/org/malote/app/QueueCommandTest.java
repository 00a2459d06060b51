package org.malote.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.admin.JsonLines;
import org.malote.admin.ServedQueue;
import org.malote.app.TestScreen.Terminal;
import org.malote.queue.ClaimedRecipient;
import org.malote.queue.MessageId;
import org.malote.queue.Settlement;

/// The queue's commands as they are typed, with what they print.
final class QueueCommandTest {
    @TempDir Path directory;

    private ServedQueue served;
    private Path config;
    private final List<MessageId> ids = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        served = ServedQueue.open(directory.resolve("state"));
        config =
                Files.writeString(
                        directory.resolve("malote.toml"),
                        "hostname = \"mx.example\"\nstate = \"state\"\n");
    }

    @AfterEach
    void stop() {
        served.close();
    }

    // ---- list ----

    @Test
    void listsMessagesWithTheirRecipients() {
        assertEquals("0 the queue is empty\n", run("list"));
        fill();
        assertEquals(
                """
                0 ID             SIZE    AGE  FROM
                  STATE     NEXT            TO
                AAAAAAAAA      11 B  1h30m  <boss@shop.example>
                  waiting   now             <one@isp.example>
                                              (450 4.2.2 full)
                  held      by operator     <two@other.example>
                BBBBBBBBB   4.9 KiB     5m  <>
                  waiting   now             <three@isp.example>
                3 recipients of 2 messages
                """,
                run("list"));
    }

    /// Two messages. The first has a recipient that is deferred, one that is held, and one that is
    /// delivered.
    private void fill() {
        append(
                "boss@shop.example",
                "Subject: 1\n",
                "one@isp.example",
                "two@other.example",
                "done@isp.example");
        for (int i = 0; i < 2; i++) {
            served.attempt(QueueCommandTest::mixed);
        }
        assertEquals(
                "0 held 1 recipient of 1 message\n",
                run("hold", "--recipient", "two@*", "--sender", "boss@*"));
        served.advance(Duration.ofMinutes(85));
        append("", "x".repeat(5000), "three@isp.example");
        served.advance(Duration.ofMinutes(5));
    }

    private static Settlement mixed(ClaimedRecipient recipient) {
        String address = recipient.recipient().address();
        return address.startsWith("done")
                ? new Settlement.Delivered(recipient.index(), "250 ok")
                : new Settlement.Deferred(
                        recipient.index(), 0, address.startsWith("one") ? "450 4.2.2 full" : "");
    }

    private MessageId append(String sender, String body, String... recipients) {
        MessageId id = served.append(sender, body, recipients);
        ids.add(id);
        return id;
    }

    @Test
    void listsThoseRecipientsThatAreAskedFor() {
        fill();
        assertEquals(
                """
                0 ID             SIZE    AGE  FROM
                  STATE     NEXT            TO
                AAAAAAAAA      11 B  1h30m  <boss@shop.example>
                  delivered                 <done@isp.example>
                                              (250 ok)
                1 recipient of 1 message
                """,
                run("list", "--state", "delivered"));
        assertEquals("0 2\n", run("list", "--domain", "ISP.example", "--count"));
        assertEquals("0 1\n", run("list", "--older-than", "6m", "--count"));
        assertEquals("0 1\n", run("list", "--younger-than", "6m", "--count"));
        assertEquals("0 1\n", run("list", "--sender", "", "--count"));
        assertEquals("0 1\n", run("list", "--reply", "FULL", "--count"));
        assertEquals(
                "0 {\"messages\":2,\"recipients\":2}\n",
                run("list", "--domain", "isp.example", "--count", "--json"));
        assertEquals("0 no such message is in the queue\n", run("list", "--domain", "none"));
        assertTrue(run("list", "--limit", "1").endsWith("of 1 message, as limited\n"));
    }

    @Test
    void listsAsJson() {
        fill();
        String[] lines = run("list", "--json").split("\n", -1);
        assertEquals(3, lines.length);
        assertTrue(lines[0].startsWith("0 {\"id\":\"AAAAAAAAA\","), lines[0]);
        assertTrue(
                lines[0].contains("\"recipients\":[{\"address\":\"one@isp.example\","), lines[0]);
        assertTrue(lines[0].endsWith("\"lastReply\":\"\"}]}"), lines[0]);
        assertTrue(lines[1].contains("\"sender\":\"\","), lines[1]);
        assertEquals("", lines[2]);
        assertEquals("0 ", run("list", "--json", "--sender", "nobody"));
    }

    @Test
    void strangersCannotWriteOnTheTerminal() {
        append("\u001b]0;owned\u0007@b.example", "S: \u001b[2J\r\n", "\u009b2J\u202e@isp.example");
        served.defer("450 \r\n\u001b[2J \u65e5");
        append("a@b.example", "x\r\n", "a@b.example");
        for (String[] command :
                new String[][] {
                    {"list"},
                    {"list", "--json"},
                    {"show", "AAAAAAAAA"},
                    {"show", "AAAAAAAAA", "--json"},
                    {"show", "AAAAAAAAA", "--body"},
                    {"shape"},
                    {"hold", "--all", "--dry-run"},
                    {"list", "--state", "\u001b[2J"},
                    {"hold", "\u001b[2J"},
                    {"suspend", "\u001b[2J"},
                }) {
            TestScreen screen = new TestScreen(served.clock()).with(Terminal.OUT, Terminal.ERR);
            String text = runOn(screen, command) + screen.err();
            assertEquals(
                    0,
                    text.chars()
                            .filter(c -> c != '\n' && (Character.isISOControl(c) || c == 0x202e))
                            .count(),
                    text);
        }
        assertTrue(run("list").contains("<\\x1b]0;owned\\x07@b.example>"));
        assertTrue(run("list").contains("(450 \\x0d\\x0a\\x1b[2J \u65e5)"));
    }

    @Test
    void breaksRepliesOnATerminalAlone() {
        append("a@b.example", "x\r\n", "a@b.example");
        served.defer("450 4.7.1 " + "greylisted ".repeat(9).strip());
        assertTrue(run("list").contains("greylisted greylisted)\n"));
        TestScreen screen = new TestScreen(served.clock()).with(Terminal.OUT);
        String text = runOn(screen, "list");
        assertTrue(text.lines().allMatch(line -> line.length() <= 82), text);
        assertTrue(text.contains("\n" + " ".repeat(30) + "greylisted"), text);
    }

    @Test
    void stopsQuietlyWhenNobodyReads() {
        append("a@b.example", "x\r\n", "a@b.example");
        TestScreen gone = new TestScreen(served.clock()).into(failing("Broken pipe"));
        assertEquals("141 ", runOn(gone, "list"));
        assertEquals("", gone.err());
        TestScreen full = new TestScreen(served.clock()).into(failing("No space left on device"));
        assertEquals("1 ", runOn(full, "list"));
        assertEquals("malote: the output cannot be written: No space left on device\n", full.err());
    }

    private static OutputStream failing(String reason) {
        return new OutputStream() {
            @Override
            public void write(int octet) throws IOException {
                throw new IOException(reason);
            }
        };
    }

    // ---- shape ----

    @Test
    void showsTheShapeOfTheQueue() {
        assertEquals(
                "0 T 5 10 20 40 80 160 320 640 1280 1280+\n0 0  0  0  0  0   0   0   0    0     0  TOTAL\n",
                run("shape"));
        fill();
        append("a@b.example", "x\r\n", "x@\u65e5.example");
        run("suspend", "isp.example");
        assertEquals(
                """
                0 T 5 10 20 40 80 160 320 640 1280 1280+
                4 1  1  0  0  0   2   0   0    0     0  TOTAL
                2 -  1  -  -  -   1   -   -    -     -  isp.example (suspended)
                1 -  -  -  -  -   1   -   -    -     -  other.example
                1 1  -  -  -  -   -   -   -    -     -  \u65e5.example
                """,
                run("shape"));
        assertEquals(
                """
                0 T 5 10 20 40 80 160 320 640 1280 1280+
                4 1  1  0  0  0   2   0   0    0     0  TOTAL
                2 -  1  -  -  -   1   -   -    -     -  isp.example (suspended)
                2 1  -  -  -  -   1   -   -    -     -  2 others
                """,
                run("shape", "--rows", "1"));
        assertEquals(
                "0 {\"destination\":\"other.example\",\"total\":1,\"ages\":[0,0,0,0,0,1,0,0,0,0]}\n",
                run("shape", "--state", "held", "--json"));
    }

    // ---- show ----

    @Test
    void showsOneMessage() {
        append(
                "boss@shop.example",
                "Subject: a\u001bb\r\nTo: you\r\n\r\nhello\r\n",
                "one@isp.example");
        served.defer("450 4.2.2 full");
        served.advance(Duration.ofMinutes(5));
        String accepted = served.clock().instant().minus(Duration.ofMinutes(5)).toString();
        assertEquals(
                """
                0 id        AAAAAAAAA
                from      <boss@shop.example>
                size      32 bytes
                accepted  %s, 5m ago
                client    192.0.2.1
                to        <one@isp.example>
                  state   waiting, next in 55m, 1 attempt
                  reply   450 4.2.2 full

                Subject: a\\x1bb
                To: you

                """
                        .formatted(accepted),
                run("show", "AAAAAAAAA"));
        assertTrue(
                run("show", "AAAAAAAAA", "--json")
                        .endsWith(
                                "}],\"header\":\"Subject: a\\u001Bb\\r\\nTo: you\\r\\n\\r\\n\"}\n"));
        assertEquals("0 held 1 message\n", run("hold", "AAAAAAAAA"));
        assertTrue(run("show", "AAAAAAAAA").contains("\n  state   held by operator, 1 attempt\n"));
        assertEquals(
                "1 malote: message 5 is not in the queue; see malote queue list\n",
                run("show", "5"));
    }

    /// What an operator reads who has to complain to somebody: the attributes as they are kept when
    /// a message comes from a peer whose identity was looked at.
    @Test
    void showsWhoTheOperatorOfThePeerIs() {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("mpc", "com/optout");
        attributes.put("amtp.network", "public");
        attributes.put("amtp.operator", "out1.peer.example");
        attributes.put("amtp.issuer", "CN=Federation,O=Peer\u001b[2J");
        attributes.put("amtp.verdict", "the certificate is denied");
        attributes.put("amtp.reason", "the deny list has name *.peer.example");
        attributes.put("amtp.reverse", "pass out1.peer.example");
        attributes.put("amtp.trust", "1");
        attributes.put("client", "192.0.2.1");
        ids.add(served.append("boss@shop.example", attributes, "x\r\n", "one@isp.example"));
        String shown = run("show", "AAAAAAAAA");
        assertTrue(
                shown.contains(
                        """
                        mpc       com/optout
                        amtp.network public
                        amtp.operator out1.peer.example
                        amtp.issuer CN=Federation,O=Peer\\x1b[2J
                        amtp.verdict the certificate is denied
                        amtp.reason the deny list has name *.peer.example
                        amtp.reverse pass out1.peer.example
                        amtp.trust 1
                        client    192.0.2.1
                        """),
                shown);
        assertTrue(
                run("show", "AAAAAAAAA", "--json")
                        .contains("\"amtp.operator\":\"out1.peer.example\","),
                shown);
    }

    @Test
    void saysThatAHeaderSectionIsCut() {
        append("a@b.example", "x".repeat(100_000), "a@b.example");
        assertTrue(
                run("show", "AAAAAAAAA")
                        .endsWith("xxx\n(cut after 64 KiB; --body shows it whole)\n"));
        assertTrue(run("show", "AAAAAAAAA", "--json").endsWith("xxx\",\"headerCutAt\":65536}\n"));
    }

    @Test
    void givesTheWholeMessageAsItIs() {
        byte[] message = new byte[100_000];
        new Random(5).nextBytes(message);
        ids.add(served.append("a@b.example", message, "a@b.example"));
        TestScreen file = new TestScreen(served.clock());
        assertEquals(0, file.run(command("show", "--body", "AAAAAAAAA")));
        assertArrayEquals(message, file.outBytes());
        TestScreen raw = new TestScreen(served.clock()).with(Terminal.OUT);
        assertEquals(0, raw.run(command("show", "--body", "--raw", "AAAAAAAAA")));
        assertArrayEquals(message, raw.outBytes());
        TestScreen terminal = new TestScreen(served.clock()).with(Terminal.OUT);
        assertEquals(0, terminal.run(command("show", "--body", "AAAAAAAAA")));
        assertEquals(
                0,
                terminal.out()
                        .chars()
                        .filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t')
                        .count());
        String json = run("show", "--body", "--json", "AAAAAAAAA");
        StringBuilder expected = new StringBuilder();
        for (byte each : Arrays.copyOf(message, 50)) {
            expected.append((char) (each & 0xff));
        }
        assertTrue(
                json.contains(
                        ",\"body\":"
                                + JsonLines.write(new TextNode(expected.toString()))
                                        .replaceFirst("\"$", "")));
        assertEquals(
                "2 malote: --raw goes with --body alone; see malote queue show --help\n",
                run("show", "--raw", "AAAAAAAAA"));
    }

    // ---- Changes ----

    @Test
    void aDryRunNamesWhatTheActThenChanges() {
        String[][] filters = {
            {"--all"},
            {"--sender", "boss@*"},
            {"--older-than", "6m"},
            {"--younger-than", "6m"},
            {"--recipient", "*@isp.example"},
            {"--domain", "other.example"},
            {"--state", "held"},
            {"--state", "waiting"},
            {"--state", "delivered"},
            {"--reply", "full"},
            {"--domain", "none.example"},
        };
        String[][] verbs = {
            {"retry", "made due"},
            {"hold", "held"},
            {"release", "released"},
            {"remove", "removed"},
            {"bounce", "bounced"},
        };
        for (String[] filter : filters) {
            for (String[] verb : verbs) {
                fill();
                List<String> both = new ArrayList<>(List.of(filter));
                both.addFirst(verb[0]);
                String before = run("list", "--json");
                both.add("--dry-run");
                String[] dry = run(both).split("\n", -1);
                assertEquals(before, run("list", "--json"), "a dry run changes nothing");
                both.removeLast();
                if (verb[0].equals("remove") || verb[0].equals("bounce")) {
                    both.add("--yes");
                }
                String would = dry[dry.length - 2];
                String did = run(both);
                if (would.endsWith("nothing would be " + verb[1])) {
                    assertEquals("0 nothing was " + verb[1] + "\n", did);
                } else {
                    assertEquals(
                            "0 " + would.replaceFirst("^would be (.*?):", "$1") + "\n",
                            did,
                            String.join(" ", both));
                }
                run("remove", "--all", "--yes");
                ids.clear();
            }
        }
    }

    @Test
    void aFilterAboutRecipientsChangesThoseAlone() {
        append("a@b.example", "x\r\n", "one@isp.example", "two@other.example");
        assertEquals("0 held 1 recipient of 1 message\n", run("hold", "--domain", "isp.example"));
        assertTrue(run("list", "--state", "held").contains("<one@isp.example>"));
        assertTrue(run("list", "--state", "waiting").contains("<two@other.example>"));
        assertEquals(
                "0 removed 1 recipient of 1 message\n",
                run("remove", "--domain", "isp.example", "--yes"));
        assertTrue(run("list").contains("<two@other.example>"));
        assertEquals(
                "0 removed 1 recipient of 1 message\n",
                run("remove", "--recipient", "two@*", "--yes"));
        assertEquals("0 the queue is empty\n", run("list"));
    }

    @Test
    void idsChangeWholeMessages() {
        append("a@b.example", "x\r\n", "one@isp.example", "two@other.example");
        append("a@b.example", "x\r\n", "one@isp.example");
        assertEquals("0 held 2 recipients of 1 message\n", run("hold", "AAAAAAAAA"));
        assertEquals(
                "1 malote: held 1 of 2 messages; the others are not in the queue, or there was"
                        + " nothing to change; see malote queue list\n",
                run("hold", "AAAAAAAAA", "BBBBBBBBB"));
        assertEquals(
                "0 {\"messages\":2,\"recipients\":3}\n",
                run("release", "AAAAAAAAA", "BBBBBBBBB", "--json"));
        assertEquals("0 removed 2 recipients of 1 message\n", run("remove", "AAAAAAAAA"));
        assertEquals(
                "1 malote: removed 0 of 1 message; the others are not in the queue, or there was"
                        + " nothing to change; see malote queue list\n",
                run("remove", "AAAAAAAAA"));
    }

    @Test
    void asksBeforeWhatCannotBeUndone() {
        for (String verb : new String[] {"remove", "bounce"}) {
            append("a@b.example", "x\r\n", "one@isp.example", "two@other.example");
            assertEquals(
                    "2 malote: to "
                            + verb
                            + " without ids takes --yes, or --dry-run to see what it would do; see"
                            + " malote queue "
                            + verb
                            + " --help\n",
                    run(verb, "--all"));
            for (String no : new String[] {"n\n", "\n", "", "yeah\n", "no\n"}) {
                TestScreen screen =
                        new TestScreen(served.clock()).with(Terminal.IN, Terminal.ERR).typing(no);
                assertTrue(runOn(screen, verb, "--all").startsWith("1 nothing was "));
                assertTrue(
                        screen.err().startsWith(verb + " 2 recipients of 1 message? This cannot"),
                        screen.err());
                assertEquals("0 1\n", run("list", "--count"));
            }
            TestScreen screen =
                    new TestScreen(served.clock()).with(Terminal.IN, Terminal.ERR).typing("Y\n");
            assertTrue(runOn(screen, verb, "--all").endsWith("2 recipients of 1 message\n"));
            run("remove", "--all", "--yes");
            ids.clear();
        }
    }

    @Test
    void saysWhatIsWrongWithACommand() {
        String which =
                "name messages by their ids, or with filters, or all of them with --all; see malote"
                        + " queue hold --help\n";
        assertEquals("2 malote: " + which, run("hold"));
        assertEquals("2 malote: " + which, run("hold", "--all", "23"));
        assertEquals("2 malote: " + which, run("hold", "--all", "--domain", "a"));
        assertEquals("2 malote: " + which, run("hold", "--sender", "a", "23"));
        assertEquals(
                "2 malote: an age is written as 90s, 15m, 2h or 3d, not \"1y\"; see malote queue"
                        + " hold --help\n",
                run("hold", "--older-than", "1y"));
        assertEquals(
                "2 malote: a state is one of waiting, active, held, failed, delivered, not"
                        + " \"deferred\"; see malote queue list --help\n",
                run("list", "--state", "deferred"));
        assertEquals(
                "2 malote: a limit is a number from 1 on; see malote queue list --help\n",
                run("list", "--limit", "-1"));
        assertEquals(
                "2 malote: --rows takes a number from 1 to 10000; see malote queue shape --help\n",
                run("shape", "--rows", "0"));
    }

    @Test
    void saysHowFarItIsOnATerminal() {
        served.appendMany(3000);
        TestScreen screen = new TestScreen(served.clock()).with(Terminal.ERR);
        assertEquals("0 held 3000 messages\n", runOn(screen, "hold", "--all"));
        assertEquals(
                "\r\u001b[Kwent through 1,000 of 3,000, 33 %"
                        + "\r\u001b[Kwent through 2,000 of 3,000, 66 %"
                        + "\r\u001b[Kwent through 3,000 of 3,000, 100 %"
                        + "\r\u001b[K",
                screen.err());
        TestScreen file = new TestScreen(served.clock()).with(Terminal.ERR);
        runOn(file, "list");
        assertTrue(file.err().contains("read 2,000 of 3,000, 66 %"), file.err());
        TestScreen both = new TestScreen(served.clock()).with(Terminal.OUT, Terminal.ERR);
        runOn(both, "list");
        assertEquals("", both.err());
        TestScreen none = new TestScreen(served.clock()).with(Terminal.OUT);
        runOn(none, "retry", "--all");
        assertEquals("", none.err());
    }

    // ---- Suspending ----

    @Test
    void suspendsAndResumesDomains() {
        assertEquals("0 no domain is suspended\n", run("suspended"));
        append("a@b.example", "x\r\n", "a@b\u00fccher.example");
        append("a@b.example", "x\r\n", "a@xn--bcher-kva.example");
        append("a@b.example", "x\r\n", "a@isp.example");
        assertEquals(
                "0 xn--BCHER-kva.example is suspended until malote queue resume"
                        + " xn--BCHER-kva.example\nISP.example is suspended until malote queue"
                        + " resume ISP.example\n",
                run("suspend", "xn--BCHER-kva.example", "ISP.example"));
        assertEquals(
                "0 b\u00fccher.example was suspended before\n",
                run("suspend", "b\u00fccher.example"));
        assertEquals("0 isp.example\nxn--bcher-kva.example\n", run("suspended"));
        assertEquals(
                "0 {\"destination\":\"isp.example\"}\n{\"destination\":\"xn--bcher-kva.example\"}\n",
                run("suspended", "--json"));
        assertEquals(3, run("list").split("  suspended  ", -1).length - 1);
        assertTrue(run("show", "AAAAAAAAA").contains("\n  state   waiting, domain suspended\n"));
        assertEquals(
                "0 b\u00fccher.example is resumed\nisp.example is resumed\n",
                run("resume", "b\u00fccher.example", "isp.example"));
        assertEquals("0 isp.example was not suspended\n", run("resume", "isp.example"));
        assertEquals("0 no domain is suspended\n", run("suspended"));
        assertEquals(
                "1 malote: \"a@b\" is neither a domain nor an address such as [192.0.2.1]\n",
                run("suspend", "a@b"));
    }

    // ---- Help ----

    @Test
    void everyCommandExplainsItself() {
        String all = run("--help");
        for (String command :
                new String[] {
                    "list",
                    "shape",
                    "show",
                    "retry",
                    "hold",
                    "release",
                    "bounce",
                    "remove",
                    "suspend",
                    "resume",
                    "suspended"
                }) {
            assertTrue(all.contains("\n  " + command + " "), all);
            String help = run(command, "--help");
            assertTrue(help.startsWith("0 Usage: malote queue " + command), help);
            assertTrue(help.lines().allMatch(line -> line.length() <= 80), help);
        }
        assertEquals(
                "2 malote: say what to do, such as malote queue list; see malote queue --help\n",
                run());
    }

    private String run(List<String> arguments) {
        return run(arguments.toArray(String[]::new));
    }

    /// The exit status, and what was printed. Ids are written as AAAAAAAAA, BBBBBBBBB and so on.
    private String run(String... arguments) {
        TestScreen screen = new TestScreen(served.clock());
        return runOn(screen, arguments) + screen.err();
    }

    private String runOn(TestScreen screen, String... arguments) {
        int status = screen.run(command(arguments));
        String text = status + " " + screen.out();
        for (int i = 0; i < ids.size(); i++) {
            text = text.replace(ids.get(i).toString(), placeholder(i));
        }
        return text;
    }

    private String[] command(String... arguments) {
        List<String> command = new ArrayList<>(List.of("queue"));
        for (String argument : arguments) {
            String id = argument;
            for (int i = 0; i < ids.size(); i++) {
                id = id.equals(placeholder(i)) ? ids.get(i).toString() : id;
            }
            command.add(id);
        }
        if (arguments.length > 0 && !Arrays.asList(arguments).contains("--help")) {
            command.add("--config=" + config);
        }
        return command.toArray(String[]::new);
    }

    private static String placeholder(int index) {
        return String.valueOf((char) ('A' + index)).repeat(9);
    }
}
