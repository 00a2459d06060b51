package org.malote.queue;

/// What the journal keeps of an accepted message before its body.
///
/// @param bodyBytes size of the message
/// @param bodyCrc CRC32C of the message
/// @param hasBodyFile whether the message is in a file of its own instead of behind this head
/// @param headBytes what this takes in the payload
record AcceptedRecord(
        MessageId id,
        long acceptedAtMillis,
        long bodyBytes,
        int bodyCrc,
        boolean hasBodyFile,
        Envelope envelope,
        int headBytes) {}
