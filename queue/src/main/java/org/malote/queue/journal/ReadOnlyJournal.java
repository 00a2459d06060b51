package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The journal of a spool that is looked at and not changed: it is recovered as at a start, no
/// epoch begins, nothing goes to quarantine and nothing is deleted.
public final class ReadOnlyJournal implements SpoolJournal {
    /// Told how far a recovery is.
    @FunctionalInterface
    public interface Progress {
        void at(long doneBytes, long totalBytes);
    }

    private static final long PROGRESS_STEP_BYTES = 16 << 20;

    private final Disk disk;
    private final Path spool;
    private final List<Epochs.OldEpoch> epochs;
    private final JournalFile[] files;
    private final Progress progress;
    private final List<String> damage = new ArrayList<>();
    private final List<String> tornTails = new ArrayList<>();
    private long records;

    /// @param spool the directory that holds `epochs`
    /// @throws IOException when it cannot be read
    public ReadOnlyJournal(Disk disk, Path spool, Progress progress) throws IOException {
        this.disk = disk;
        this.spool = spool;
        this.progress = progress;
        Path parent = spool.resolve("epochs");
        this.epochs =
                disk.kind(parent) == Disk.Kind.NOTHING ? List.of() : Epochs.find(disk, parent);
        this.files = Epochs.filesOf(disk, epochs).toArray(JournalFile[]::new);
    }

    public int epochs() {
        return epochs.size();
    }

    public int files() {
        return files.length;
    }

    /// Whole records, of messages that have left too.
    public long records() {
        return records;
    }

    /// What was said of damage, with file and offset.
    public List<String> damage() {
        return List.copyOf(damage);
    }

    /// What was said of records that were being written at the end.
    public List<String> tornTails() {
        return List.copyOf(tornTails);
    }

    /// That which a start would have.
    @Override
    public int epoch() {
        return epochs.isEmpty() ? 1 : epochs.getLast().number() + 1;
    }

    @Override
    public void recover(JournalVisitor visitor) throws IOException {
        var begins = new long[files.length + 1];
        for (int i = 0; i < files.length; i++) {
            Path path = files[i].path();
            long size = disk.kind(path) == Disk.Kind.FILE ? disk.size(path) : 0;
            begins[i + 1] = begins[i] + size;
        }
        new Recovery(
                        disk,
                        files,
                        new Watching(visitor, begins),
                        (_, _, _, _) -> "left as it is",
                        _ -> {}, // the reader reads all itself
                        false)
                .run();
        progress.at(begins[files.length], begins[files.length]);
    }

    /// Notes what passes.
    private final class Watching implements JournalVisitor {
        private final JournalVisitor visitor;

        /// Bytes before each file, and of all.
        private final long[] begins;

        private long toldBytes;

        Watching(JournalVisitor visitor, long[] begins) {
            this.visitor = visitor;
            this.begins = begins;
        }

        @Override
        public void onRecord(long position, byte type, ByteBuffer payload)
                throws MalformedRecordException {
            long done = begins[SpoolJournal.fileOf(position)] + SpoolJournal.offsetOf(position);
            if (done - toldBytes >= PROGRESS_STEP_BYTES) {
                toldBytes = done;
                progress.at(done, begins[files.length]);
            }
            visitor.onRecord(position, type, payload);
            records++;
        }

        @Override
        public void onDamage(String detail) {
            damage.add(detail);
            visitor.onDamage(detail);
        }

        @Override
        public void onEpochEnd() {
            visitor.onEpochEnd();
        }

        @Override
        public void onTornTail(String detail) {
            tornTails.add(detail);
            visitor.onTornTail(detail);
        }
    }

    @Override
    public boolean reserve(long bytes) {
        return false;
    }

    @Override
    public boolean roll() {
        return false;
    }

    @Override
    public long append(JournalRecord record) throws IOException {
        throw new IOException("the spool " + spool + " is only read");
    }

    @Override
    public void flush() {}

    @Override
    public void force() {}

    @Override
    public @Nullable RecordInfo info(long position) throws IOException {
        return files[SpoolJournal.fileOf(position)].info(SpoolJournal.offsetOf(position));
    }

    @Override
    public void read(long position, int offset, ByteBuffer destination) throws IOException {
        files[SpoolJournal.fileOf(position)].read(
                SpoolJournal.offsetOf(position) + Frames.HEADER_BYTES + offset, destination);
    }

    @Override
    public int currentFile() {
        return files.length - 1;
    }

    @Override
    public void delete(int file) {}

    @Override
    public void setDamaged(int file) {}

    @Override
    public long usableBytes() {
        return disk.usableBytes(spool);
    }

    @Override
    public void close() throws IOException {
        for (JournalFile file : files) {
            file.close();
        }
    }
}
