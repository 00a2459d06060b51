package org.malote.admin;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.Observations.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps what was observed over restarts: `{"version":1,"rows":[…]}`, each row as of
/// [ObservedJson]. It is replaced as a whole, so that a crash leaves the old one or the new one.
/// Waits for the disk.
public final class ObservedFile {
    private static final Logger LOG = LoggerFactory.getLogger(ObservedFile.class);

    /// Below the state.
    public static final String NAME = "amtp-observed.json";

    /// Ours: as many rows as there may be, with every code in each.
    private static final int BYTES_MAX = 16 << 20;

    private static final int VERSION = 1;

    private final Path file;

    /// What is in it; nothing is written twice.
    private List<Row> saved = List.of();

    public ObservedFile(Path state) {
        file = state.resolve(NAME);
    }

    /// Reads it. One that cannot be read is set aside, with a line in the log, and nothing was
    /// observed: what it holds is worth less than a start.
    public List<Row> load() {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(BYTES_MAX + 1);
        } catch (NoSuchFileException _) {
            return List.of();
        } catch (IOException e) {
            LOG.warn("{} cannot be read, and begins anew: {}", file, e.getMessage());
            return List.of();
        }
        try {
            if (bytes.length > BYTES_MAX) {
                throw new IllegalArgumentException("it has more than 16 MiB");
            }
            return rows(JsonLines.read(bytes, bytes.length));
        } catch (JacksonException _) {
            setAside("it is not JSON");
        } catch (IllegalArgumentException | IOException e) {
            setAside(String.valueOf(e.getMessage()));
        }
        return List.of();
    }

    private static List<Row> rows(@Nullable JsonNode json) {
        if (json == null
                || json.path("version").asInt() != VERSION
                || !json.path("rows").isArray()) {
            throw new IllegalArgumentException("it is of another version");
        }
        List<Row> rows = new ArrayList<>();
        json.path("rows").forEach(row -> rows.add(ObservedJson.read(row)));
        return rows;
    }

    private void setAside(String reason) {
        Path aside = file.resolveSibling(NAME + ".broken");
        try {
            Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
            LOG.warn("{} was set aside as {}: {}", file, aside.getFileName(), reason);
        } catch (IOException e) {
            LOG.warn("{} is broken ({}), and stays: {}", file, reason, e.getMessage());
        }
    }

    /// Writes it, for its owner alone. What cannot be written is logged: the next time may do
    /// better.
    public synchronized void save(List<Row> rows) {
        if (rows.equals(saved)) {
            return;
        }
        Path temporary = file.resolveSibling(NAME + ".new");
        try {
            Files.deleteIfExists(temporary); // of a process that was killed
            try (FileChannel channel =
                    FileChannel.open(
                            temporary,
                            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------")))) {
                write(channel, "{\"version\":" + VERSION + ",\"rows\":[");
                String separator = "\n";
                for (Row row : rows) {
                    write(channel, separator + JsonLines.write(ObservedJson.write(row)));
                    separator = ",\n";
                }
                write(channel, "\n]}\n");
                channel.force(true);
            }
            Files.move(
                    temporary,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            saved = List.copyOf(rows);
        } catch (IOException e) {
            LOG.warn("{} cannot be written: {}", file, e.getMessage());
        }
    }

    private static void write(FileChannel channel, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
