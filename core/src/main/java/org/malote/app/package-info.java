/// # app
///
/// **Purpose.** The command line, and the composition root: the one place that puts the parts
/// together.
///
/// **Owns.** Every thread, the clock, the randomness, the signals, and the order in which parts
/// start and stop.
///
/// **Never.** Holds a rule of mail: it connects those that do.
///
/// **Threads.** Made in [Threads] and handed out. Commands run on the main thread. `malote tune`
/// measures in processes of its own, one after the other.
///
/// **Standards.** Exit status 0 when done, 1 when it could not be done, 2 for a wrong command line,
/// 141 when nobody read its output to the end.
///
/// **Known limits.** Java cannot give up root after it has bound a port: run as an ordinary user
/// with `CAP_NET_BIND_SERVICE` (systemd: `AmbientCapabilities=`).
@NullMarked
package org.malote.app;

import org.jspecify.annotations.NullMarked;
