/// What Malote costs.
///
/// **Purpose.** Measurements of parts, by JMH, and the load generator for measurements of the whole
/// server. `benchmarks/README.md` says which tool measures what.
///
/// **Owns.** The folders that a measurement makes, which it deletes.
///
/// **Never.** Is part of what is installed, or speaks to a host but this one.
///
/// **Threads.** JMH's; the load generator has one event loop.
///
/// **Standards.** RFC 5321, as far as a sender needs it.
///
/// **Known limits.** Where clients, server and disk share few processors, figures of the clock are
/// of all of them together.
@NullMarked
package org.malote.benchmarks;

import org.jspecify.annotations.NullMarked;
