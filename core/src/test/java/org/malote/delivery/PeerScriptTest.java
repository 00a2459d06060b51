package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every `*.peer` file, played four ways: segmentation never matters.
final class PeerScriptTest {
    @TestFactory
    List<DynamicTest> everyHostIsAnsweredAsItsFileSays() throws IOException, URISyntaxException {
        List<DynamicTest> tests = new ArrayList<>();
        URL one = PeerScriptTest.class.getResource("one-message-in-two-round-trips.peer");
        assertTrue(one != null, "the scripts are on the class path");
        Path folder = Path.of(one.toURI()).resolveSibling("");
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".peer")).sorted().toList()) {
                List<String> lines = Files.readAllLines(file);
                for (PeerScript.Split split : PeerScript.Split.values()) {
                    tests.add(
                            DynamicTest.dynamicTest(
                                    file.getFileName() + " " + split, () -> play(lines, split)));
                }
            }
        }
        assertTrue(tests.size() > 40, "the scripts were found");
        return tests;
    }

    private static void play(List<String> lines, PeerScript.Split split) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(41);
        int rounds = split == PeerScript.Split.RANDOM ? 4 : 1;
        for (int i = 0; i < rounds; i++) {
            new PeerScript(lines, split, random).play();
        }
    }
}
