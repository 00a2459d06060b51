package org.malote.bounce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.malote.bounce.BounceFixture.MESSAGE;
import static org.malote.bounce.BounceFixture.failed;
import static org.malote.bounce.BounceFixture.to;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Reply;

/// What another parser makes of our notifications.
@Tag("peers")
final class BouncePeersTest {
    private static final String SCRIPT =
            """
            import email, email.policy, sys
            m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
            def defects(p):
                return [str(d) for q in p.walk() for d in q.defects]
            print(defects(m))
            print(m.get_content_type(), m.get_param('report-type'), m['Auto-Submitted'])
            parts = list(m.iter_parts())
            print([p.get_content_type() for p in parts])
            print([dict(g) for g in parts[1].get_payload()][1]['Diagnostic-Code'])
            print(parts[2].get_payload()[0]['Subject'])
            """;

    @TempDir Path directory;

    @Test
    void pythonReadsThemWithoutDefects() throws Exception {
        try (BounceFixture fixture = new BounceFixture()) {
            fixture.report(
                    fixture.claim(
                            "ann@a.example", MailParameters.NONE, MESSAGE, to("b@isp.example")),
                    failed(true, Reply.of(550, "5.1.1", "no such user ".repeat(15).strip())));
            Path file = directory.resolve("report");
            Files.writeString(
                    file, BounceFixture.text(fixture.notification()), StandardCharsets.ISO_8859_1);
            Process python =
                    new ProcessBuilder("python3", "-c", SCRIPT, file.toString())
                            .redirectErrorStream(true)
                            .start();
            String output =
                    new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, python.waitFor(), output);
            assertEquals(
                    List.of(
                            "[]",
                            "multipart/report delivery-status auto-replied",
                            "['text/plain', 'message/delivery-status', 'message/rfc822']",
                            "smtp; 550 5.1.1 " + "no such user ".repeat(15).strip(),
                            "hello"),
                    output.lines().map(line -> line.replaceAll("\\s+", " ")).toList());
        }
    }
}
