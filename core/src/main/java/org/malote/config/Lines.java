package org.malote.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Finds the line of every key in a TOML text, which the parser does not tell. It is run on text
/// that the parser has accepted, so it needs to understand structure alone; on any other text it
/// finds less, and never fails.
///
/// Paths look like `queue.directory` and `listener[1].tls`.
final class Lines {
    /// Deeper than any key of ours. Deeper text is not looked into.
    private static final int DEPTH_MAX = 16;

    private final String text;
    private final Map<String, Integer> lines = new HashMap<>();
    private final Map<String, Integer> arrayTables = new HashMap<>();
    private int at;
    private int line = 1;

    private Lines(String text) {
        this.text = text;
    }

    /// The line of each key, table and array element, from 1.
    static Map<String, Integer> of(String text) {
        Lines scan = new Lines(text);
        scan.file();
        return scan.lines;
    }

    private void file() {
        String table = "";
        while (true) {
            skipBlank(true);
            if (at >= text.length()) {
                return;
            }
            int before = at;
            if (peek() == '[') {
                table = header();
            } else {
                keyValue(table, 0);
            }
            if (at == before) {
                at++; // not TOML
            }
        }
    }

    private String header() {
        int start = line;
        at++;
        boolean isArray = at < text.length() && peek() == '[';
        if (isArray) {
            at++;
        }
        List<String> parts = key();
        skipTo(']');
        if (isArray && at < text.length() && peek() == ']') {
            at++;
        }
        String path = "";
        for (int i = 0; i < parts.size(); i++) {
            path = join(path, parts.get(i));
            boolean isLast = i == parts.size() - 1;
            if (isLast && isArray) {
                int index = arrayTables.merge(path, 0, (old, _) -> old + 1);
                lines.putIfAbsent(path, start);
                path = path + "[" + index + "]";
            } else if (arrayTables.containsKey(path)) {
                path = path + "[" + arrayTables.get(path) + "]";
            }
            lines.putIfAbsent(path, start);
        }
        return path;
    }

    private void keyValue(String table, int depth) {
        int start = line;
        List<String> parts = key();
        String path = table;
        for (String part : parts) {
            path = join(path, part);
            lines.putIfAbsent(path, start);
        }
        skipBlank(false);
        if (at < text.length() && peek() == '=') {
            at++;
            skipBlank(false);
            value(path, depth);
        }
    }

    private List<String> key() {
        List<String> parts = new ArrayList<>();
        while (at < text.length()) {
            skipBlank(false);
            if (at >= text.length()) {
                break;
            }
            char c = peek();
            if (c == '"' || c == '\'') {
                parts.add(string());
            } else {
                int from = at;
                while (at < text.length() && isBare(peek())) {
                    at++;
                }
                if (at == from) {
                    break;
                }
                parts.add(text.substring(from, at));
            }
            skipBlank(false);
            if (at < text.length() && peek() == '.') {
                at++;
            } else {
                break;
            }
        }
        return parts;
    }

    private void value(String path, int depth) {
        if (at >= text.length()) {
            return;
        }
        switch (peek()) {
            case '"', '\'' -> string();
            case '[' -> {
                at++;
                elements(path, depth);
            }
            case '{' -> {
                at++;
                pairs(path, depth);
            }
            default -> {
                while (at < text.length() && ",]}#\n".indexOf(peek()) < 0) {
                    at++;
                }
            }
        }
    }

    private void elements(String path, int depth) {
        for (int index = 0; ; index++) {
            skipBlank(true);
            if (at >= text.length() || depth > DEPTH_MAX) {
                return;
            }
            if (peek() == ']') {
                at++;
                return;
            }
            String element = path + "[" + index + "]";
            lines.putIfAbsent(element, line);
            int before = at;
            value(element, depth + 1);
            skipBlank(true);
            if (at < text.length() && peek() == ',') {
                at++;
            } else if (at == before) {
                return;
            }
        }
    }

    private void pairs(String path, int depth) {
        while (true) {
            skipBlank(true);
            if (at >= text.length() || depth > DEPTH_MAX) {
                return;
            }
            if (peek() == '}') {
                at++;
                return;
            }
            int before = at;
            keyValue(path, depth + 1);
            skipBlank(true);
            if (at < text.length() && peek() == ',') {
                at++;
            } else if (at == before) {
                return;
            }
        }
    }

    /// Goes behind a string of any of the four kinds.
    ///
    /// @return its characters; escapes stay as they are, since no key of ours has any
    private String string() {
        char quote = peek();
        String triple = String.valueOf(quote).repeat(3);
        boolean isMultiLine = text.startsWith(triple, at);
        int from = at + (isMultiLine ? 3 : 1);
        at = from;
        while (at < text.length()) {
            char c = peek();
            if (c == '\\' && quote == '"') {
                at++;
                if (at < text.length() && peek() == '\n') {
                    line++;
                }
                at++;
                continue;
            }
            if (isMultiLine ? text.startsWith(triple, at) : c == quote || c == '\n') {
                break;
            }
            if (c == '\n') {
                line++;
            }
            at++;
        }
        String content = text.substring(Math.min(from, text.length()), Math.min(at, text.length()));
        if (isMultiLine) {
            // Up to two quotes may stand before the closing three.
            while (at < text.length() && peek() == quote) {
                at++;
            }
        } else if (at < text.length() && peek() == quote) {
            at++;
        }
        return content;
    }

    private void skipBlank(boolean overLines) {
        while (at < text.length()) {
            char c = peek();
            if (c == ' ' || c == '\t' || c == '\r') {
                at++;
            } else if (overLines && c == '#') {
                while (at < text.length() && peek() != '\n') {
                    at++;
                }
            } else if (overLines && c == '\n') {
                line++;
                at++;
            } else {
                return;
            }
        }
    }

    private void skipTo(char end) {
        while (at < text.length() && peek() != end && peek() != '\n') {
            at++;
        }
        if (at < text.length() && peek() == end) {
            at++;
        }
    }

    private char peek() {
        return text.charAt(at);
    }

    private static boolean isBare(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '_';
    }

    private static String join(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
