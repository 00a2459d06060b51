package org.malote.delivery;

/// How far a failure reaches.
public enum FailureScope {
    /// This connection: another one to the same host may do better.
    SESSION,
    /// This host, for any mail or for mail of this kind: another host may do better.
    HOST,
    /// This message with this sender, at whatever host of the destination.
    MESSAGE,
    /// This recipient alone.
    RECIPIENT
}
