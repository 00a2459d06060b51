package org.malote.dns;

/// What is asked.
///
/// @param name with A-labels, in lower case, without the final dot
record Question(String name, RecordType type) {}
