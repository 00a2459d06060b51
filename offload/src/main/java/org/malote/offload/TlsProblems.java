package org.malote.offload;

import java.util.List;

/// Everything that stands in the way of serving TLS, found in one pass. Each problem is one
/// sentence that names the file or setting and says what to do.
public final class TlsProblems extends Exception {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("serial") // List.copyOf gives a serializable list
    private final List<String> problems;

    public TlsProblems(List<String> problems) {
        super(String.join("; ", problems));
        this.problems = List.copyOf(problems);
    }

    /// At least one sentence.
    public List<String> problems() {
        return problems;
    }
}
