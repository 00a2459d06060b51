package org.malote.queue.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The file systems of this host.
public final class LocalDisk implements Disk {
    /// `O_DIRECT`, null where the JDK has none. By its name: it is not of the standard library, and
    /// the compiler warns of that.
    private static final @Nullable OpenOption UNCACHED = uncached();

    private static @Nullable OpenOption uncached() {
        try {
            Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
            return (OpenOption) options.getField("DIRECT").get(null);
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    @Override
    public DiskFile open(Path file, Access access) throws OpenFailedException {
        return new LocalFile(
                switch (access) {
                    case READ -> channel(file, StandardOpenOption.READ);
                    case READ_UNCACHED ->
                            uncached(
                                    file,
                                    channel(file, StandardOpenOption.READ),
                                    StandardOpenOption.READ);
                    case WRITE -> channel(file, StandardOpenOption.WRITE);
                    case CREATE -> create(file);
                    case WRITE_UNCACHED ->
                            uncached(
                                    file,
                                    channel(file, StandardOpenOption.WRITE),
                                    StandardOpenOption.WRITE);
                    case CREATE_UNCACHED -> uncached(file, create(file), StandardOpenOption.WRITE);
                });
    }

    private static FileChannel channel(Path file, OpenOption... options)
            throws OpenFailedException {
        try {
            return FileChannel.open(file, options);
        } catch (IOException e) {
            throw new OpenFailedException(e);
        }
    }

    private static FileChannel create(Path file) throws OpenFailedException {
        return channel(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /// The file opened once more without the page cache, or as it is: a file system may refuse
    /// `O_DIRECT`, and some do after they have made the file; or it wants larger blocks.
    private static FileChannel uncached(Path file, FileChannel cached, OpenOption access) {
        if (UNCACHED == null) {
            return cached;
        }
        try {
            if (Files.getFileStore(file).getBlockSize() > BLOCK_BYTES) {
                return cached;
            }
            FileChannel uncached = FileChannel.open(file, access, UNCACHED);
            cached.close();
            return uncached;
        } catch (IOException | UnsupportedOperationException e) {
            return cached;
        }
    }

    private record LocalFile(FileChannel channel) implements DiskFile {
        @Override
        public int read(ByteBuffer destination, long at) throws IOException {
            return channel.read(destination, at);
        }

        @Override
        public void write(ByteBuffer source, long at) throws IOException {
            long to = at;
            while (source.hasRemaining()) {
                to += channel.write(source, to);
            }
        }

        @Override
        public void force() throws IOException {
            channel.force(false);
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Override
    public DiskDirectory openDirectory(Path directory) throws OpenFailedException {
        return new LocalDirectory(channel(directory, StandardOpenOption.READ));
    }

    private record LocalDirectory(FileChannel channel) implements DiskDirectory {
        @Override
        public void force() throws IOException {
            channel.force(true);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(Path path) throws IOException {
        Files.deleteIfExists(path);
    }

    @Override
    public List<Path> list(Path directory) throws IOException {
        var found = new ArrayList<Path>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            entries.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        found.sort(Comparator.comparing(path -> path.getFileName().toString()));
        return found;
    }

    @Override
    public void makeDirectory(Path directory) throws IOException {
        Files.createDirectory(directory);
    }

    @Override
    public Kind kind(Path path) {
        try {
            var attributes = Files.readAttributes(path, BasicFileAttributes.class);
            if (attributes.isRegularFile()) {
                return Kind.FILE;
            }
            return attributes.isDirectory() ? Kind.DIRECTORY : Kind.OTHER;
        } catch (IOException e) {
            return Files.notExists(path, LinkOption.NOFOLLOW_LINKS) ? Kind.NOTHING : Kind.OTHER;
        }
    }

    @Override
    public long size(Path file) throws IOException {
        return Files.size(file);
    }

    @Override
    public long usableBytes(Path path) {
        return path.toFile().getUsableSpace();
    }
}
