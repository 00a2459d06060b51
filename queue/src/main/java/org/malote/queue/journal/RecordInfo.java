package org.malote.queue.journal;

/// What the header of a record says.
///
/// @param length bytes of the payload
public record RecordInfo(byte type, int length) {}
