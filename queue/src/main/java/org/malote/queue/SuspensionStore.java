package org.malote.queue;

import java.io.IOException;
import java.util.List;

/// Keeps which destinations an operator has suspended.
interface SuspensionStore {
    /// @throws IOException when they cannot be read
    List<String> load() throws IOException;

    /// Durable when it returns.
    ///
    /// @throws IOException when they could not be written; those from before are still there
    void save(List<String> destinations) throws IOException;
}
