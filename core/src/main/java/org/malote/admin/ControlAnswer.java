package org.malote.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/// Writes one answer, line by line. Each line is an object with one field, whose name says what
/// its value is. Nothing gathers here: a client that does not read makes the server's side wait.
final class ControlAnswer {
    /// Messages looked at between two signs of life. Ours: some milliseconds of work, so that a
    /// client that has gone away is noticed soon, and costs nothing when it has not.
    private static final int MESSAGES_A_TICK = 1000;

    private final Writer out;
    private long seen;

    ControlAnswer(OutputStream out) {
        this.out = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.US_ASCII));
    }

    /// The client went away, or the server closes.
    static final class ClientGoneException extends IOException {
        private static final long serialVersionUID = 1L;

        ClientGoneException(IOException cause) {
            super("the client went away: " + cause.getMessage(), cause);
        }
    }

    void line(String kind, JsonNode value) throws ClientGoneException {
        ObjectNode line = JsonNodeFactory.instance.objectNode();
        line.set(kind, value);
        try {
            out.write(JsonLines.write(line));
            out.write('\n');
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }

    /// One more message was looked at; tells the client now and then.
    ///
    /// @param of how many there are to look at, as far as is known
    void tick(long of) throws ClientGoneException {
        if (++seen % MESSAGES_A_TICK == 0) {
            ObjectNode progress = JsonNodeFactory.instance.objectNode();
            line("progress", progress.put("seen", seen).put("of", Math.max(of, seen)));
            flush();
        }
    }

    void done(Counts counts) throws ClientGoneException {
        ObjectNode done = JsonNodeFactory.instance.objectNode();
        line(
                "done",
                done.put("messages", counts.messages()).put("recipients", counts.recipients()));
        flush();
    }

    void error(String sentence) throws ClientGoneException {
        line("error", JsonNodeFactory.instance.textNode(sentence));
        flush();
    }

    void flush() throws ClientGoneException {
        try {
            out.flush();
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }
}
