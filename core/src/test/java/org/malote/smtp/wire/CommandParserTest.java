package org.malote.smtp.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.Random;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.malote.smtp.BodyType;
import org.malote.smtp.Command;
import org.malote.smtp.Command.Fault;
import org.malote.smtp.DomainName;
import org.malote.smtp.ForwardPath;
import org.malote.smtp.MailParameters;
import org.malote.smtp.MailParameters.ReturnContent;
import org.malote.smtp.RecipientParameters;
import org.malote.smtp.RecipientParameters.Notify;
import org.malote.smtp.RecipientParameters.OriginalRecipient;
import org.malote.smtp.ReversePath;

final class CommandParserTest {
    @Test
    void readsEachVerbInAnyCase() {
        assertEquals(new Command.Ehlo(new DomainName("a.example")), parse("ehlo A.example"));
        assertInstanceOf(Command.Ehlo.class, parse("EHLO [IPv6:2001:db8::1]"));
        assertInstanceOf(Command.Helo.class, parse("HELO a"));
        assertInstanceOf(Command.Data.class, parse("data"));
        assertInstanceOf(Command.Rset.class, parse("RSET  "));
        assertInstanceOf(Command.Noop.class, parse("NOOP anything at all"));
        assertInstanceOf(Command.Quit.class, parse("QUIT"));
        assertInstanceOf(Command.StartTls.class, parse("STARTTLS"));
        assertInstanceOf(Command.Expn.class, parse("EXPN list"));
        assertInstanceOf(Command.Help.class, parse("HELP"));
        assertEquals(new Command.Vrfy("x"), parse("VRFY x"));
    }

    @Test
    void readsEveryParameterOfMail() {
        assertEquals(
                new Command.Mail(
                        ReversePath.NULL,
                        new MailParameters(
                                12, BodyType.BINARY_MIME, true, ReturnContent.HDRS, "a b")),
                parse("MAIL FROM:<> SIZE=12 body=binarymime SMTPUTF8 RET=hdrs ENVID=a+20b"));
        assertEquals(
                Long.MAX_VALUE,
                assertInstanceOf(Command.Mail.class, parse("MAIL FROM:<> SIZE=" + "9".repeat(20)))
                        .parameters()
                        .sizeOctets());
    }

    /// RFC 4954 §4, RFC 4422 §3.1.
    @Test
    void readsAuthAndPrintsNoResponse() {
        assertEquals(new Command.Auth("plain", null), parse("auth plain "));
        assertEquals(new Command.Auth("PLAIN", "="), parse("AUTH  PLAIN  ="));
        assertEquals("AUTH PLAIN", parse("AUTH PLAIN AGFubgBzZWNyZXQ=").toString());
        for (String bad :
                new String[] {"AUTH", "AUTH A.B", "AUTH A B C", "AUTH " + "A".repeat(21)}) {
            assertInstanceOf(Command.Malformed.class, parse(bad), bad);
        }
        assertInstanceOf(Command.Auth.class, parse("AUTH " + "A".repeat(20)));
    }

    /// RFC 4954 §5.
    @Test
    void readsWhoHasWritten() {
        for (String author : new String[] {"<>", "a@b.example", "e+3Dmc2@b.example"}) {
            Command.Mail mail =
                    assertInstanceOf(Command.Mail.class, parse("MAIL FROM:<> AUTH=" + author));
            assertEquals(true, mail.parameters().isAuthStated(), author);
            assertEquals(MailParameters.NONE.toAttributes(), mail.parameters().toAttributes());
        }
        for (String bad :
                new String[] {"", "=", "=a", "=<a@b.example>", "=a+4", "=" + "a".repeat(501)}) {
            assertInstanceOf(Command.Malformed.class, parse("MAIL FROM:<> AUTH" + bad), bad);
        }
    }

    @Test
    void readsEveryParameterOfRcpt() {
        Command.Rcpt rcpt =
                assertInstanceOf(
                        Command.Rcpt.class,
                        parse("RCPT TO:<a@b.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@c"));
        assertEquals(
                new RecipientParameters(
                        Set.of(Notify.SUCCESS, Notify.DELAY),
                        new OriginalRecipient("rfc822", "a+b@c")),
                rcpt.parameters());
        assertEquals(
                RecipientParameters.fromAttributes(rcpt.parameters().toAttributes()),
                rcpt.parameters());
    }

    @Test
    void anyNumberOfSpacesStandsBetweenParameters() {
        assertEquals(
                parse("MAIL FROM:<> SIZE=7 BODY=8BITMIME RET=HDRS"),
                parse("MAIL FROM:<>   SIZE=7  BODY=8BITMIME   RET=HDRS  "));
        // No other blank is one (RFC 5321 §2.3.8).
        for (String other : new String[] {"\u2003", "SIZE=7\u2003BODY=8BITMIME", "=", "SIZE=7 ="}) {
            assertInstanceOf(
                    Command.Malformed.class, parse("MAIL FROM:<a@b.example> " + other), other);
        }
    }

    @Test
    void keepsParametersThroughTheQueue() {
        MailParameters parameters =
                new MailParameters(0, BodyType.EIGHT_BIT_MIME, true, ReturnContent.FULL, "id");
        assertEquals(parameters, MailParameters.fromAttributes(parameters.toAttributes(), 0));
        assertEquals(
                MailParameters.NONE,
                MailParameters.fromAttributes(MailParameters.NONE.toAttributes(), 0));
    }

    @Test
    void takesPostmasterWithoutADomainAndSpacesBehindTheColon() {
        assertInstanceOf(
                ForwardPath.Postmaster.class,
                assertInstanceOf(Command.Rcpt.class, parse("RCPT TO:<POSTmaster>")).to());
        assertInstanceOf(Command.Mail.class, parse("MAIL FROM:  <a@b.example>"));
    }

    @Test
    void saysWhatIsWrong() {
        assertEquals("500 5.5.2 command not recognized", fault("FOO"));
        assertEquals("500 5.5.2 command not recognized", fault(""));
        assertEquals("501 5.5.4 give your domain name or [address]", fault("EHLO"));
        assertEquals("501 5.5.4 give your domain name or [address]", fault("EHLO a b"));
        assertEquals("501 5.5.4 this command takes no argument", fault("STARTTLS now"));
        assertEquals("501 5.5.4 syntax: MAIL FROM:<address>", fault("MAIL <a@b>"));
        assertEquals(
                "501 5.1.7 that is not an address: local-part@domain is needed",
                fault("MAIL FROM:a@b"));
        assertEquals(
                "501 5.1.3 that is not an address: local-part@domain is needed",
                fault("RCPT TO:<a>"));
        assertEquals(
                "501 5.1.3 that is not an address: local-part@domain is needed",
                fault("RCPT TO:<>"));
        assertEquals(
                "555 5.5.4 a parameter is not recognized or not implemented",
                fault("MAIL FROM:<> FOO=1"));
        assertEquals("501 5.5.4 SIZE given twice", fault("MAIL FROM:<> SIZE=1 size=2"));
        assertEquals("501 5.5.4 SIZE must be 1 to 20 digits", fault("MAIL FROM:<> SIZE=-1"));
        assertEquals(
                "553 5.6.7 a non-ASCII address needs SMTPUTF8", fault("MAIL FROM:<π@b.example>"));
        for (String line :
                new String[] {
                    "MAIL FROM:<>X",
                    "MAIL FROM:<> BODY=9BIT",
                    "MAIL FROM:<> SMTPUTF8=1",
                    "MAIL FROM:<> RET=ALL",
                    "MAIL FROM:<> ENVID=a b",
                    "MAIL FROM:<> ENVID=+0D+0ARCPT",
                    "MAIL FROM:<> ENVID=" + "x".repeat(101),
                    "MAIL FROM:<> SIZE=" + "9".repeat(21),
                    "RCPT TO:<a@b.example> NOTIFY=NEVER,SUCCESS",
                    "RCPT TO:<a@b.example> NOTIFY=",
                    "RCPT TO:<a@b.example> ORCPT=x",
                    "RCPT TO:<a@b.example> ORCPT=rfc822;a+0Ab"
                }) {
            assertInstanceOf(Command.Malformed.class, parse(line), line);
        }
    }

    /// P08, RFC 3030 §2: without a size nobody knows where the next command starts.
    @Test
    void losesTheFramingAtAChunkWithoutASize() {
        for (String line :
                new String[] {
                    "BDAT",
                    "BDAT -1",
                    "BDAT x",
                    "BDAT 1 FIRST",
                    "BDAT 1 LAST x",
                    "BDAT 100000000000000000000",
                    "BDAT 0x10",
                    "BDAT +1",
                    "BDAT LAST"
                }) {
            assertEquals(
                    Fault.FRAMING,
                    assertInstanceOf(Command.Malformed.class, parse(line), line).fault(),
                    line);
        }
        for (String line : new String[] {"GET / HTTP/1.1", "post /x HTTP/1.0", "CONNECT a:25"}) {
            assertEquals(
                    Fault.FOREIGN,
                    assertInstanceOf(Command.Malformed.class, parse(line), line).fault(),
                    line);
        }
        assertEquals(new Command.Bdat(0, true), parse("BDAT 0 LAST"));
        assertEquals(new Command.Bdat(86, false), parse("bdat 86"));
        assertEquals(new Command.Bdat(86, true), parse("BDAT 86  last"));
    }

    @Test
    void neverThrows() {
        RandomGenerator random = new Random(2034);
        String[] parts = {
            "MAIL", "RCPT", "BDAT", " ", "FROM:", "TO:", "<", ">", "\"", "\\", "@", "a", ".",
            "[", "]", "IPv6:", ":", "=", "SIZE", "ORCPT", ";", "+", "NOTIFY", ",", "π", "\ud800",
            "9", "-", "SMTPUTF8", "ENVID", "BODY", "postmaster", "EHLO", "VRFY"
        };
        for (int round = 0; round < 200_000; round++) {
            StringBuilder line = new StringBuilder();
            int length = random.nextInt(12);
            for (int i = 0; i < length; i++) {
                line.append(parts[random.nextInt(parts.length)]);
            }
            assertNotNull(parse(line.toString()));
        }
    }

    private static String fault(String line) {
        return assertInstanceOf(Command.Malformed.class, parse(line), line).reply().oneLine();
    }

    private static Command parse(String line) {
        return CommandParser.parse(line);
    }
}
