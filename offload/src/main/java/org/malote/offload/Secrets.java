package org.malote.offload;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// PINs and passwords, from files that nobody else can read. They are never in a setting, a command
/// line or the log.
public final class Secrets {
    /// Longer than any PIN; a wrong path must not be read whole.
    private static final int BYTES_MAX = 1024;

    private Secrets() {}

    /// Refuses a file that others than its owner can read or write. One of [#credentials] may be
    /// its group's to read.
    ///
    /// @param what the file is, for the sentence of the problem
    /// @throws TlsProblems when it is open to others; a file that is not there is not
    public static void requirePrivate(Path file, String what) throws TlsProblems {
        PemFile.requirePrivate(file, what);
    }

    /// Where the service manager puts what this service alone can read (systemd.exec(5),
    /// `LoadCredential=`); null where it does not.
    public static @Nullable Path credentials() {
        String directory = System.getenv("CREDENTIALS_DIRECTORY");
        return directory == null || directory.isEmpty() ? null : Path.of(directory);
    }

    /// The first line of a file, without its end. The caller overwrites it after use.
    ///
    /// @throws TlsProblems when the file is not there, is open to others, or is no such file
    public static byte[] read(Path file) throws TlsProblems {
        PemFile.requirePrivate(file, "key file");
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(BYTES_MAX + 1);
        } catch (IOException e) {
            throw PemFile.problem(
                    String.format(
                            "the PIN or password file %s cannot be read (%s): create it with mode"
                                    + " 600, for the user that runs the server",
                            file, PemFile.reason(e)));
        }
        int end = 0;
        while (end < bytes.length && bytes[end] != '\n' && bytes[end] != '\r') {
            end++;
        }
        byte[] secret = Arrays.copyOf(bytes, end);
        boolean isTooLong = bytes.length > BYTES_MAX;
        Arrays.fill(bytes, (byte) 0);
        if (end == 0 || isTooLong) {
            throw PemFile.problem(
                    String.format(
                            "the PIN or password file %s must hold one line of at most %d bytes",
                            file, BYTES_MAX));
        }
        return secret;
    }

    /// The same as characters, or null without a file.
    static char @Nullable [] password(@Nullable String file) throws TlsProblems {
        if (file == null) {
            return null;
        }
        byte[] bytes = read(Path.of(file));
        try {
            CharBuffer characters =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return Arrays.copyOf(characters.array(), characters.length());
        } catch (CharacterCodingException e) {
            throw PemFile.problem(
                    String.format("the PIN or password file %s is not UTF-8 text", file));
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }
}
