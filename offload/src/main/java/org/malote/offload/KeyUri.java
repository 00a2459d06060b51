package org.malote.offload;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A key's location as a URI of the form `scheme:path?name=value&name=value`, with %xx for octets
/// that stand for something else (RFC 3986 §2.1).
///
/// @param path not decoded
/// @param query decoded
public record KeyUri(String text, String path, Map<String, String> query) {

    public KeyUri {
        query = Map.copyOf(query);
    }

    /// @param known the names that may be in the query
    /// @throws TlsProblems for an unknown or doubled name, or a wrong escape
    public static KeyUri parse(String text, Set<String> known) throws TlsProblems {
        int start = text.indexOf(':') + 1;
        int mark = text.indexOf('?', start);
        String path = mark < 0 ? text.substring(start) : text.substring(start, mark);
        String query = mark < 0 ? "" : text.substring(mark + 1);
        Map<String, String> decoded = new LinkedHashMap<>();
        for (var attribute : attributes(text, query, "&", known).entrySet()) {
            decoded.put(attribute.getKey(), decode(text, attribute.getValue()));
        }
        return new KeyUri(text, path, decoded);
    }

    /// Reads `name=value` pairs, and leaves the values as they are.
    ///
    /// @param text the whole, for the sentence of a problem
    public static Map<String, String> attributes(
            String text, String part, String separator, Set<String> known) throws TlsProblems {
        Map<String, String> attributes = new LinkedHashMap<>();
        if (part.isEmpty()) {
            return attributes;
        }
        for (String pair : part.split(separator, -1)) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            if (equals < 0 || !known.contains(name)) {
                throw PemFile.problem(
                        String.format(
                                "key %s has an attribute \"%s\" that is not known: there are %s",
                                text, name, String.join(", ", known.stream().sorted().toList())));
            }
            if (attributes.put(name, pair.substring(equals + 1)) != null) {
                throw PemFile.problem(
                        String.format("key %s has \"%s\" twice: keep one", text, name));
            }
        }
        return attributes;
    }

    /// The value of a name in the query.
    public @Nullable String query(String name) {
        return query.get(name);
    }

    /// The text of an escaped value.
    ///
    /// @param text the whole, for the sentence of a problem
    public static String decode(String text, String value) throws TlsProblems {
        return new String(octets(text, value), StandardCharsets.UTF_8);
    }

    /// The octets of an escaped value.
    ///
    /// @param text the whole, for the sentence of a problem
    public static byte[] octets(String text, String value) throws TlsProblems {
        byte[] in = value.getBytes(StandardCharsets.UTF_8);
        byte[] out = new byte[in.length];
        int length = 0;
        for (int i = 0; i < in.length; i++) {
            if (in[i] != '%') {
                out[length++] = in[i];
                continue;
            }
            int high = i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
            int low = i + 2 < in.length ? Character.digit(in[i + 2], 16) : -1;
            if (high < 0 || low < 0) {
                throw PemFile.problem(
                        String.format(
                                "key %s has a %% that is not followed by two hexadecimal digits:"
                                        + " write it as %%25",
                                text));
            }
            out[length++] = (byte) (high << 4 | low);
            i += 2;
        }
        return Arrays.copyOf(out, length);
    }
}
