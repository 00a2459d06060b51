package org.malote.queue.journal;

/// A record whose checksum is right and whose content makes no sense to this version.
public final class MalformedRecordException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedRecordException(String message) {
        super(message);
    }
}
