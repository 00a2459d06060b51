package org.malote.benchmarks.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

final class ReportTest {
    private static final Path FIXTURE = Path.of("src/test/resources/org/malote/benchmarks/history");

    private String page = "";
    private List<Element> elements = List.of();

    @BeforeEach
    void draw() throws IOException, ParserConfigurationException, SAXException {
        open(FIXTURE);
    }

    private void open(Path folder) throws IOException, ParserConfigurationException, SAXException {
        page = Report.page(History.read(folder));
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        Document document =
                factory.newDocumentBuilder().parse(new InputSource(new StringReader(page)));
        NodeList all = document.getElementsByTagName("*");
        elements = new ArrayList<>();
        for (int i = 0; i < all.getLength(); i++) {
            elements.add((Element) all.item(i));
        }
    }

    @Test
    void asksForNothingOutsideOfItself() {
        String lower = page.toLowerCase(Locale.ROOT);
        for (String outside :
                List.of("http:", "https:", "//", "url(", "@import", "src=", "href=")) {
            assertFalse(lower.contains(outside), outside);
        }
        for (String element : List.of("script", "link", "img", "iframe", "object")) {
            assertTrue(named(element).isEmpty(), element);
        }
    }

    @Test
    void headlinesSayMaloteBesideOthers() {
        assertTrue(
                rows().contains(
                                "server CPU of a message, µs: accepted|814 (728–896)|postfix 2,144 (2,074–2,214)|0.38|less"
                                        + "|aaaaaaa|2026-11-24|1|–"),
                rows().toString());
        // The newest run of two.
        assertTrue(
                rows().contains(
                                "server CPU of a connection, µs, p256: TLSv1.3-full|1,200 (1,190–1,210)"
                                        + "|nginx-p256 610 (600–620)|1.97|less|bbbbbbb|2026-12-02|1|0.5"),
                rows().toString());
        assertTrue(
                rows().contains(
                                "acknowledgements a second of the server: 16 clients, 8192 octets|7,005 (7,000–7,010)"
                                        + "|floor 40,050 (40,000–40,100)|0.17|more|aaaaaaa|2026-12-01|1|0.5"),
                rows().toString());
        assertTrue(
                rows().contains(
                                "memory of an idle session, bytes: 10000 sessions|4,012|–|–|less|aaaaaaa|2026-12-01|1|0.5"),
                rows().toString());
        assertTrue(
                rows().contains(
                                "messages a second: 5000 messages, plain <4 KiB> & kept|6,100 (6,000–6,200)"
                                        + "|postfix 610 (600–620)|10.00|more|aaaaaaa|2026-12-01|1|0.5"),
                rows().toString());
    }

    @Test
    void everyPlotHasItsNameAndATableWithItsFigures() {
        int plots = 0;
        for (Element svg : named("svg")) {
            if (svg.getAttribute("role").equals("img")) {
                plots++;
                assertFalse(svg.getAttribute("aria-label").isBlank());
                assertEquals(
                        svg.getAttribute("aria-label"),
                        svg.getElementsByTagName("title").item(0).getTextContent());
            } else {
                assertEquals("true", svg.getAttribute("aria-hidden"));
            }
        }
        // compare 4, first-table, handshakes, server-acks 2, idle 2, JMH 4; and 8 of two runs.
        assertEquals(22, plots);
        assertTrue(
                rows().contains("TLSv1.3-resumed|675 (665–690)|580 (570–590)"), rows().toString());
        assertTrue(
                rows().contains("1 client, 8192 octets|305 (300–310)|2,350 (2,300–2,400)"),
                rows().toString());
        assertTrue(
                rows().contains("16 clients, mode thrpt, 1024 octets|35.0 (34.0–36.0)"),
                rows().toString());
    }

    @Test
    void barsAreAsLongAsTheirFigures() {
        List<Element> bars =
                named("rect").stream()
                        .filter(
                                bar ->
                                        ((Element) bar.getParentNode())
                                                .getElementsByTagName("title")
                                                .item(0)
                                                .getTextContent()
                                                .endsWith(") µs"))
                        .toList();
        Element malote = bar(bars, "malote: 814 (728–896) µs");
        Element postfix = bar(bars, "postfix: 2,144 (2,074–2,214) µs");
        assertEquals("own", malote.getAttribute("class"));
        assertEquals("beside", postfix.getAttribute("class"));
        assertEquals(
                2144.0 / 814,
                Double.parseDouble(postfix.getAttribute("width"))
                        / Double.parseDouble(malote.getAttribute("width")),
                0.01);
    }

    @Test
    void historyHasEachMetricOverCommits() {
        assertTrue(
                rows().contains(
                                "TLSv1.3-full|native-p256|cpuMicros|1|aaaaaaa 800 (790–810); bbbbbbb 1,200 (1,190–1,210)|"
                                        + "native-p256, cpuMicros, TLSv1.3-full, by run"
                                        + "2026-12-01, aaaaaaa 800 (790–810)2026-12-02, bbbbbbb 1,200 (1,190–1,210)"),
                rows().toString());
    }

    @Test
    void saysWhatWasLeftOut() {
        List<String> notes =
                named("li").stream()
                        .map(Element::getTextContent)
                        .filter(text -> text.contains(".jsonl"))
                        .toList();
        assertEquals(
                List.of(
                        "compare.jsonl: a line has something else than samples above 0 as p99Micros of haraka",
                        "compare.jsonl: a line has something else than samples above 0 as perSecond of haraka",
                        "first-table.jsonl: a line has no load"),
                notes.subList(0, 3));
        assertTrue(
                notes.get(3).startsWith("handshakes.jsonl:3 was left out: it is not JSON"),
                notes.get(3));
        assertEquals("handshakes.jsonl:4 was left out: it has no commit", notes.get(4));
        assertEquals(5, notes.size());
    }

    @Test
    void drawsWhatIsRecorded() throws IOException, ParserConfigurationException, SAXException {
        open(Path.of("history"));
        assertTrue(
                rows().stream()
                        .anyMatch(
                                row ->
                                        row.startsWith(
                                                "server CPU of a connection, µs, p256: TLSv1.3-full|")));
        assertTrue(
                named("h2").stream()
                        .anyMatch(each -> each.getTextContent().equals("Idle sessions")));
        assertEquals(Report.page(History.read(Path.of("history"))), page);
    }

    private List<Element> named(String name) {
        return elements.stream().filter(each -> each.getTagName().equals(name)).toList();
    }

    private static Element bar(List<Element> bars, String title) {
        return bars.stream()
                .filter(
                        bar ->
                                ((Element) bar.getParentNode())
                                        .getElementsByTagName("title")
                                        .item(0)
                                        .getTextContent()
                                        .equals(title))
                .findFirst()
                .orElseThrow();
    }

    /// Cells of each row of each table, with bars between.
    private List<String> rows() {
        List<String> rows = new ArrayList<>();
        for (Element row : named("tr")) {
            List<String> cells = new ArrayList<>();
            for (Element cell : elements) {
                if (row.isSameNode(cell.getParentNode())) {
                    cells.add(cell.getTextContent().replace("\n", ""));
                }
            }
            rows.add(String.join("|", cells));
        }
        return rows;
    }
}
