package org.malote.queue.journal;

/// How a journal uses its disk.
///
/// @param fileBytes a new file begins when one has grown to this
/// @param durable whether the owner forces what it appends; if not, little else is forced
/// @param sparesBytes so much is kept ready in files that the journal can begin next; 0 for none
/// @param keepFreeBytes spares are given back when less than this is free beside them
public record JournalSettings(
        long fileBytes, boolean durable, long sparesBytes, long keepFreeBytes) {
    /// The file size in whole blocks, so that whole blocks are written.
    public JournalSettings {
        if (fileBytes <= 0 || sparesBytes < 0 || keepFreeBytes < 0) {
            throw new IllegalArgumentException("sizes of journal files must not be below zero");
        }
        fileBytes = (fileBytes + Disk.BLOCK_BYTES - 1) / Disk.BLOCK_BYTES * Disk.BLOCK_BYTES;
    }
}
