package org.malote.offload.pkcs11;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.malote.offload.TlsProblems;

final class Pkcs11UriTest {
    private static final Path CREDENTIALS = Path.of("/run/credentials/malote.service");

    @Test
    void everyAttributeIsRead() throws Exception {
        Pkcs11Uri uri =
                Pkcs11Uri.parse(
                        "pkcs11:token=Mail%20one;serial=0042;object=mx1-rsa;id=%01%aB;type=private"
                                + "?module-path=/usr/lib/softhsm/libsofthsm2.so"
                                + "&pin-source=file:/etc/malote/pin",
                        null);
        assertEquals(Map.of("token", "Mail one", "serial", "0042"), uri.token());
        assertEquals("mx1-rsa", uri.object());
        assertEquals("01ab", uri.id());
        assertEquals("/usr/lib/softhsm/libsofthsm2.so", uri.module());
        assertEquals(Path.of("/etc/malote/pin"), uri.pinFile());
        assertEquals(
                "pkcs11:token=Mail%20one;serial=0042;object=mx1-rsa;id=%01%aB;type=private",
                uri.shortText());
        assertTrue(uri.fits(token("Mail one", "0042")));
        assertFalse(uri.fits(token("Mail one", "0043")));
        assertFalse(uri.fits(token("Mail", "0042")));
    }

    @Test
    void aShortOneMeansTheOnlyTokenOfTheSystem() throws Exception {
        Pkcs11Uri uri = Pkcs11Uri.parse("pkcs11:object=mx1", null);
        assertEquals("p11-kit-proxy.so", uri.module());
        assertNull(uri.pinFile());
        assertNull(uri.id());
        assertTrue(uri.fits(token("any", "1")));
    }

    @ParameterizedTest
    @CsvSource({
        "file:/etc/pin, /etc/pin",
        "file:///etc/pin, /etc/pin",
        "/etc/pin, /etc/pin",
        "credential:pin, /run/credentials/malote.service/pin"
    })
    void pinsComeFromFiles(String source, Path file) throws Exception {
        assertEquals(
                file,
                Pkcs11Uri.parse("pkcs11:object=a?pin-source=" + source, CREDENTIALS).pinFile());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "pkcs11:object=a?pin-value=1234 ! a key of pkcs11:object=a has its PIN in the"
                        + " configuration: put it into a file of mode 600 and write"
                        + " pin-source=file:/PATH",
                "pkcs11:object=a?pin-source=|/bin/ask ! key pkcs11:object=a?pin-source=|/bin/ask has"
                        + " a pin-source that is neither file:/PATH nor credential:NAME",
                "pkcs11:object=a?pin-source=credential:../pin ! key"
                        + " pkcs11:object=a?pin-source=credential:../pin names a credential that"
                        + " cannot be: see pin-source",
                "pkcs11:object=a?module-path=softhsm.so ! key"
                        + " pkcs11:object=a?module-path=softhsm.so has a module-path that is not"
                        + " absolute: write it in full",
                "pkcs11:object=a;type=cert ! key pkcs11:object=a;type=cert has a type that is not"
                        + " \"private\": name a private key",
                "pkcs11:obj=a ! key pkcs11:obj=a has an attribute \"obj\" that is not known: there"
                        + " are id, manufacturer, model, object, serial, token, type",
                "pkcs11:object=a;object=b ! key pkcs11:object=a;object=b has \"object\" twice: keep"
                        + " one",
                "pkcs11:id=%0 ! key pkcs11:id=%0 has a % that is not followed by two hexadecimal"
                        + " digits: write it as %25"
            })
    void whatIsWrongIsSaid(String text, String problem) {
        TlsProblems problems =
                assertThrows(TlsProblems.class, () -> Pkcs11Uri.parse(text, CREDENTIALS));
        assertEquals(problem, problems.getMessage());
    }

    @Test
    void aCredentialNeedsAServiceManager() {
        TlsProblems problems =
                assertThrows(
                        TlsProblems.class,
                        () -> Pkcs11Uri.parse("pkcs11:object=a?pin-source=credential:pin", null));
        assertEquals(
                "key pkcs11:object=a?pin-source=credential:pin has its PIN in a credential, and there"
                        + " are none: start the server from a service with LoadCredential=pin:...",
                problems.getMessage());
    }

    private static Cryptoki.TokenInfo token(String label, String serial) {
        return new Cryptoki.TokenInfo(label, "maker", "model", serial, 0);
    }
}
