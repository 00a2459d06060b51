package org.malote.queue.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// A disk that fails on command.
final class FaultyDisk implements Disk {
    private final Disk disk;
    private boolean failsCreate;

    FaultyDisk(Disk disk) {
        this.disk = disk;
    }

    /// From now on no file can be made, as if there were no descriptor for it; or it can again.
    void failCreate(boolean fails) {
        failsCreate = fails;
    }

    @Override
    public DiskFile open(Path file, Access access) throws OpenFailedException {
        if (failsCreate && (access == Access.CREATE || access == Access.CREATE_UNCACHED)) {
            throw new OpenFailedException(new IOException("Too many open files"));
        }
        return disk.open(file, access);
    }

    @Override
    public DiskDirectory openDirectory(Path directory) throws OpenFailedException {
        return disk.openDirectory(directory);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
        disk.delete(path);
    }

    @Override
    public List<Path> list(Path directory) throws IOException {
        return disk.list(directory);
    }

    @Override
    public void makeDirectory(Path directory) throws IOException {
        disk.makeDirectory(directory);
    }

    @Override
    public Kind kind(Path path) {
        return disk.kind(path);
    }

    @Override
    public long size(Path file) throws IOException {
        return disk.size(file);
    }

    @Override
    public long usableBytes(Path path) {
        return disk.usableBytes(path);
    }
}
