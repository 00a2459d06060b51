package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Reads what the files of earlier epochs hold, whichever journal wrote them. Used once. Rows C and
/// F are those of the tables in queue/DESIGN.md.
final class Recovery {
    /// What becomes of a piece that cannot be read.
    interface Evidence {
        /// @param name of the file in its epoch
        /// @return what was done with the piece; for the operator
        String keep(DiskFile source, String name, long from, long to);
    }

    /// Chronicle writes this near the start of each file, before any record.
    private static final String CHRONICLE_MARK = "SCQStore";

    /// The mark lies within them.
    private static final int FILE_MARK_BYTES = 64;

    private final Disk disk;
    private final JournalFile[] files;
    private final JournalVisitor visitor;
    private final Evidence evidence;
    private final Executor io;
    private final boolean usesContents;

    private @Nullable DiskFile opened;
    private int file;

    /// Whether there was a whole frame in the file that was opened last.
    private boolean foundAny;

    /// The file of the last whole frame: what is lost behind it may have been in this one.
    private int wholeIn;

    /// @param files in the order in which they were written; those with damage are marked
    /// @param io reads ahead
    /// @param usesContents whether a segment need not be read that has its [Contents] beside it
    Recovery(
            Disk disk,
            JournalFile[] files,
            JournalVisitor visitor,
            Evidence evidence,
            Executor io,
            boolean usesContents) {
        this.disk = disk;
        this.files = files;
        this.visitor = visitor;
        this.evidence = evidence;
        this.io = io;
        this.usesContents = usesContents;
    }

    void run() {
        int next = 0;
        while (next < files.length) {
            int epoch = files[next].epoch();
            wholeIn = next;
            var scanner =
                    new FrameScanner(epoch, FileNames.isFirst(files[next].path()), new FrameSink());
            for (; next < files.length && files[next].epoch() == epoch; next++) {
                if (!usesContents || !recoverByContents(next, scanner)) {
                    recover(next, scanner);
                }
            }
            scanner.finish();
            visitor.onEpochEnd();
        }
    }

    /// @return false when the file must be read
    private boolean recoverByContents(int number, FrameScanner scanner) {
        try (Contents contents = Contents.open(disk, files[number], io)) {
            if (contents == null) {
                return false;
            }
            file = number;
            scanner.pass(number, contents.first(), contents.records());
            contents.tell(new FrameSink()::onFrame);
            return true;
        }
    }

    private void recover(int number, FrameScanner scanner) {
        JournalFile scanned = files[number];
        if (disk.kind(scanned.path()) != Disk.Kind.FILE) {
            // F4.
            damagedFile(number, "is no file");
            return;
        }
        try (DiskFile bytes = new ReadAhead(disk, scanned.path(), io)) {
            file = number;
            opened = bytes;
            foundAny = false;
            if (!scanner.scan(number, bytes, scanned.salt())) {
                // F5.
                damagedFile(number, "has pages that the disk cannot read");
            } else if (!foundAny && !beginsAsOurs(bytes)) {
                // F4; one that does is of rows C14 and F3.
                damagedFile(number, "holds nothing that this version can read");
            }
        } catch (IOException e) {
            damagedFile(number, "cannot be read: " + e.getMessage());
        } finally {
            opened = null;
        }
    }

    /// Whether a file without records begins as one that never had any: with zeros, as Chronicle
    /// begins it, or with a frame of what it was before it became a spare.
    private static boolean beginsAsOurs(DiskFile bytes) throws IOException {
        var start = ByteBuffer.allocate(FILE_MARK_BYTES);
        bytes.read(start, 0);
        return Arrays.equals(start.array(), new byte[FILE_MARK_BYTES])
                || start.getInt(0) == Frames.MAGIC
                || new String(start.array(), StandardCharsets.ISO_8859_1).contains(CHRONICLE_MARK);
    }

    private void damagedFile(int number, String what) {
        files[number].setDamaged();
        visitor.onDamage(files[number].path() + " " + what + "; it is kept");
    }

    private final class FrameSink implements FrameScanner.Sink {
        @Override
        public void onFrame(long offset, Frames.Header frame, ByteBuffer payload) {
            foundAny = true;
            wholeIn = file;
            long end = offset + Frames.HEADER_BYTES + frame.length();
            // F2, twice.
            if (frame.version() != Frames.VERSION) {
                damage(offset, end, "a record of format version " + frame.version());
                return;
            }
            try {
                visitor.onRecord(SpoolJournal.position(file, offset), frame.type(), payload);
            } catch (MalformedRecordException e) {
                damage(offset, end, "a record that makes no sense (" + e.getMessage() + ")");
            }
        }

        private void damage(long from, long to, String what) {
            files[file].setDamaged();
            visitor.onDamage(
                    files[file].path()
                            + " holds "
                            + what
                            + " at "
                            + from
                            + "; "
                            + keep(file, from, to));
        }

        @Override
        public void onGap(int inFile, long from, long to, long lost) {
            // C5, F1.
            for (int i = Math.min(wholeIn, inFile); i <= file; i++) {
                files[i].setDamaged();
            }
            visitor.onDamage(
                    files[inFile].path()
                            + " lost "
                            + (lost == 1 ? "a record" : lost + " records")
                            + " at "
                            + from
                            + "; "
                            + keep(inFile, from, to));
        }

        @Override
        public void onTornTail(int inFile, long from, long to) {
            // C3, C4.
            visitor.onTornTail(
                    files[inFile].path()
                            + " ends in a broken record at "
                            + from
                            + "; "
                            + keep(inFile, from, to));
        }

        private String keep(int inFile, long from, long to) {
            String name = Quarantine.nameOf(files[inFile].path());
            if (opened != null && inFile == file) {
                return evidence.keep(opened, name, from, to);
            }
            try (DiskFile again = disk.open(files[inFile].path(), Disk.Access.READ)) {
                return evidence.keep(again, name, from, to);
            } catch (IOException e) {
                return "not copied: " + e.getMessage();
            }
        }
    }
}
