package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Files of the right size that have their blocks already: the journal begins its next file with
/// one, and no force has to wait for the file system to find space. They are filled with zeros in
/// the background, or were segments that nobody needs any more. They outlive the process.
///
/// Each has a number, which a segment made of it bears in its name. So it shows when a power cut
/// left one file under two names.
///
/// Any thread may call it.
final class Spares implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Spares.class);

    /// Of all spares. With small files, `sparesBytes` would be many.
    private static final int COUNT_MAX = 16;

    /// Zeros are written in such pieces, so that closing waits for one of them at most.
    private static final int PIECE_BYTES = 1 << 20;

    /// While the journal is at work and has a spare left, the disk is left alone for so long after
    /// each piece: 4 ms for 1 MiB are 200 MB a second at most. Measured: unrestrained, making a
    /// spare takes a force of 1 MiB from 1.4 to 2.5 ms.
    private static final long REST_NANOS = 4_000_000;

    /// A spare is made only while so many times what is to stay free would be.
    private static final int FREE_FACTOR = 2;

    private static final Pattern NAME = Pattern.compile("([0-9]{8})\\.(zeros|used|tmp)");

    private record Spare(int number, Path path) {}

    /// A spare that was given its place in the journal.
    ///
    /// @param file open for writing
    record Taken(Path path, DiskFile file) {}

    private final Disk disk;
    private final Path directory;
    private final JournalSettings settings;
    private final boolean takesUsed;
    private final Executor io;
    private final int countMax;
    private final DiskDirectory opened;

    /// How often the journal asked for spares, which it does for each group.
    private final AtomicInteger asked = new AtomicInteger();

    // Guarded by this.
    private final ArrayDeque<Spare> ready = new ArrayDeque<>();
    private int lastNumber;

    /// A job waits for the executor, or runs.
    private boolean isScheduled;

    private boolean isRunning;
    private boolean isClosed;

    /// From when half of the spares are used up until all are there.
    private boolean isRefilling;

    /// After a spare could not be made, until the next one is asked for.
    private boolean isPaused;

    /// @param takesUsed whether the journal can use files that are not zeros
    /// @param numbersInUse those of the journal's files
    /// @param forceSources forces the directories of the journal, from which spares may have come
    Spares(
            Disk disk,
            Path directory,
            JournalSettings settings,
            boolean takesUsed,
            Set<Integer> numbersInUse,
            Epochs.Step forceSources,
            Executor io)
            throws IOException {
        this.disk = disk;
        this.directory = directory;
        this.settings = settings;
        this.takesUsed = takesUsed;
        this.io = io;
        this.countMax = (int) Math.min(COUNT_MAX, settings.sparesBytes() / settings.fileBytes());
        this.lastNumber = numbersInUse.stream().max(Integer::compare).orElse(0);
        disk.makeDirectories(directory);
        this.opened = disk.openDirectory(directory);
        find(numbersInUse);
        if (!ready.isEmpty()) {
            // Only now is what they were before gone for good from where it was.
            forceSources.run();
            opened.force();
        }
    }

    /// Rows C10, C11 and C12 of queue/DESIGN.md.
    private void find(Set<Integer> numbersInUse) throws IOException {
        for (Path entry : disk.list(directory)) {
            Matcher name = NAME.matcher(String.valueOf(entry.getFileName()));
            if (!name.matches()) {
                log.warn("{} is not of the spool and is left alone", entry);
                continue;
            }
            int number = Integer.parseInt(name.group(1));
            lastNumber = Math.max(lastNumber, number);
            boolean isUsed = name.group(2).equals("used");
            if (ready.size() < countMax
                    && !name.group(2).equals("tmp")
                    && !numbersInUse.contains(number)
                    && disk.kind(entry) == Disk.Kind.FILE
                    && disk.size(entry) == settings.fileBytes()
                    && (isUsed ? takesUsed : beginsWithZeros(entry))) {
                ready.add(new Spare(number, entry));
            } else {
                disk.delete(entry);
            }
        }
    }

    /// One that was renamed to be a file of the journal, and back by a power cut, may not.
    private boolean beginsWithZeros(Path file) throws IOException {
        var start = ByteBuffer.allocate(Disk.BLOCK_BYTES);
        try (DiskFile bytes = disk.open(file, Disk.Access.READ)) {
            bytes.read(start, 0);
        }
        return start.flip().mismatch(ByteBuffer.allocate(start.limit())) < 0;
    }

    /// A number that no file has.
    synchronized int nextNumber() {
        return ++lastNumber;
    }

    /// Bytes that are ready; they are given back when the file system lacks them.
    synchronized long bytes() {
        return ready.size() * settings.fileBytes();
    }

    /// Makes a spare the next file of the journal. Before anything in it counts, the caller forces
    /// this and then the directory that it is now in: never the other way round, or it might have
    /// two names after a power cut.
    ///
    /// @param name its new path, by its number
    /// @param access for writing it
    /// @return null when there is none
    /// @throws OpenFailedException when it cannot be opened now
    @Nullable Taken take(IntFunction<Path> name, Disk.Access access) throws OpenFailedException {
        Spare spare;
        synchronized (this) {
            isPaused = false;
            spare = ready.poll();
        }
        if (spare == null) {
            return null;
        }
        DiskFile file = null;
        try {
            file = disk.open(spare.path(), access);
            Path path = name.apply(spare.number());
            disk.rename(spare.path(), path);
            return new Taken(path, file);
        } catch (IOException e) {
            closeQuietly(file);
            if (disk.kind(spare.path()) != Disk.Kind.FILE) {
                log.warn("a spare file of the journal is gone: {}", e.toString());
                return null;
            }
            synchronized (this) {
                ready.addFirst(spare);
            }
            throw new OpenFailedException(e);
        }
    }

    private static void closeQuietly(@Nullable DiskFile file) {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            log.debug("closing a spare: {}", e.toString());
        }
    }

    /// Puts on stable storage which spares there are.
    void force() throws IOException {
        opened.force();
    }

    /// Takes a file of the journal that nobody needs any more, instead of its being deleted. All
    /// that moved out of it is on stable storage. When this returns the file is gone from where it
    /// was, durably, and only then can it be written again.
    ///
    /// @return false when it is not wanted, and is where it was
    boolean recycle(Path file) throws IOException {
        int number = FileNames.fileNumber(file);
        if (!takesUsed
                || number == 0
                || !hasRoom()
                || isShort()
                || disk.kind(file) != Disk.Kind.FILE
                || disk.size(file) != settings.fileBytes()) {
            return false;
        }
        Path spare = directory.resolve("%08d.used".formatted(number));
        disk.rename(file, spare);
        Path parent = file.getParent();
        if (parent != null) {
            disk.forceDirectory(parent);
        }
        opened.force();
        addOrDelete(new Spare(number, spare));
        return true;
    }

    private synchronized boolean hasRoom() {
        return !isClosed && ready.size() < countMax;
    }

    private boolean isShort() {
        return disk.usableBytes(directory) < settings.keepFreeBytes();
    }

    /// Sees to it that spares are made in the background: all that are missing, once half of them
    /// are used up. Until then drained segments may come, and making a spare slows down the journal
    /// that shares its disk. Cheap.
    void refill() {
        asked.incrementAndGet();
        refillWhereLacking();
    }

    private void refillWhereLacking() {
        synchronized (this) {
            boolean isEnough = ready.size() >= (isRefilling ? countMax : (countMax + 1) / 2);
            isRefilling = !isPaused && !isEnough;
            if (!isRefilling) {
                return;
            }
        }
        workLater();
    }

    /// Sees to it that all are given back in the background when the file system runs short. Cheap.
    void giveBackWhenShort() {
        if (bytes() > 0 && isShort()) {
            workLater();
        }
    }

    private void workLater() {
        synchronized (this) {
            if (isScheduled || isClosed) {
                return;
            }
            isScheduled = true;
        }
        try {
            io.execute(this::work);
        } catch (RejectedExecutionException e) {
            // At the end of the process.
            synchronized (this) {
                isScheduled = false;
            }
        }
    }

    /// One step, so that other jobs of the executor come between.
    private void work() {
        synchronized (this) {
            if (isClosed) {
                return;
            }
            isRunning = true;
        }
        try {
            if (isShort()) {
                giveBack();
            } else if (hasRoom() && !isShortWithAnother()) {
                make();
            } else {
                pause();
            }
        } catch (IOException e) {
            // Nothing of the journal was in it.
            log.warn("a spare file of the journal cannot be made: {}", e.toString());
            pause();
        } finally {
            synchronized (this) {
                isRunning = false;
                isScheduled = false;
                notifyAll();
            }
        }
        refillWhereLacking();
    }

    private synchronized void pause() {
        isPaused = true;
    }

    private boolean isShortWithAnother() {
        return disk.usableBytes(directory) - settings.fileBytes()
                < FREE_FACTOR * settings.keepFreeBytes();
    }

    /// A file counts when its zeros are on stable storage, and bears another name until then.
    private void make() throws IOException {
        int number = nextNumber();
        Path draft = directory.resolve("%08d.tmp".formatted(number));
        Path spare = directory.resolve("%08d.zeros".formatted(number));
        boolean isMade = false;
        try (DiskFile file = disk.open(draft, Disk.Access.CREATE_UNCACHED)) {
            ByteBuffer zeros =
                    ByteBuffer.allocateDirect(PIECE_BYTES + Disk.BLOCK_BYTES)
                            .alignedSlice(Disk.BLOCK_BYTES);
            long at = 0;
            while (at < settings.fileBytes() && hasRoom()) {
                zeros.clear().limit((int) Math.min(PIECE_BYTES, settings.fileBytes() - at));
                int count = zeros.remaining();
                int before = asked.get();
                file.write(zeros, at);
                at += count;
                if (asked.get() != before && bytes() > 0) {
                    disk.rest(REST_NANOS);
                }
            }
            if (at >= settings.fileBytes()) {
                file.force();
                disk.rename(draft, spare);
                isMade = true;
            }
        } finally {
            if (!isMade) {
                disk.delete(draft);
            }
        }
        if (isMade) {
            addOrDelete(new Spare(number, spare));
        }
    }

    private void addOrDelete(Spare spare) throws IOException {
        synchronized (this) {
            if (isClosed || ready.size() < countMax) {
                ready.add(spare);
                return;
            }
        }
        disk.delete(spare.path());
    }

    /// Gives back all of them, now; none is made before the next one is asked for.
    ///
    /// @return whether there was any
    boolean giveBack() {
        boolean any = false;
        while (true) {
            Spare spare;
            synchronized (this) {
                isPaused = true;
                spare = ready.poll();
            }
            if (spare == null) {
                return any;
            }
            try {
                disk.delete(spare.path());
                any = true;
            } catch (IOException e) {
                log.warn("a spare file of the journal cannot be deleted: {}", e.toString());
            }
        }
    }

    /// Waits for the job that runs; a spare that is not finished is deleted.
    @Override
    public void close() throws IOException {
        boolean isInterrupted = false;
        synchronized (this) {
            isClosed = true;
            while (isRunning) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
        }
        opened.close();
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
