package org.malote.amtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Holds the table of `AMTP.md` to the code and to the transcripts.
///
/// A transcript proves a requirement when its first line names it, as `AMTP 33 35`. To cover
/// another requirement, write the transcript and add a row.
final class AmtpRequirementsTest {
    private static final Path SOURCES = Path.of("src/main/java/org/malote");
    private static final List<Path> TESTS =
            List.of(
                    Path.of("src/test/java/org/malote"),
                    Path.of("../offload/src/test/java/org/malote/offload"));
    private static final List<Path> TRANSCRIPTS =
            List.of(
                    Path.of("src/test/resources/org/malote/session"),
                    Path.of("src/test/resources/org/malote/delivery"));
    private static final int REQUIREMENTS = 60;
    private static final Pattern NUMBERS = Pattern.compile("AMTP((?: [0-9]+)+)");
    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");

    /// Those that no dialogue shows: authorities, ports, TLS and look-ups come before it, where
    /// mail goes is found before a word is said, a notification is made from a failure, not from
    /// a session, and whom to complain to is told to the operator, not to the peer.
    private static final Set<Integer> WITHOUT_DIALOGUE =
            Set.of(5, 7, 10, 11, 12, 13, 16, 18, 19, 48);

    /// One row.
    private record Row(
            int number,
            String section,
            List<String> where,
            List<String> proofs,
            boolean hasDeviation) {}

    @Test
    void everyRequirementHasATranscriptThatNamesIt() throws IOException {
        Map<String, Set<Integer>> named = named();
        for (Row row : rows()) {
            boolean isShown = false;
            for (String proof : row.proofs()) {
                if (proof.contains("#")) {
                    assertTestIsThere(row, proof);
                } else {
                    assertTrue(named.containsKey(proof), row.number() + ": there is no " + proof);
                    assertTrue(
                            named.getOrDefault(proof, Set.of()).contains(row.number()),
                            proof + " does not say that it proves " + row.number());
                    isShown = true;
                }
            }
            assertFalse(row.proofs().isEmpty(), row.number() + " is proved by nothing");
            assertEquals(
                    !WITHOUT_DIALOGUE.contains(row.number()),
                    isShown,
                    row.number() + " has a transcript");
        }
    }

    /// No number is forgotten: each has a row, or is named with the reason why it has none.
    @Test
    void everyNumberIsThere() throws IOException {
        Set<Integer> numbers = new TreeSet<>();
        rows().forEach(row -> numbers.add(row.number()));
        String text = Files.readString(Path.of("AMTP.md"));
        Pattern.compile("[0-9]+")
                .matcher(text.substring(text.indexOf("Without a row:")))
                .results()
                .forEach(
                        one ->
                                assertTrue(
                                        numbers.add(Integer.valueOf(one.group())),
                                        one.group() + " has a row"));
        assertEquals(
                new TreeSet<>(IntStream.rangeClosed(1, REQUIREMENTS).boxed().toList()), numbers);
    }

    @Test
    void everyTranscriptThatNamesARequirementIsInItsRow() throws IOException {
        Map<String, Set<Integer>> told = new TreeMap<>();
        for (Row row : rows()) {
            for (String proof : row.proofs()) {
                if (!proof.contains("#")) {
                    told.computeIfAbsent(proof, _ -> new TreeSet<>()).add(row.number());
                }
            }
        }
        Map<String, Set<Integer>> named = named();
        named.values().removeIf(Set::isEmpty);
        assertEquals(named, told);
    }

    @Test
    void everyRequirementIsCitedWhereItIsDone() throws IOException {
        for (Row row : rows()) {
            assertFalse(row.where().isEmpty(), row.number() + " is done nowhere");
            boolean isExcused = !row.hasDeviation();
            for (String where : row.where()) {
                // A citation may be broken over two lines of a comment.
                String source =
                        Files.readString(SOURCES.resolve(where + ".java"))
                                .replaceAll("\\s*\\R\\s*//+ ?", " ");
                if (row.section().startsWith("§")) {
                    assertTrue(
                            source.toLowerCase(Locale.ROOT).contains("draft-weinman-amtp-03"),
                            where + " does not cite the draft");
                    assertTrue(
                            Pattern.compile(Pattern.quote(row.section()) + "(?![.0-9]*[0-9])")
                                    .matcher(source)
                                    .find(),
                            where + " does not cite " + row.section() + " for " + row.number());
                }
                isExcused |= source.contains("Deviation:");
            }
            assertTrue(isExcused, row.number() + ": its deviation is no comment in the code");
        }
    }

    private static List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (String line : Files.readAllLines(Path.of("AMTP.md"))) {
            if (line.matches("\\| [0-9]+ \\|.*")) {
                String[] cells = line.split("\\|", -1);
                assertEquals(8, cells.length, "cells of: " + line);
                int number = Integer.parseInt(cells[1].strip());
                assertTrue(numbers.add(number), number + " is there twice");
                rows.add(
                        new Row(
                                number,
                                cells[3].strip(),
                                quoted(cells[4]),
                                quoted(cells[5]),
                                !cells[6].isBlank()));
            }
        }
        assertTrue(rows.size() >= 16, "the table is there");
        return rows;
    }

    private static List<String> quoted(String cell) {
        return QUOTED.matcher(cell).results().map((MatchResult one) -> one.group(1)).toList();
    }

    /// Each transcript, and the requirements that its first line names.
    private static Map<String, Set<Integer>> named() throws IOException {
        Map<String, Set<Integer>> named = new TreeMap<>();
        for (Path folder : TRANSCRIPTS) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    String name = file.getFileName().toString();
                    if (name.endsWith(".smtp") || name.endsWith(".peer")) {
                        Set<Integer> numbers = new TreeSet<>();
                        NUMBERS.matcher(Files.readAllLines(file).getFirst())
                                .results()
                                .flatMap(list -> Stream.of(list.group(1).strip().split(" ", -1)))
                                .map(Integer::valueOf)
                                .forEach(numbers::add);
                        named.put(name, numbers);
                    }
                }
            }
        }
        return named;
    }

    private static void assertTestIsThere(Row row, String proof) throws IOException {
        String[] sides = proof.split("#", 2);
        List<Path> classes = new ArrayList<>();
        for (Path folder : TESTS) {
            try (Stream<Path> files = Files.walk(folder)) {
                files.filter(file -> file.endsWith(sides[0] + ".java")).forEach(classes::add);
            }
        }
        assertEquals(1, classes.size(), row.number() + ": " + proof);
        String source = Files.readString(classes.getFirst());
        assertTrue(
                Pattern.compile(
                                "@(Test|ParameterizedTest\\s+@EnumSource)\\s+void "
                                        + Pattern.quote(sides[1])
                                        + "\\(")
                        .matcher(source)
                        .find(),
                row.number() + ": there is no " + proof);
    }
}
