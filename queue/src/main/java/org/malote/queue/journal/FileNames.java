package org.malote.queue.journal;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How the files of an epoch are named, by which journal wrote them. The order of the names is that
/// in which the files were begun.
final class FileNames {
    /// Of Chronicle Queue: a cycle's date and hour.
    static final String CHRONICLE_SUFFIX = ".cq4";

    private static final String CHRONICLE_FIRST = "19700101-00LX" + CHRONICLE_SUFFIX;

    /// The number of the segment in its epoch, then that of the file, which it had as a spare and
    /// will have again.
    private static final Pattern SEGMENT = Pattern.compile("([0-9]{8})-([0-9]{8})\\.seg");

    /// Of [Contents].
    private static final String CONTENTS_SUFFIX = ".toc";

    static final int SEGMENT_FIRST = 1;

    private FileNames() {}

    static Path segment(Path epoch, int number, int fileNumber) {
        return epoch.resolve("%08d-%08d.seg".formatted(number, fileNumber));
    }

    /// The name of the [Contents] of a segment.
    static Path contents(Path segment) {
        return segment.resolveSibling(nameOf(segment) + CONTENTS_SUFFIX);
    }

    static boolean isContents(Path file) {
        return nameOf(file).endsWith(CONTENTS_SUFFIX);
    }

    static boolean isJournal(Path file) {
        return nameOf(file).endsWith(CHRONICLE_SUFFIX) || fileNumber(file) > 0;
    }

    /// The number that a segment has as a file, 0 for other files.
    static int fileNumber(Path file) {
        Matcher segment = SEGMENT.matcher(nameOf(file));
        return segment.matches() ? Integer.parseInt(segment.group(2)) : 0;
    }

    /// Whether this is the first file that its epoch had.
    static boolean isFirst(Path file) {
        Matcher segment = SEGMENT.matcher(nameOf(file));
        return segment.matches()
                ? Integer.parseInt(segment.group(1)) == SEGMENT_FIRST
                : nameOf(file).equals(CHRONICLE_FIRST);
    }

    /// The salt of a file's frames. That of a segment is its own: it may have been another segment
    /// of the same epoch before, and what is left of that one is not to be believed.
    static long saltOf(Path file, long epochSalt) {
        Matcher segment = SEGMENT.matcher(nameOf(file));
        if (!segment.matches()) {
            return epochSalt;
        }
        // SplitMix64: the numbers differ in a few bits, the salts in half of theirs.
        long mixed = epochSalt + Long.parseLong(segment.group(1)) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    private static String nameOf(Path file) {
        return String.valueOf(file.getFileName());
    }
}
