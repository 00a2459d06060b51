package org.malote.offload;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// Ticket keys in a file: they survive a restart, and servers that share the file resume each
/// other's sessions. Whoever comes first when a key is due makes it, an interval before it seals,
/// so
/// the others have read it by then. A server that may not write only reads, which lets a file be
/// copied to where nothing is shared.
///
/// The file is the owner's alone. With a secret it is sealed as well (AES-256-GCM), which matters
/// where the disk leaves the house: who has a ticket key and a recording can read the TLS 1.2
/// sessions that were resumed or begun under it.
///
/// Threads: any; processes too, which a lock beside the file keeps apart.
final class TicketKeyFile implements TicketKeySource {
    private static final String HEADER = "malote ticket keys 1";
    private static final String SEALED_HEADER = "malote ticket keys 1 sealed";

    /// Many times the largest.
    private static final int FILE_BYTES_MAX = 64 << 10;

    /// RFC 5116 §3.2.
    private static final int NONCE_BYTES = 12;

    private static final int TAG_BITS = 128;

    /// As much as the cipher's own key.
    private static final int SECRET_BYTES_MIN = 32;

    private final Path file;
    private final @Nullable Path secretFile;
    private final Duration interval;
    private final Duration lifetime;
    private final SecureRandom random;

    TicketKeyFile(
            Path file,
            @Nullable Path secretFile,
            Duration interval,
            Duration lifetime,
            SecureRandom random) {
        this.file = file;
        this.secretFile = secretFile;
        this.interval = interval;
        this.lifetime = lifetime;
        this.random = random;
    }

    @Override
    public TicketKeys keys(Instant now) throws IOException, TlsProblems {
        TicketKeys kept = read();
        // Most looks change nothing, and take no lock.
        return kept != null && kept.at(now, interval, lifetime, random).equals(kept)
                ? kept
                : change(now, null);
    }

    @Override
    public void adopt(TicketKeys others, Instant now) throws IOException, TlsProblems {
        change(now, others);
    }

    @Override
    public List<String> problems() {
        try {
            if (secretFile != null) {
                Arrays.fill(secret(), (byte) 0);
            }
            TicketKeys _ = read();
            return List.of();
        } catch (TlsProblems e) {
            return e.problems();
        } catch (IOException e) {
            return TlsContexts.ticketProblem(e).problems();
        }
    }

    private synchronized TicketKeys change(Instant now, @Nullable TicketKeys others)
            throws IOException, TlsProblems {
        try {
            SelfSigned.makePrivateDirectory(parent());
            Path lockFile = file.resolveSibling(file.getFileName() + ".lock");
            try (FileChannel channel =
                            FileChannel.open(
                                    lockFile,
                                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                                    SelfSigned.mode(file, "rw-------"));
                    FileLock _ = channel.lock()) {
                TicketKeys kept = read(); // another may have been faster
                TicketKeys next = kept == null ? TicketKeys.first(interval, random, now) : kept;
                if (others != null) {
                    next = next.with(others);
                }
                next = next.at(now, interval, lifetime, random);
                if (!next.equals(kept)) {
                    SelfSigned.writeAtomically(file, text(next));
                }
                return next;
            }
        } catch (OverlappingFileLockException _) {
            TicketKeys kept = read();
            if (kept != null) {
                return kept; // another part of this process is about to
            }
            throw new IOException("another part of this process makes the first keys");
        } catch (AccessDeniedException e) {
            TicketKeys kept = read();
            if (kept != null) {
                return kept; // a reader
            }
            throw e;
        } catch (FileSystemException e) {
            TicketKeys kept = read();
            if (kept != null && !Files.isWritable(parent())) {
                return kept; // a reader, on a file system that is mounted so
            }
            throw e;
        }
    }

    private Path parent() {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? Path.of("/") : parent;
    }

    /// Null when there is no file.
    @Nullable TicketKeys read() throws IOException, TlsProblems {
        PemFile.requirePrivate(file, "key file");
        String text;
        try (InputStream in = Files.newInputStream(file)) {
            text = new String(in.readNBytes(FILE_BYTES_MAX), StandardCharsets.US_ASCII);
        } catch (NoSuchFileException _) {
            return null;
        }
        try {
            List<String> lines = new ArrayList<>(text.lines().toList());
            String header = lines.isEmpty() ? "" : lines.removeFirst();
            if (header.equals(SEALED_HEADER)) {
                lines = new ArrayList<>(unsealed(String.join("", lines)).lines().toList());
            } else if (!header.equals(HEADER) || secretFile != null) {
                throw damaged(
                        secretFile != null && header.equals(HEADER)
                                ? "it is not sealed with the secret"
                                : "it holds something else");
            }
            return keysOf(lines);
        } catch (DateTimeException | IllegalArgumentException e) {
            throw damaged(PemFile.firstLine(e.getMessage()));
        }
    }

    private TicketKeys keysOf(List<String> lines) throws TlsProblems {
        List<TicketKey> keys = new ArrayList<>();
        for (String line : lines) {
            String[] fields = line.split(" ", -1);
            byte[] secret =
                    fields.length == 2 ? Base64.getDecoder().decode(fields[1]) : new byte[0];
            if (secret.length != TicketKey.BYTES) {
                throw damaged("a line is cut");
            }
            keys.add(new TicketKey(Instant.parse(fields[0]), secret));
        }
        if (keys.isEmpty()) {
            throw damaged("it holds no key");
        }
        return new TicketKeys(keys);
    }

    private TlsProblems damaged(String how) {
        return PemFile.problem(
                String.format(
                        "the ticket key file %s cannot be used (%s): delete it, and sessions of"
                                + " before are not resumed",
                        file, how));
    }

    private String text(TicketKeys keys) throws TlsProblems {
        StringBuilder lines = new StringBuilder();
        for (TicketKey key : keys.keys()) {
            lines.append(key.sealsFrom())
                    .append(' ')
                    .append(Base64.getEncoder().encodeToString(key.secret()))
                    .append('\n');
        }
        return secretFile == null
                ? HEADER + "\n" + lines
                : SEALED_HEADER + "\n" + sealed(lines.toString()) + "\n";
    }

    private String sealed(String text) throws TlsProblems {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] box = cipher(Cipher.ENCRYPT_MODE, nonce, text.getBytes(StandardCharsets.US_ASCII));
        byte[] all = Arrays.copyOf(nonce, nonce.length + box.length);
        System.arraycopy(box, 0, all, nonce.length, box.length);
        return Base64.getEncoder().encodeToString(all);
    }

    private String unsealed(String text) throws TlsProblems {
        byte[] all = Base64.getDecoder().decode(text);
        if (all.length < NONCE_BYTES) {
            throw damaged("a line is cut");
        }
        return new String(
                cipher(
                        Cipher.DECRYPT_MODE,
                        Arrays.copyOf(all, NONCE_BYTES),
                        Arrays.copyOfRange(all, NONCE_BYTES, all.length)),
                StandardCharsets.US_ASCII);
    }

    private byte[] cipher(int mode, byte[] nonce, byte[] text) throws TlsProblems {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(
                    mode,
                    new SecretKeySpec(SignatureScheme.Digest.SHA256.of(secret()), "AES"),
                    new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(SEALED_HEADER.getBytes(StandardCharsets.US_ASCII));
            return cipher.doFinal(text);
        } catch (GeneralSecurityException _) {
            throw damaged("it was sealed with another secret, or changed");
        }
    }

    private byte[] secret() throws TlsProblems {
        if (secretFile == null) {
            throw damaged("it is sealed, and ticket-key-secret names no secret");
        }
        PemFile.requirePrivate(secretFile, "key file");
        byte[] secret;
        try (InputStream in = Files.newInputStream(secretFile)) {
            secret = in.readNBytes(FILE_BYTES_MAX);
        } catch (IOException e) {
            throw PemFile.problem(
                    String.format(
                            "the ticket key secret %s cannot be read (%s): create it with mode 600",
                            secretFile, PemFile.reason(e)));
        }
        if (secret.length < SECRET_BYTES_MIN) {
            throw PemFile.problem(
                    String.format(
                            "the ticket key secret %s has %d bytes: put at least %d random ones there",
                            secretFile, secret.length, SECRET_BYTES_MIN));
        }
        return secret;
    }
}
