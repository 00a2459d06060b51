package org.malote.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// The journal's files as bytes: where its frames are, whichever journal wrote them. Written apart
/// from the code that it tests, from the layout in `Frames`.
final class JournalBytes {
    private static final int MAGIC = 0x4D4C5466;
    private static final int HEADER_BYTES = 40;
    private static final int HEADER_CRC_AT = 36;

    private static final Pattern EPOCH = Pattern.compile("([0-9]{7})-[0-9a-f]{16}/[^/]+$");

    private JournalBytes() {}

    /// A whole frame.
    ///
    /// @param at where it begins
    /// @param messageId the message that it is about; of a change, the first of them
    record Frame(long at, int type, int payloadBytes, long sequence, MessageId messageId) {
        /// Behind its last byte.
        long end() {
            return at + HEADER_BYTES + payloadBytes;
        }

        /// Whether it is an accepted message, or one that was carried.
        boolean isMessage() {
            return type == Records.ACCEPTED || type == Records.CARRIED;
        }
    }

    /// The files of the epochs that hold a frame, in order.
    static List<Path> files(Path spool) throws IOException {
        var found = new ArrayList<Path>();
        try (Stream<Path> walk = Files.walk(spool.resolve("epochs"))) {
            for (Path path : walk.filter(Files::isRegularFile).sorted().toList()) {
                if (!frames(path, Files.readAllBytes(path)).isEmpty()) {
                    found.add(path);
                }
            }
        }
        return found;
    }

    /// Every whole frame of a file, in order, whatever its version. A file that is used again may
    /// hold some of what it was before, behind those that count: they have another salt.
    ///
    /// @param path ends with the name of the epoch's directory and that of the file
    static List<Frame> frames(Path path, byte[] file) {
        Matcher name = EPOCH.matcher(path.toString());
        if (!name.find()) {
            return List.of();
        }
        int epoch = Integer.parseInt(name.group(1));
        long salt = 0;
        var frames = new ArrayList<Frame>();
        ByteBuffer bytes = ByteBuffer.wrap(file);
        int at = 0;
        while (at <= file.length - HEADER_BYTES) {
            if (file[at] != 'M' || bytes.getInt(at) != MAGIC) {
                at++;
                continue;
            }
            int length = bytes.getInt(at + 20);
            boolean isWhole =
                    bytes.getInt(at + 16) == epoch
                            && (frames.isEmpty() || bytes.getLong(at + 4) == salt)
                            && bytes.getInt(at + HEADER_CRC_AT) == crc(file, at, HEADER_CRC_AT)
                            && length >= Long.BYTES
                            && length <= file.length - at - HEADER_BYTES
                            && bytes.getInt(at + 32) == crc(file, at + HEADER_BYTES, length);
            if (!isWhole) {
                at++;
                continue;
            }
            int type = bytes.get(at + 13);
            // Of a change: what, when, and how many come first.
            int idAt = at + HEADER_BYTES + (type == Records.CHANGED ? 1 + Long.BYTES + 1 : 0);
            var frame =
                    new Frame(
                            at,
                            type,
                            length,
                            bytes.getLong(at + 24),
                            new MessageId(bytes.getLong(idAt)));
            frames.add(frame);
            salt = bytes.getLong(at + 4);
            at = (int) frame.end();
        }
        return frames;
    }

    /// Gives a frame another version, with a checksum that is right.
    static void setVersion(byte[] file, Frame frame, int version) {
        int at = (int) frame.at();
        file[at + 12] = (byte) version;
        ByteBuffer.wrap(file).putInt(at + HEADER_CRC_AT, crc(file, at, HEADER_CRC_AT));
    }

    private static int crc(byte[] bytes, int from, int length) {
        var crc = new CRC32C();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }
}
