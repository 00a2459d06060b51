package org.malote.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/// What is said of the messages that came.
final class ArrivalsTest {
    private static final long RUN = 7;

    private static void come(Arrivals arrivals, long run, int first, int last) {
        for (int i = first; i <= last; i++) {
            arrivals.numbered(run, i, true, 100);
        }
    }

    private static long missing(Arrivals arrivals) throws Exception {
        return new ObjectMapper().readTree(arrivals.json()).required("missing").asLong();
    }

    @Test
    void aHoleIsTold() throws Exception {
        var arrivals = new Arrivals(0);
        come(arrivals, RUN, 1, 3);
        assertTrue(arrivals.isSound());
        come(arrivals, RUN, 5, 9);
        assertEquals(1, missing(arrivals));
        assertFalse(arrivals.isSound());
    }

    @Test
    void aLostTailIsToldWhereItIsKnownHowManyThereWere() throws Exception {
        var arrivals = new Arrivals(1000);
        come(arrivals, RUN, 1, 600);
        come(arrivals, RUN + 1, 1, 390);
        assertEquals(10, missing(arrivals));
        assertFalse(arrivals.isSound());
        come(arrivals, RUN + 1, 391, 400);
        assertEquals(0, missing(arrivals));
        assertTrue(arrivals.isSound());
    }

    @Test
    void nothingThatCameIsALossOfAll() throws Exception {
        assertEquals(5, missing(new Arrivals(5)));
        assertFalse(new Arrivals(5).isSound());
        assertTrue(new Arrivals(0).isSound());
    }

    /// The second of one number makes up for none.
    @Test
    void whatComesTwiceCountsOnce() throws Exception {
        var arrivals = new Arrivals(2);
        come(arrivals, RUN, 1, 1);
        come(arrivals, RUN, 1, 1);
        assertEquals(1, missing(arrivals));
        assertTrue(arrivals.json().contains("\"duplicates\":1"), arrivals.json());
        assertFalse(arrivals.isSound());
    }

    @Test
    void aBrokenMessageIsTold() {
        var mail = new NumberedMail(RUN, 3000);
        for (boolean isBroken : new boolean[] {false, true}) {
            byte[] body = mail.body().clone();
            if (isBroken) {
                body[body.length / 2] ^= 1;
            }
            var arrivals = new Arrivals(0);
            var check = new MailCheck();
            ByteBuf text = Unpooled.wrappedBuffer(mail.header(1), body);
            check.inspect(text, 0, text.readableBytes());
            check.end(arrivals);
            assertEquals(!isBroken, arrivals.isSound(), arrivals.json());
            assertEquals(isBroken, arrivals.json().contains("\"broken\":1"), arrivals.json());
        }
    }

    @Test
    void otherMailIsCountedAndNotJudged() {
        var arrivals = new Arrivals(0);
        for (String header : new String[] {"X-Blast: 1 2\r\n", "X-Blast: 1 x 2\r\n", ""}) {
            var check = new MailCheck();
            byte[] octets = (header + "\r\nbody\r\n").getBytes(StandardCharsets.US_ASCII);
            check.inspect(Unpooled.wrappedBuffer(octets), 0, octets.length);
            check.end(arrivals);
        }
        assertTrue(arrivals.json().contains("\"unnumbered\":3"), arrivals.json());
        assertTrue(arrivals.isSound());
    }
}
