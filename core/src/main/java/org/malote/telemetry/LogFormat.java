package org.malote.telemetry;

/// What a log line looks like.
public enum LogFormat {
    /// For people, in Postfix's shape.
    TEXT,
    /// One JSON object a line, for machines.
    JSON
}
