package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.malote.dns.FakeDns;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;
import org.malote.smtp.MailHost;
import org.malote.smtp.Mailbox;

final class MaildirPathTest {
    private static final Path HERE = Path.of("/etc/malote");

    private static String resolve(String template, String local, MailHost host) {
        return MaildirPath.parse(template, HERE).resolve(new Mailbox(local, host)).toString();
    }

    private static String resolve(String template, String local) {
        return resolve(template, local, new DomainName("isp.example"));
    }

    @Test
    void fillsInTheRecipient() {
        assertEquals("/m/isp.example/bob", resolve("/m/{domain}/{local}", "bob"));
        assertEquals("/m/bob@isp.example/Maildir", resolve("/m/{local}@{domain}/Maildir/", "bob"));
        assertEquals("/etc/malote/mail/Bob", resolve("./mail//{local}", "Bob"));
        assertEquals("/etc/mail/bob", resolve("../mail/{local}", "bob"));
        assertEquals("/m/all", resolve("/m/all", "bob"));
    }

    @Test
    void theBaseIsWhatAllRecipientsShare() {
        assertEquals(Path.of("/m"), MaildirPath.parse("/m/{domain}/x/{local}", HERE).base());
        assertEquals(Path.of("/m/all"), MaildirPath.parse("/m/all", HERE).base());
        assertEquals(Path.of("/"), MaildirPath.parse("/{local}", HERE).base());
    }

    @Test
    void aRecipientCannotEscape() {
        assertEquals("/m/%2E.%2F..%2Fetc", resolve("/m/{local}", "../../etc"));
        assertEquals("/m/%2E.", resolve("/m/{local}", ".."));
        assertEquals("/m/%2E", resolve("/m/{local}", "."));
        assertEquals("/m/%2Ebashrc", resolve("/m/{local}", ".bashrc"));
        assertEquals("/m/%2Fetc%2Fpasswd", resolve("/m/{local}", "/etc/passwd"));
        assertEquals("/m/a%20b%5Cc%22%25", resolve("/m/{local}", "a b\\c\"%"));
        assertEquals("/m/..%", resolve("/m/..{local}", ""));
        assertEquals("/m/%", resolve("/m/{local}", ""));
    }

    @Test
    void namesBeyondAsciiAreWritableInAnyLocale() {
        assertEquals(
                "/m/xn--mller-kva.example/j%C3%B6rg",
                resolve("/m/{domain}/{local}", "jörg", new DomainName("müller.example")));
        MailHost literal = new AddressLiteral(FakeDns.address("2001:db8::1"));
        assertEquals("/m/%5BIPv6%3A2001%3Adb8%3A%3A1%5D", resolve("/m/{domain}", "bob", literal));
    }

    @Test
    void keepsTheCaseOfTheLocalPart() {
        assertNotEquals(resolve("/m/{local}", "bob"), resolve("/m/{local}", "Bob"));
    }

    @Test
    void refusesTemplatesThatCannotBeMeant() {
        for (String template :
                new String[] {"", "/m/{user}", "/m/{local", "/m/{local}/../x", "/m/local}"}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> MaildirPath.parse(template, HERE),
                    template);
        }
    }

    /// Whatever the local part: one name, in its folder, readable back, and nobody else's.
    @Test
    void encodingIsReversibleAndStaysInside() {
        RandomGenerator random = new Random(7);
        String letters = "aB0._%/\\ -+=,@\"'~:*é日";
        Map<String, String> seen = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            StringBuilder local = new StringBuilder();
            for (int length = 1 + random.nextInt(6); local.length() < length; ) {
                local.append(letters.charAt(random.nextInt(letters.length())));
            }
            String text = local.toString();
            Path path = Path.of(resolve("/m/{local}", text));
            assertEquals(Path.of("/m"), path.normalize().getParent(), text);
            String name = path.getFileName().toString();
            assertTrue(name.matches("[A-Za-z0-9_+=,@%-][A-Za-z0-9_+=,@%.-]*"), name);
            assertEquals(text, decode(name));
            String other = seen.put(name, text);
            assertTrue(other == null || other.equals(text));
        }
    }

    private static String decode(String name) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) == '%') {
                octets.write(Integer.parseInt(name.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                octets.write(name.charAt(i));
            }
        }
        return octets.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theLongestLocalPartFitsInAFileName() {
        String name = resolve("/m/{local}", " ".repeat(Mailbox.LOCAL_OCTETS_MAX));
        assertTrue(name.length() - "/m/".length() <= 255, name);
    }
}
