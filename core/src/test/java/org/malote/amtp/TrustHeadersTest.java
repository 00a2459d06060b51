package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.malote.amtp.MailPolicyCode.Parsed;
import org.malote.smtp.AddressLiteral;
import org.malote.smtp.DomainName;
import org.malote.smtp.MailHost;

final class TrustHeadersTest {
    private static final DomainName PEER = new DomainName("out1.peer.example");

    /// RFC 8601 §2.2 and §2.7.6, as far as we write it: one result a method, registered results and
    /// property types, values that are tokens or quoted strings.
    private static final String VALUE =
            "([A-Za-z0-9!#$%&'*+.^_`{|}~-]+|\"([^\"\\\\\r\n]|\\\\[!-~ ])*\")";

    private static final Pattern GRAMMAR =
            Pattern.compile(
                    ("Authentication-Results: VALUE;"
                                    + "( iprev=(pass|fail|temperror|permerror) policy\\.iprev=VALUE;)?"
                                    + " x-amtp=(pass|fail|none|policy|temperror)"
                                    + " \\((none|public|private), [A-Za-z0-9. ]+\\)"
                                    + "( reason=VALUE)? smtp\\.helo=VALUE( policy\\.amtp-id=VALUE)?"
                                    + " policy\\.amtp-net=(none|public|private)( policy\\.mpc=VALUE)?")
                            .replace("VALUE", VALUE));

    @Test
    void tellsWhoThePeerIs() throws Exception {
        assertEquals(
                """
                Authentication-Results: mx1.isp.example;
                 iprev=pass policy.iprev=198.51.100.7;
                 x-amtp=pass (public, TLSv1.3) smtp.helo=out1.peer.example
                  policy.amtp-id=out1.peer.example policy.amtp-net=public
                  policy.mpc="com/confirmed"
                X-AMTP-Trust: 4
                """,
                text(
                        identity(HopNetwork.PUBLIC, confirmed(), null),
                        TrustLevel.VERIFIED,
                        "TLSv1.3",
                        "198.51.100.7",
                        PEER,
                        "com/confirmed"));
    }

    @Test
    void tellsWhatIsMissing() throws Exception {
        assertEquals(
                """
                Authentication-Results: mx1.isp.example;
                 iprev=fail policy.iprev="2001:db8::7";
                 x-amtp=fail (public, TLSv1.2)
                  reason="the name of EHLO is not in the certificate"
                  smtp.helo="[198.51.100.7]" policy.amtp-net=public
                X-AMTP-Trust: 0
                """,
                text(
                        new HopIdentity(
                                HopNetwork.PUBLIC,
                                "",
                                "CN=Federation",
                                new ReverseDns.Unconfirmed(List.of("liar.example")),
                                Shortcoming.OTHER_NAME),
                        TrustLevel.NONE,
                        "TLSv1.2",
                        "2001:db8::7",
                        new AddressLiteral(InetAddress.getByName("198.51.100.7")),
                        null));
    }

    @Test
    void tellsThatNothingWasAsked() throws Exception {
        assertEquals(
                """
                Authentication-Results: mx1.isp.example;
                 x-amtp=none (none, no TLS) reason="no certificate"
                  smtp.helo=out1.peer.example policy.amtp-net=none
                X-AMTP-Trust: 0
                """,
                text(HopIdentity.UNKNOWN, TrustLevel.NONE, null, "198.51.100.7", PEER, null));
    }

    /// Every identity, each level and hostile names: the field is of the grammar, in ASCII, and no
    /// line is long but for one word.
    @Test
    void isAlwaysOfTheGrammar() throws Exception {
        List<MailHost> names =
                List.of(
                        PEER,
                        new DomainName("l".repeat(63) + "." + "m".repeat(63) + ".example"),
                        new DomainName("münchen.example"));
        for (HopIdentity identity : identities()) {
            for (MailHost name : names) {
                for (String code : new String[] {null, "per/autoresponse"}) {
                    String fields =
                            text(
                                    identity,
                                    TrustLevel.of(identity, true, true, true),
                                    "TLSv1.3",
                                    "2001:db8::7",
                                    name,
                                    code);
                    int last = fields.lastIndexOf("X-AMTP-Trust: ");
                    assertTrue(fields.substring(last).matches("X-AMTP-Trust: [0-4]\n"), fields);
                    String results = fields.substring(0, last - 1);
                    String unfolded = results.replaceAll("\n +", " ");
                    assertTrue(GRAMMAR.matcher(unfolded).matches(), fields);
                    for (String line : results.split("\n", -1)) {
                        assertTrue(line.length() <= 78 || line.strip().matches("\\S+"), line);
                    }
                }
            }
        }
    }

    @Test
    void theLevelsAreThoseOfTheTable() {
        for (HopIdentity identity : identities()) {
            for (int bits = 0; bits < 8; bits++) {
                boolean isAmtp = (bits & 1) != 0;
                boolean isTls = (bits & 2) != 0;
                boolean isAuthenticated = (bits & 4) != 0;
                boolean isVerified = identity.shortcoming() == null && isTls;
                boolean isPass = identity.reverse() instanceof ReverseDns.Confirmed;
                boolean isPublic = identity.network() == HopNetwork.PUBLIC;
                boolean isPrivate = identity.network() == HopNetwork.PRIVATE;
                int expected = isTls && isPass ? 1 : 0;
                if (isVerified && isPrivate && isAuthenticated) {
                    expected = 2;
                }
                if (isVerified && isPublic && isPass) {
                    expected = 3;
                }
                if (isVerified && isPublic && isAmtp) {
                    expected = 4;
                }
                assertEquals(
                        expected,
                        TrustLevel.of(identity, isAmtp, isTls, isAuthenticated).number(),
                        identity + " " + bits);
            }
        }
    }

    private static List<HopIdentity> identities() {
        List<ReverseDns> reverses =
                List.of(
                        new ReverseDns.Unasked(),
                        confirmed(),
                        new ReverseDns.Unconfirmed(List.of("a.example")),
                        new ReverseDns.Nameless(),
                        new ReverseDns.TryLater("SERVFAIL"));
        List<HopIdentity> identities = new ArrayList<>();
        for (HopNetwork network : HopNetwork.values()) {
            for (ReverseDns reverse : reverses) {
                identities.add(identity(network, reverse, null));
                for (Shortcoming shortcoming : Shortcoming.values()) {
                    identities.add(identity(network, reverse, shortcoming));
                }
            }
        }
        return identities;
    }

    private static ReverseDns confirmed() {
        return new ReverseDns.Confirmed(List.of("out1.peer.example"));
    }

    private static HopIdentity identity(
            HopNetwork network, ReverseDns reverse, @Nullable Shortcoming shortcoming) {
        return new HopIdentity(network, "out1.peer.example", "CN=Federation", reverse, shortcoming);
    }

    private static String text(
            HopIdentity identity,
            TrustLevel level,
            @Nullable String tls,
            String client,
            MailHost helo,
            @Nullable String code)
            throws Exception {
        MailPolicyCode parsed =
                code != null && MailPolicyCode.parse(code) instanceof Parsed.Known(var known)
                        ? known
                        : null;
        byte[] fields =
                TrustHeaders.of(
                        "mx1.isp.example",
                        identity,
                        level,
                        tls,
                        InetAddress.getByName(client),
                        helo,
                        parsed);
        String text = new String(fields, StandardCharsets.US_ASCII);
        assertEquals(-1, text.replace("\r\n", "").indexOf('\n'), "only whole line ends");
        return text.replace("\r\n", "\n");
    }
}
