package org.malote.queue.journal;

/// What the header of a record says.
///
/// @param length bytes of the payload
/// @param payloadCrc CRC32C of the payload
public record RecordInfo(byte type, int length, int payloadCrc) {}
