package org.malote.config;

import java.nio.file.Path;
import org.malote.smtp.DomainName;

/// The configuration of `malote serve` without a file: it works at once, on any host, for any user,
/// and nobody else can reach it.
public final class EmbeddedDefault {
    private EmbeddedDefault() {}

    /// The configuration as text, ready to be saved and changed.
    public static String text(DomainName hostname) {
        return """
        hostname = "%s"
        state    = "var"                           # spool, generated keys, control socket

        [[listener]]
        name    = "mx"
        address = "127.0.0.1:2525"
        tls     = "starttls"

        [[listener]]
        name    = "mx-tls"
        address = "127.0.0.1:2465"
        tls     = "implicit"

        [[route]]                                  # any domain
        domain = "*"
        via    = "maildir:var/mail/{domain}/{local}"
        """
                .formatted(hostname.text());
    }

    /// The same, read.
    ///
    /// @param directory what its paths are relative to: where the command was run
    public static Settings settings(Path directory, DomainName hostname) {
        return switch (ConfigFile.parse(
                text(hostname), "the embedded default", directory, hostname)) {
            case ConfigFile.Result.Valid(Settings settings) -> settings;
            case ConfigFile.Result.Invalid(var problems) ->
                    throw new IllegalStateException("the embedded default is wrong: " + problems);
        };
    }
}
