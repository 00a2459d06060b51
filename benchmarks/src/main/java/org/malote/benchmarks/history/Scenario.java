package org.malote.benchmarks.history;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// In what situation something was measured: `16 clients, 8192 octets`, `TLSv1.3-full`.
record Scenario(List<Part> parts) implements Comparable<Scenario> {
    /// A part that has no name but what it says.
    static final String CASE = "case";

    /// As many digits as a `long` surely holds.
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    record Part(String name, String value) {
        private boolean isNumber() {
            return NUMBER.matcher(value).matches();
        }

        private String text() {
            if (name.equals(CASE)) {
                return value;
            }
            if (!isNumber()) {
                return name + " " + value;
            }
            boolean isOne = Long.parseLong(value) == 1 && name.endsWith("s");
            return Long.parseLong(value)
                    + " "
                    + (isOne ? name.substring(0, name.length() - 1) : name);
        }
    }

    Scenario {
        parts = List.copyOf(parts);
    }

    static Scenario of(String text) {
        return new Scenario(List.of(new Part(CASE, text)));
    }

    Scenario with(String name, String value) {
        List<Part> more = new ArrayList<>(parts);
        more.add(new Part(name, value));
        return new Scenario(more);
    }

    Scenario without(String name) {
        return new Scenario(parts.stream().filter(part -> !part.name.equals(name)).toList());
    }

    /// Empty when it has no such part.
    String value(String name) {
        for (Part part : parts) {
            if (part.name.equals(name)) {
                return part.value;
            }
        }
        return "";
    }

    /// The number of a part, 0 when there is none.
    long number(String name) {
        String value = value(name);
        return NUMBER.matcher(value).matches() ? Long.parseLong(value) : 0;
    }

    String text() {
        List<String> texts = new ArrayList<>();
        for (Part part : parts) {
            texts.add(part.text());
        }
        return String.join(", ", texts);
    }

    /// Numbers by their size.
    @Override
    public int compareTo(Scenario other) {
        return ordered().compareTo(other.ordered());
    }

    private String ordered() {
        return NUMBER.matcher(text()).replaceAll(Scenario::padded);
    }

    private static String padded(MatchResult number) {
        return "0".repeat(Math.max(0, 12 - number.group().length())) + number.group();
    }
}
