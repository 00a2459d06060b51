package org.malote.queue;

/// Why the queue takes no message now.
public enum Refusal {
    /// The file system has less free space than the reserve, counting what is already on its way
    /// in; or the system cannot make a file for it now.
    NO_SPACE(
            "the spool's file system is below its reserve of free space; free some or give the spool more",
            true),

    /// As many messages wait as the queue may hold, those with many recipients counted as several.
    INDEX_FULL(
            "the queue holds as many messages as it may; raise its limit or see why they wait",
            true),

    /// Commits take longer than the limit: the disk is stalled or overloaded.
    COMMITS_LATE("the disk takes too long to commit; look at its load and health", true),

    /// A write or a force failed. The first failure is final for this start: what the page cache
    /// holds can no longer be trusted.
    STOPPED("the spool stopped after a write error; check the disk, then restart", false),

    /// The queue is closing or closed.
    CLOSED("the queue is shutting down", true);

    private final String sentence;
    private final boolean temporary;

    Refusal(String sentence, boolean temporary) {
        this.sentence = sentence;
        this.temporary = temporary;
    }

    /// What happened and what to do, for the operator.
    public String sentence() {
        return sentence;
    }

    /// Whether it can end without a restart by the operator.
    public boolean isTemporary() {
        return temporary;
    }
}
