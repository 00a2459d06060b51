package org.malote.peers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A file system of a test's own, in an image. Needs root and loop devices.
final class LoopDisk implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Folder folder;
    private final Path mounted;

    private LoopDisk(Folder folder, Path image, Path mounted) {
        this.folder = folder;
        this.mounted = mounted;
        run("mount", "-o", "loop,noatime", image.toString(), mounted.toString());
    }

    /// Makes one and mounts it.
    ///
    /// @param image the file to make
    /// @param name of the folder where it is mounted
    /// @param mkfs the command that makes the file system, without the image
    static LoopDisk create(Folder folder, Path image, String name, int mebibytes, String... mkfs) {
        run(folder, List.of("truncate", "-s", mebibytes + "M", image.toString()));
        List<String> command = new ArrayList<>(List.of(mkfs));
        command.add(image.toString());
        run(folder, command);
        return new LoopDisk(folder, image, folder.sub(name));
    }

    /// Mounts what is in an image.
    static LoopDisk of(Folder folder, Path image, String name) {
        return new LoopDisk(folder, image, folder.sub(name));
    }

    /// Where it is mounted.
    Path path() {
        return mounted;
    }

    /// Nothing is written any more; whoever writes waits.
    void freeze() {
        run("fsfreeze", "-f", mounted.toString());
    }

    void thaw() {
        run("fsfreeze", "-u", mounted.toString());
    }

    /// What was mapped of it in this process stays mapped until it is collected, so it goes away
    /// once that is done.
    @Override
    public void close() {
        run("umount", "-l", mounted.toString());
    }

    private void run(String... command) {
        run(folder, List.of(command));
    }

    private static void run(Folder folder, List<String> command) {
        var _ = Child.run(command.getFirst(), folder.path(), LIMIT, command);
    }
}
