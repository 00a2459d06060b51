package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The fields of one object of a request, read strictly: each has its type, and none is unknown. A
/// misspelt filter must not change all messages.
final class Fields {
    private final JsonNode object;
    private final Set<String> known = new HashSet<>();

    private Fields(JsonNode object) {
        this.object = object;
    }

    /// Reads an object whole.
    ///
    /// @throws IllegalArgumentException with a sentence that says what is wrong
    static <T> T read(JsonNode object, Function<Fields, T> reader) {
        if (!object.isObject()) {
            throw new IllegalArgumentException("a request is one JSON object on one line");
        }
        Fields fields = new Fields(object);
        T value = reader.apply(fields);
        for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!fields.known.contains(name)) {
                throw new IllegalArgumentException(
                        "the server does not know \"" + name + "\" in this request");
            }
        }
        return value;
    }

    boolean has(String name) {
        return object.has(name);
    }

    /// A field of any type.
    ///
    /// @throws IllegalArgumentException when it is not there
    JsonNode any(String name) {
        known.add(name);
        JsonNode value = object.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the request lacks \"" + name + "\"");
        }
        return value;
    }

    /// @throws IllegalArgumentException when it is not there or no text
    String text(String name) {
        JsonNode value = any(name);
        if (!value.isTextual()) {
            throw new IllegalArgumentException("\"" + name + "\" is a text");
        }
        return value.textValue();
    }

    /// @return null when it is not there
    @Nullable String textIfAny(String name) {
        known.add(name);
        return object.has(name) ? text(name) : null;
    }

    /// @throws IllegalArgumentException when it is not there or not a whole number from 0 on
    long count(String name) {
        JsonNode value = any(name);
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
            throw new IllegalArgumentException("\"" + name + "\" is a whole number from 0 on");
        }
        return value.longValue();
    }

    /// @return null when it is not there
    @Nullable Long countIfAny(String name) {
        known.add(name);
        return object.has(name) ? Long.valueOf(count(name)) : null;
    }

    /// @throws IllegalArgumentException when it is neither true nor false
    boolean flag(String name) {
        JsonNode value = any(name);
        if (!value.isBoolean()) {
            throw new IllegalArgumentException("\"" + name + "\" is true or false");
        }
        return value.booleanValue();
    }
}
