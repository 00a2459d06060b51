package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A disk whose power can be cut while it is in use: an ext4 file system in an image that lies on
/// btrfs. A clone of the image is the disk as it was at one moment; what the kernel still held in
/// memory for the file system is not in it. Needs root and loop devices.
final class CuttableDisk implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int DISK_MIBIBYTES = 1024;

    /// Room for the image and for what one clone comes to differ in.
    private static final int HOST_MIBIBYTES = 6 * DISK_MIBIBYTES;

    private final Folder folder;
    private final Path hostImage;
    private final Path host;
    private final Path image;
    private final Path mounted;
    private int cuts;

    private CuttableDisk(Folder folder) {
        this.folder = folder;
        this.hostImage = folder.path().resolve("host.img");
        this.host = folder.sub("host");
        this.image = host.resolve("disk.img");
        this.mounted = folder.sub("disk");
    }

    /// Makes it and mounts it.
    static CuttableDisk create(Folder folder) {
        CuttableDisk disk = new CuttableDisk(folder);
        disk.run("truncate", "-s", HOST_MIBIBYTES + "M", disk.hostImage.toString());
        disk.run("mkfs.btrfs", "-q", "-m", "single", disk.hostImage.toString());
        disk.mount(disk.hostImage, disk.host);
        try {
            disk.run("truncate", "-s", DISK_MIBIBYTES + "M", disk.image.toString());
            disk.run("mkfs.ext4", "-q", disk.image.toString());
            disk.mount(disk.image, disk.mounted);
        } catch (AssertionError e) {
            disk.run("umount", "-l", disk.host.toString());
            throw e;
        }
        return disk;
    }

    /// Where it is mounted.
    Path path() {
        return mounted;
    }

    /// Cuts the power, as far as a copy is concerned: the disk itself goes on.
    Cut cut() {
        Path clone = host.resolve("cut-" + cuts++ + ".img");
        run("cp", "--reflink=always", image.toString(), clone.toString());
        return new Cut(clone);
    }

    /// The disk as the next start finds it.
    final class Cut implements AutoCloseable {
        private final Path clone;
        private final Path found = folder.sub("cut");

        private Cut(Path clone) {
            this.clone = clone;
            mount(clone, found); // ext4 recovers from its own journal here
        }

        /// Where it is mounted.
        Path path() {
            return found;
        }

        @Override
        public void close() {
            // What was mapped of it stays mapped until it is collected, and keeps it mounted.
            System.gc();
            run("umount", "-l", found.toString());
            try {
                Files.delete(clone);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        run("umount", "-l", mounted.toString());
        run("umount", "-l", host.toString());
    }

    private void mount(Path what, Path where) {
        run("mount", "-o", "loop,noatime", what.toString(), where.toString());
    }

    private void run(String... command) {
        var _ = Child.run(command[0], folder.path(), LIMIT, List.of(command));
    }
}
