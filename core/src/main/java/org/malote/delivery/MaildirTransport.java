package org.malote.delivery;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeHeader;
import org.malote.queue.Claim;
import org.malote.queue.ClaimedRecipient;
import org.malote.queue.Durability;
import org.malote.queue.MessageBody;
import org.malote.queue.Recipient;
import org.malote.smtp.BodyType;
import org.malote.smtp.MailHost;
import org.malote.smtp.MailParameters;
import org.malote.smtp.Mailbox;
import org.malote.smtp.Printable;
import org.malote.smtp.Reply;
import org.malote.smtp.wire.AddressParser;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes messages into Maildirs: `tmp`, force, rename into `new`, force of the directory. When a
/// recipient is reported as delivered, its file is on stable storage. A crash before the queue has
/// recorded it makes a second file, never a lost one.
///
/// For any thread; all work with the disk is done on the io executor.
///
/// Lines end in LF on the disk, as readers of Maildirs expect. A message with `BODY=BINARYMIME`
/// keeps every octet, since in binary parts CR LF are data (RFC 3030 §3).
///
/// A Maildir that does not exist is made. `cur` is made last, after everything above it has been
/// forced: so where `cur` exists, no parent can vanish in a crash, and only a new Maildir costs
/// those forces.
public final class MaildirTransport {
    private static final Logger LOG = LoggerFactory.getLogger(MaildirTransport.class);

    /// How [RecipientOutcome.Delivered#host()] names us.
    public static final String HOST = "maildir";

    /// One piece in memory for each claim in work.
    private static final int PIECE_OCTETS = 64 * 1024;

    private static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<Set<PosixFilePermission>> DIRECTORY_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Executor io;
    private final Path directory;
    private final InstantSource clock;
    private final Durability durability;
    private final String hostInNames;
    private final String runInNames;
    private final AtomicLong sequence = new AtomicLong();

    /// @param io runs the deliveries; they block on the disk
    /// @param directory what relative templates are relative to
    /// @param hostname our name, a part of file names
    /// @param random makes this run's part of file names; used here only
    /// @param durability whether files are forced
    public MaildirTransport(
            Executor io,
            Path directory,
            String hostname,
            InstantSource clock,
            RandomGenerator random,
            Durability durability) {
        this.io = io;
        this.directory = directory;
        this.clock = clock;
        this.durability = durability;
        // The Maildir convention: a slash or colon in the host's name is written in octal.
        this.hostInNames = hostname.replace("/", "\\057").replace(":", "\\072");
        this.runInNames = HexFormat.of().toHexDigits(random.nextLong());
    }

    /// Delivers to recipients of a claim, each with a file of its own.
    ///
    /// @param recipients all of the claim's, or those that this route is for
    /// @param done told once, on the io executor (or on this thread when it has stopped), what
    ///     became of each. The claim is not settled
    public void deliver(
            Claim claim,
            List<ClaimedRecipient> recipients,
            Via.Maildir via,
            Consumer<AttemptResult> done) {
        Mail mail =
                new Mail(
                        claim.messageId().toString(),
                        claim.sender(),
                        claim.destination(),
                        claim.attributes(),
                        recipients,
                        claim::body);
        deliver(mail, via, done);
    }

    /// What is delivered.
    ///
    /// @param id for the log
    record Mail(
            String id,
            String sender,
            String destination,
            Map<String, String> attributes,
            List<ClaimedRecipient> recipients,
            Body body) {}

    /// Opens the message, once for each recipient.
    interface Body {
        MessageBody open() throws IOException;
    }

    void deliver(Mail mail, Via.Maildir via, Consumer<AttemptResult> done) {
        try {
            io.execute(() -> done.accept(deliverSafely(mail, via)));
        } catch (RejectedExecutionException e) {
            done.accept(allFailed(mail, temporary("4.3.2", "delivery has stopped", "stopping")));
        }
    }

    /// Whoever waits is told, even when we are at fault: else the claim would never end.
    private AttemptResult deliverSafely(Mail mail, Via.Maildir via) {
        try {
            return deliverAll(mail, via);
        } catch (RuntimeException | OutOfMemoryError e) {
            LOG.error("The delivery of {} failed by a fault of ours", mail.id(), e);
            return allFailed(
                    mail, temporary("4.3.0", "the mailbox cannot be written for now", "a fault"));
        }
    }

    private AttemptResult deliverAll(Mail mail, Via.Maildir via) {
        MaildirPath template;
        try {
            template = MaildirPath.parse(via.template(), directory);
        } catch (IllegalArgumentException e) {
            return allFailed(
                    mail,
                    temporary("4.3.5", "mailbox misconfigured", String.valueOf(e.getMessage())));
        }
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_OCTETS);
        List<AttemptResult.Entry> entries = new ArrayList<>();
        for (ClaimedRecipient recipient : mail.recipients()) {
            entries.add(
                    new AttemptResult.Entry(
                            recipient.index(),
                            deliverOne(mail, recipient.recipient(), template, piece)));
        }
        return new AttemptResult(entries);
    }

    private RecipientOutcome deliverOne(
            Mail mail, Recipient recipient, MaildirPath template, ByteBuffer piece) {
        Mailbox mailbox = mailbox(recipient, mail.destination());
        if (mailbox == null) {
            return new RecipientOutcome.Failed(
                    Failure.local(
                            FailureScope.RECIPIENT, true, "5.1.3", "the address cannot be read"));
        }
        try {
            Path maildir = template.resolve(mailbox);
            String name = write(mail, recipient, template, maildir, piece);
            LOG.debug("{} is {} in {}", mail.id(), name, maildir);
            return new RecipientOutcome.Delivered(
                    HOST, Reply.of(250, "2.0.0", "delivered to the maildir"), false);
        } catch (IOException | InvalidPathException e) {
            Failure failure = failure(e);
            // The engine logs it, as any failure.
            return new RecipientOutcome.Failed(failure);
        }
    }

    /// A postmaster without a domain (RFC 5321 §4.5.1) is the destination's.
    private static @Nullable Mailbox mailbox(Recipient recipient, String destination) {
        Mailbox mailbox = AddressParser.parseMailbox(recipient.address());
        MailHost host = AddressParser.parseHost(destination);
        if (mailbox == null
                && host != null
                && recipient.address().toLowerCase(Locale.ROOT).equals("postmaster")) {
            return new Mailbox("postmaster", host);
        }
        return mailbox;
    }

    /// @return the name of the file in `new`
    private String write(
            Mail mail, Recipient recipient, MaildirPath template, Path maildir, ByteBuffer piece)
            throws IOException {
        prepare(template.base(), maildir);
        String unique = uniqueName();
        Path temporary = maildir.resolve("tmp").resolve(unique);
        boolean moved = false;
        try (FileChannel file =
                FileChannel.open(
                        temporary,
                        Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
                        FILE_MODE)) {
            boolean isBinary =
                    MailParameters.fromAttributes(mail.attributes(), 0).body()
                            == BodyType.BINARY_MIME;
            String lineEnd = isBinary ? "\r\n" : "\n";
            writeFully(file, ByteBuffer.wrap(heading(mail, recipient, lineEnd)));
            // draft-weinman-amtp-03 §4.4.4
            writeFully(file, ByteBuffer.wrap(CodeHeader.of(mail.attributes(), lineEnd)));
            try (MessageBody body = mail.body().open()) {
                if (isBinary) {
                    copy(body, file, piece);
                } else {
                    copyWithLocalLineEnds(body, file, piece);
                }
            }
            // Quota tools read the size from the name (Maildir++).
            String name = unique + ",S=" + file.position();
            if (durability == Durability.COMMIT) {
                file.force(false); // the size is forced with the data: fdatasync(2)
            }
            Path delivered = maildir.resolve("new");
            Files.move(temporary, delivered.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            moved = true;
            forceDirectory(delivered);
            return name;
        } finally {
            if (!moved) {
                deleteQuietly(temporary);
            }
        }
    }

    /// RFC 5321 §4.4: the reverse-path is written down at final delivery.
    private static byte[] heading(Mail mail, Recipient recipient, String end) {
        return ("Return-Path: <"
                        + inHeader(mail.sender())
                        + ">"
                        + end
                        + "Delivered-To: "
                        + inHeader(recipient.address())
                        + end)
                .getBytes(StandardCharsets.UTF_8);
    }

    /// Addresses have no controls: [Mailbox] sees to it. This holds even when a queue was written
    /// by something else.
    private static String inHeader(String address) {
        for (int i = 0; i < address.length(); i++) {
            if (Character.isISOControl(address.charAt(i))) {
                return Printable.escape(address);
            }
        }
        return address;
    }

    private static void copy(MessageBody body, FileChannel file, ByteBuffer piece)
            throws IOException {
        while (body.read(piece.clear()) >= 0) {
            writeFully(file, piece.flip());
        }
    }

    /// CR LF becomes LF, over the borders of pieces too; a CR or LF alone stays.
    private static void copyWithLocalLineEnds(MessageBody body, FileChannel file, ByteBuffer piece)
            throws IOException {
        boolean endsInCr = false;
        while (true) {
            piece.clear();
            if (endsInCr) {
                piece.put((byte) '\r');
            }
            int kept = piece.position();
            boolean isLast = body.read(piece) < 0;
            int length = isLast ? kept : piece.position();
            int write = 0;
            endsInCr = false;
            for (int read = 0; read < length; read++) {
                byte octet = piece.get(read);
                if (octet == '\r') {
                    if (read + 1 == length && !isLast) {
                        endsInCr = true;
                        continue;
                    }
                    if (read + 1 < length && piece.get(read + 1) == '\n') {
                        continue;
                    }
                }
                piece.put(write++, octet);
            }
            writeFully(file, piece.position(0).limit(write));
            if (isLast) {
                return;
            }
        }
    }

    private static void writeFully(FileChannel file, ByteBuffer octets) throws IOException {
        while (octets.hasRemaining()) {
            file.write(octets);
        }
    }

    /// Seconds, a part that is unique on this host, the host: the Maildir convention.
    private String uniqueName() {
        Instant now = clock.instant();
        return now.getEpochSecond()
                + ".M"
                + now.getNano() / 1_000
                + "R"
                + runInNames
                + "Q"
                + sequence.incrementAndGet()
                + "."
                + hostInNames;
    }

    /// Sees to it that the Maildir is there, that its path will survive a crash, and that it is
    /// where the template says.
    private void prepare(Path base, Path maildir) throws IOException {
        Path incoming = maildir.resolve("tmp");
        Path delivered = maildir.resolve("new");
        Path seen = maildir.resolve("cur");
        if (!Files.isDirectory(seen)
                || !Files.isDirectory(incoming)
                || !Files.isDirectory(delivered)) {
            Deque<Path> missing = new ArrayDeque<>();
            for (Path path = maildir; path != null && !Files.isDirectory(path); ) {
                missing.push(path);
                path = path.getParent();
            }
            for (Path path : missing) {
                Path parent = path.getParent();
                if (parent != null && parent.startsWith(base)) {
                    checkInside(base, parent);
                }
                makeDirectory(path);
            }
            checkInside(base, maildir);
            makeDirectory(incoming);
            makeDirectory(delivered);
            // An earlier start may have made parents and crashed before it forced them, so all are
            // forced up to the root, not only the new ones. This happens once for a Maildir.
            for (Path path = maildir; path != null; path = path.getParent()) {
                forceDirectory(path);
            }
            makeDirectory(seen);
        }
        checkInside(base, incoming);
        checkInside(base, delivered);
    }

    /// A link inside the tree must not lead out of it: the one who can make links there may be a
    /// user, and the mail is another's. (Who can swap a directory between this check and the next
    /// line is not kept out; nobody but the mail server should write above the Maildirs.)
    private static void checkInside(Path base, Path directory) throws IOException {
        if (!directory.toRealPath().startsWith(base.toRealPath())) {
            throw new IOException(
                    directory
                            + " leads out of "
                            + base
                            + " by a symbolic link; name the place it leads to in a route of its own");
        }
    }

    private static void makeDirectory(Path path) throws IOException {
        try {
            Files.createDirectory(path, DIRECTORY_MODE);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(path)) {
                throw e;
            }
        }
    }

    private void forceDirectory(Path path) throws IOException {
        if (durability != Durability.COMMIT) {
            return;
        }
        try (FileChannel entries = FileChannel.open(path, StandardOpenOption.READ)) {
            entries.force(true);
        } catch (AccessDeniedException e) {
            // A parent that may be passed through and not read was not made by us.
            if (Files.isExecutable(path)) {
                return;
            }
            throw e;
        }
    }

    private static void deleteQuietly(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            LOG.debug("{} stays behind: {}", temporary, e.getMessage());
        }
    }

    /// Whatever the disk does is temporary: an operator can cure it, and the mail is in the queue.
    private static Failure failure(Exception e) {
        String detail = detail(e);
        String lower = detail.toLowerCase(Locale.ROOT);
        if (lower.contains("quota")) {
            return temporary("4.2.2", "the mailbox is full", detail);
        }
        if (lower.contains("no space")) {
            return temporary("4.3.1", "the mail system's disk is full", detail);
        }
        return temporary("4.2.0", "the mailbox cannot be written for now", detail);
    }

    private static String detail(Exception e) {
        if (e instanceof AccessDeniedException denied) {
            return "permission denied: " + denied.getFile();
        }
        if (e instanceof FileAlreadyExistsException exists) {
            return exists.getFile() + " is in the way: it is not a directory";
        }
        if (e instanceof NoSuchFileException missing) {
            return missing.getFile() + " does not exist";
        }
        if (e instanceof FileSystemException) {
            return String.valueOf(e.getMessage());
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private static Failure temporary(String status, String sentence, String detail) {
        return new Failure(
                FailureScope.RECIPIENT,
                false,
                Reply.of(451, status, sentence),
                sentence + ": " + detail,
                null);
    }

    private static AttemptResult allFailed(Mail mail, Failure failure) {
        return new AttemptResult(
                mail.recipients().stream()
                        .map(
                                recipient ->
                                        new AttemptResult.Entry(
                                                recipient.index(),
                                                new RecipientOutcome.Failed(failure)))
                        .toList());
    }
}
