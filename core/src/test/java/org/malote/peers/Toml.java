package org.malote.peers;

import java.nio.file.Path;

/// A configuration for one test: two listeners on free ports, short retries, and what the test
/// adds.
///
/// @param port STARTTLS
/// @param tlsPort implicit TLS
record Toml(int port, int tlsPort, String text) {

    /// @param rest routes and further sections
    static Toml of(Folder folder, Certificate certificate, String rest) {
        return of(folder, certificate, "127.0.0.0/8", rest);
    }

    /// The same with its spool elsewhere.
    Toml withState(Path state) {
        return new Toml(
                port, tlsPort, text.replaceFirst("state = .*", "state = \"" + state + "\""));
    }

    /// The same on the journal of that name, or on the server's own choice when it is empty. There
    /// must be a `[queue]` in the text.
    Toml withJournal(String journal) {
        return journal.isEmpty()
                ? this
                : new Toml(
                        port,
                        tlsPort,
                        text.replace("[queue]\n", "[queue]\njournal = \"" + journal + "\"\n"));
    }

    /// The same with a line more in its `[tls]`.
    Toml withTls(String line) {
        return new Toml(port, tlsPort, text.replace("[tls]\n", "[tls]\n" + line + "\n"));
    }

    /// For a server that relays for nobody on this host, and asks no name server about them.
    static Toml withoutRelay(Folder folder, Certificate certificate, String rest) {
        return amongStrangers(
                folder, certificate, "[policy]\nrefuse-null-mx-senders = false\n" + rest);
    }

    /// For a server that relays for nobody on this host.
    static Toml amongStrangers(Folder folder, Certificate certificate, String rest) {
        return of(folder, certificate, "192.0.2.0/24", rest);
    }

    private static Toml of(Folder folder, Certificate certificate, String networks, String rest) {
        int port = Ports.free();
        int tlsPort = Ports.free();
        Path state = folder.sub("state");
        String text =
                """
                hostname = "mx.test"
                state = "%s"
                [[listener]]
                name = "mx"
                address = "127.0.0.1:%d"
                tls = "starttls"
                [[listener]]
                name = "tls"
                address = "127.0.0.1:%d"
                tls = "implicit"
                [tls]
                certificates = [{ chain = "%s", key = "%s" }]
                [relay]
                networks = ["%s"]
                [admin]
                enabled = false
                """
                        .formatted(
                                state,
                                port,
                                tlsPort,
                                certificate.chain(),
                                certificate.key(),
                                networks);
        return new Toml(port, tlsPort, text + rest);
    }
}
