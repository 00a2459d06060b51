/// # telemetry
///
/// **Purpose.** What an operator reads: the log, one line per event, and the meters.
///
/// **Owns.** The names of events, fields and meters; the shape of a log line; the escaping of what
/// strangers sent; the buffer between those who log and a slow standard error.
///
/// **Never.** Decides anything, stops or fails a caller: a log line that cannot be written is
/// counted and dropped.
///
/// **Threads.** Every method may be called on any thread and returns at once. One thread, made by
/// the given factory, writes the log.
///
/// **Standards.** RFC 3339 times; RFC 8259 with `--log=json`; Prometheus text exposition.
///
/// **Known limits.** Tag values are configured names, fixed words and reply codes, so that no
/// stranger can grow the number of time series.
@NullMarked
package org.malote.telemetry;

import org.jspecify.annotations.NullMarked;
