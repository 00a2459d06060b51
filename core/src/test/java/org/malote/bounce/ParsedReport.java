package org.malote.bounce;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A notification read back by a small parser that knows nothing of how it was written. Text is one
/// character for each octet.
///
/// @param header of the message
/// @param readable the text of the first part
/// @param statusType the type of the second part
/// @param perMessage its first group of fields
/// @param perRecipient its other groups
/// @param returnedType the type of the third part, empty when there is none
/// @param returned the octets of the third part
record ParsedReport(
        Map<String, String> header,
        String readable,
        String statusType,
        Map<String, String> perMessage,
        List<Map<String, String>> perRecipient,
        String returnedType,
        String returned) {
    private static final Pattern BOUNDARY = Pattern.compile("boundary=\"([^\"]+)\"");

    static ParsedReport parse(String message) {
        Entity whole = Entity.parse(message);
        Matcher boundary = BOUNDARY.matcher(whole.type());
        if (!boundary.find()) {
            throw new AssertionError("no boundary: " + whole.type());
        }
        String delimiter = "\r\n--" + boundary.group(1);
        String[] pieces = ("\r\n" + whole.body()).split(Pattern.quote(delimiter), -1);
        if (pieces.length < 4 || pieces.length > 5 || !pieces[pieces.length - 1].equals("--\r\n")) {
            throw new AssertionError("not two or three parts:\n" + message);
        }
        List<Entity> parts = new ArrayList<>();
        for (int i = 1; i < pieces.length - 1; i++) {
            if (!pieces[i].startsWith("\r\n")) {
                throw new AssertionError("a delimiter goes on: " + pieces[i]);
            }
            parts.add(Entity.parse(pieces[i].substring(2)));
        }
        List<Map<String, String>> groups = new ArrayList<>();
        for (String group : parts.get(1).body().split("\r\n\r\n", -1)) {
            groups.add(fields(group.endsWith("\r\n") ? group : group + "\r\n"));
        }
        Entity last = parts.size() == 3 ? parts.get(2) : null;
        return new ParsedReport(
                whole.header(),
                parts.get(0).body(),
                parts.get(1).type(),
                groups.getFirst(),
                groups.subList(1, groups.size()),
                last == null ? "" : last.type(),
                last == null ? "" : last.body());
    }

    private record Entity(Map<String, String> header, String body) {
        static Entity parse(String text) {
            int end = text.indexOf("\r\n\r\n");
            if (end < 0) {
                throw new AssertionError("no end of the header: " + text);
            }
            return new Entity(fields(text.substring(0, end + 2)), text.substring(end + 4));
        }

        String type() {
            return header.getOrDefault("Content-Type", "none");
        }
    }

    /// Fails on a field that occurs twice, a line without a name, a line that is too long and any
    /// control but the tab.
    private static Map<String, String> fields(String text) {
        Map<String, String> fields = new LinkedHashMap<>();
        if (!text.endsWith("\r\n")) {
            throw new AssertionError("a field without its end: " + text);
        }
        String lines = text.substring(0, text.length() - 2);
        String unfolded = lines.replaceAll("\r\n[ \t]+", " ");
        for (String line : lines.split("\r\n", -1)) {
            if (line.length() > 998) {
                throw new AssertionError("a line of " + line.length());
            }
        }
        for (String line : unfolded.split("\r\n", -1)) {
            int colon = line.indexOf(':');
            if (colon < 1 || !line.substring(0, colon).matches("[A-Za-z0-9-]+")) {
                throw new AssertionError("not a field: " + line);
            }
            if (line.chars().anyMatch(c -> c < 0x20 && c != '\t')) {
                throw new AssertionError("a control in: " + line);
            }
            if (fields.put(line.substring(0, colon), line.substring(colon + 1).strip()) != null) {
                throw new AssertionError("twice: " + line);
            }
        }
        return fields;
    }
}
