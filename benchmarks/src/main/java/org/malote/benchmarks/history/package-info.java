/// What the measurements have left in `benchmarks/history`: read, compared, drawn.
///
/// **Purpose.** `Moved` says what moved between two commits outside the noise; `Report` makes one
/// page of HTML. `benchmarks/history/README.md` has the form of a line.
///
/// **Owns.** Nothing.
///
/// **Never.** Changes a line of the history, or asks a network or a clock.
///
/// **Threads.** One.
///
/// **Standards.** RFC 8259 for a line; HTML and SVG for the page, which is well-formed XML as well.
///
/// **Known limits.** Noise is taken to be the same, as a share, in all scenarios of a benchmark:
/// see
/// [Noise][org.malote.benchmarks.history.Noise].
@NullMarked
package org.malote.benchmarks.history;

import org.jspecify.annotations.NullMarked;
