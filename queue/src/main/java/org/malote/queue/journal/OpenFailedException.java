package org.malote.queue.journal;

import java.io.IOException;

/// A file could not be opened or made, and nothing was written. Most often the process has no
/// descriptor left: a later try may succeed. So this is no failure of the disk.
public final class OpenFailedException extends IOException {
    private static final long serialVersionUID = 1L;

    public OpenFailedException(IOException cause) {
        super(cause.getMessage(), cause);
    }
}
