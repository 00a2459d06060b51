package org.malote.admin;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// JSON as Malote writes it, a value on a line: printable ASCII alone. What strangers sent can then
/// neither end a line nor reach a terminal as anything else than text.
public final class JsonLines {
    private static final ObjectMapper MAPPER =
            new ObjectMapper(
                            new JsonFactoryBuilder()
                                    .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .characterEscapes(new DeleteToo())
                                    .streamReadConstraints(
                                            // Ours: a request or an answer is three levels deep.
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(8)
                                                    .build())
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private JsonLines() {}

    /// RFC 8259 §7 lets DEL stand as it is; a terminal does not.
    private static final class DeleteToo extends CharacterEscapes {
        private static final long serialVersionUID = 1L;

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] codes = standardAsciiEscapesForJSON();
            codes[0x7f] = ESCAPE_STANDARD;
            return codes;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int character) {
            return null;
        }
    }

    /// Without a line feed.
    public static String write(JsonNode value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can always be written", e);
        }
    }

    /// Reads one value.
    ///
    /// @throws IOException when it is not exactly one
    static JsonNode read(byte[] bytes, int length) throws IOException {
        return MAPPER.readTree(MAPPER.createParser(bytes, 0, length));
    }
}
