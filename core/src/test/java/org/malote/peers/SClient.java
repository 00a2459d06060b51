package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// OpenSSL's own client. It says QUIT, and ends when the server does.
final class SClient {
    private SClient() {}

    /// By STARTTLS.
    ///
    /// @param options for `openssl s_client`
    /// @return all that it printed
    static String startTls(int port, String... options) {
        return run(port, List.of("-starttls", "smtp"), options);
    }

    /// By implicit TLS.
    static String tls(int port, String... options) {
        return run(port, List.of(), options);
    }

    private static String run(int port, List<String> way, String... options) {
        List<String> command = new ArrayList<>(List.of("timeout", "20", "openssl", "s_client"));
        command.addAll(way);
        command.addAll(List.of("-crlf", "-connect", "127.0.0.1:" + port));
        command.addAll(List.of(options));
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            try {
                // Its own command `Q` begins with a capital.
                process.getOutputStream().write("quit\n".getBytes(StandardCharsets.US_ASCII));
                process.getOutputStream().flush();
            } catch (IOException _) {
                // It was refused and has gone.
            }
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
