package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A disk whose power can be cut while it is in use: an ext4 file system in an image that lies on
/// btrfs. A clone of the image is the disk as it was at one moment; what the kernel still held in
/// memory for the file system is not in it.
final class CuttableDisk implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int DISK_MEBIBYTES = 1024;

    /// Room for the image and for what one clone comes to differ in.
    private static final int HOST_MEBIBYTES = 6 * DISK_MEBIBYTES;

    private final Folder folder;
    private final LoopDisk host;
    private final Path image;
    private final LoopDisk disk;
    private int cuts;

    private CuttableDisk(Folder folder, LoopDisk host) {
        this.folder = folder;
        this.host = host;
        this.image = host.path().resolve("disk.img");
        this.disk = LoopDisk.create(folder, image, "disk", DISK_MEBIBYTES, "mkfs.ext4", "-q");
    }

    /// Makes it and mounts it.
    static CuttableDisk create(Folder folder) {
        LoopDisk host =
                LoopDisk.create(
                        folder,
                        folder.path().resolve("host.img"),
                        "host",
                        HOST_MEBIBYTES,
                        "mkfs.btrfs",
                        "-q",
                        "-m",
                        "single");
        try {
            return new CuttableDisk(folder, host);
        } catch (AssertionError e) {
            host.close();
            throw e;
        }
    }

    /// Where it is mounted.
    Path path() {
        return disk.path();
    }

    /// Cuts the power, as far as a copy is concerned: the disk itself goes on.
    Cut cut() {
        Path clone = host.path().resolve("cut-" + cuts++ + ".img");
        var _ =
                Child.run(
                        "cp",
                        folder.path(),
                        LIMIT,
                        List.of("cp", "--reflink=always", image.toString(), clone.toString()));
        return new Cut(clone);
    }

    /// The disk as the next start finds it.
    final class Cut implements AutoCloseable {
        private final Path clone;
        private final LoopDisk found;

        private Cut(Path clone) {
            this.clone = clone;
            this.found = LoopDisk.of(folder, clone, "cut"); // ext4 recovers from its journal here
        }

        /// Where it is mounted.
        Path path() {
            return found.path();
        }

        @Override
        public void close() {
            System.gc(); // what was mapped of it
            found.close();
            try {
                Files.delete(clone);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        disk.close();
        host.close();
    }
}
