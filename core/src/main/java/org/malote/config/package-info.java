/// # config
///
/// **Purpose.** One TOML file becomes one immutable [org.malote.config.Settings], or the list of
/// everything that is wrong with it, each problem with its line.
///
/// **Owns.** The names of the keys, their defaults and ranges, and how durations, sizes, networks
/// and addresses are written.
///
/// **Never.** Opens another file, looks a name up, or reads an environment variable: what needs the
/// host is checked by `malote check`.
///
/// **Threads.** Everything is immutable or used by one thread.
///
/// **Standards.** TOML 1.0.
///
/// **Known limits.** A file of more than 1 MiB is refused.
@NullMarked
package org.malote.config;

import org.jspecify.annotations.NullMarked;
