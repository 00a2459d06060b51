package org.malote.benchmarks.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LineReaderTest {
    private static final String HEAD =
            "\"benchmark\":\"x\",\"date\":\"2026-12-01T10:00:00Z\",\"commit\":\"aaaaaaa\",\"host\":\"h\",\"load\":1,"
                    + "\"jvm\":\"j\",\"flags\":\"f\"";

    @Test
    void saysWhyALineIsOfNoUse() {
        assertEquals("is not a JSON object", why("[1]"));
        assertEquals("is not a JSON object", why("17"));
        assertEquals("has something after its object", why("{" + HEAD + ",\"aMicros\":1}{}"));
        assertEquals("has no benchmark", why("{\"date\":\"2026-12-01T10:00:00Z\"}"));
        assertEquals(
                "has no date in UTC as of ISO 8601",
                why("{" + HEAD.replace("2026-12-01T10:00:00Z", "yesterday") + "}"));
        assertEquals("has no commit", why("{" + HEAD.replace("aaaaaaa", "main") + "}"));
        assertEquals("has no samples", why("{" + HEAD + "}"));
        for (String cut : List.of("", "{", "{\"benchmark\":", "{\"a\":[1,", "nonsense")) {
            assertInstanceOf(Line.Unusable.class, LineReader.read("x.jsonl:1", cut), cut);
        }
    }

    @Test
    void keepsWhatIsGoodOfALineThatIsPartlyBad() {
        Line.Usable line =
                usable(
                        "{"
                                + HEAD.replace("\"load\":1,", "").replace("\"h\"", "\"\"")
                                + ",\"malote\":{\"cpuMicros\":[1,2],\"perSecond\":[3,0],\"nonsense\":[4]}}");
        assertEquals(
                List.of(
                        "has no host",
                        "has no load",
                        "has something else than samples above 0 as perSecond of malote",
                        "has samples in no unit that is known: nonsense"),
                line.shortcomings());
        assertEquals(List.of("x  malote cpuMicros [1.0, 2.0]"), figures(line));
    }

    @Test
    void readsEachForm() {
        assertEquals(
                List.of("x 100 sessions malote bytesEach [12.0]"),
                figures(usable("{" + HEAD + ",\"sessions\":100,\"bytesEach\":12}")));
        assertEquals(
                List.of("x 1 client, 8 octets floor p99Micros [5.0]"),
                figures(
                        usable(
                                "{"
                                        + HEAD
                                        + ",\"clients\":1,\"octets\":8,\"rounds\":1,\"floor\":{\"p99Micros\":[5]}}")));
        assertEquals(
                List.of("x TLSv1.3-full native-p256 cpuMicros [7.0, 8.0]"),
                figures(
                        usable(
                                "{"
                                        + HEAD
                                        + ",\"native-p256\":{\"TLSv1.3-full\":{\"cpuMicros\":[7,8]}}}")));
        assertEquals(
                List.of(
                        "x plain malote cpuMicros [1.0]",
                        "x plain exim cpuMicros [2.0]",
                        "x tls malote cpuMicros [3.0]"),
                figures(
                        usable(
                                "{"
                                        + HEAD
                                        + ",\"scenarios\":{\"plain\":{\"malote\":{\"cpuMicros\":[1]},\"exim\":{\"cpuMicros\":[2]}},"
                                        + "\"tls\":{\"malote\":{\"cpuMicros\":[3]},\"haraka\":null}}}")));
        assertEquals(
                List.of("first-table relayed postfix microsPerMessage [9.0]"),
                figures(
                        usable(
                                "{"
                                        + HEAD.replace("\"benchmark\":\"x\"", "\"table\":\"first\"")
                                        + ",\"postfix-relayed\":{\"microsPerMessage\":[9]}}")));
        assertEquals(
                List.of(
                        "x 16 clients, mode sample malote ms/op [0.5]",
                        "x 16 clients, mode sample malote p99 ms/op [2.5]"),
                figures(
                        usable(
                                "{"
                                        + HEAD
                                        + ",\"results\":[{\"benchmark\":\"clients016\",\"mode\":\"sample\",\"score\":0.5,"
                                        + "\"unit\":\"ms/op\",\"p99\":2.5}]}")));
        assertEquals(
                List.of(
                        "x scan, text LINES malote ops/us [0.5]",
                        "x scan, text LINES malote allocatedBytes [1.0, 1.0]",
                        "x scan, text LINES malote octetsPerSecond [1.5E9]"),
                figures(
                        usable(
                                "{"
                                        + HEAD
                                        + ",\"results\":[{\"benchmark\":\"scan\",\"text\":\"LINES\",\"score\":0.5,"
                                        + "\"unit\":\"ops/us\",\"allocatedBytes\":[1,1],\"octetsPerSecond\":1.5E9}]}")));
    }

    private static String why(String text) {
        return assertInstanceOf(Line.Unusable.class, LineReader.read("x.jsonl:1", text)).why();
    }

    private static Line.Usable usable(String text) {
        return assertInstanceOf(Line.Usable.class, LineReader.read("x.jsonl:1", text));
    }

    private static List<String> figures(Line.Usable line) {
        List<String> texts = new ArrayList<>();
        for (Figure figure : line.run().figures()) {
            Series series = figure.series();
            texts.add(
                    String.join(
                            " ",
                            series.kind(),
                            series.scenario().text(),
                            series.program(),
                            series.metric().name(),
                            figure.samples().toString()));
        }
        return texts;
    }
}
