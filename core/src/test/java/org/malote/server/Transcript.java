package org.malote.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A session as text, read from a `.smtp` file:
///
/// ```
/// # comment; the first line cites the rule
/// @ setting=value ...           a limit, by its name in the configuration; also of the listener:
///                               profile=, mpc=, and of Mail Policy Codes: mpc-site=, mpc-absent=,
///                               mpc-foreign-header=, mpc-domain=d:..., mpc-recipient=a@d:..., with
///                               commas between declarations; tls=on|offered, certificate=name of
///                               the peer, user=name:password;from=...;mpc=...;certificate=..., and
///                               of authentication: auth-failures-per-session-max=,
///                               auth-failures-per-network-max=, auth-failure-delay=,
///                               auth-mechanisms=, auth-hashing=full when no password can be tried;
///                               amtp=, rdns=, and of the peer: clear=yes (no TLS yet),
///                               shows=a.example,b.example (the names of its certificate), cn=,
///                               vouched=public|private|revoked|unknown, common-names=,
///                               deny=name:a, names=a.example:confirmed|elsewhere|unknown,... |
/// none |
///                               later | awaited (of its address); and of routes, for the
/// production
///                               policy: inward=d, routed=d, strict-relay=false, relayed=no (the
///                               peer is in no relay network)
/// C: EHLO a.example             octets from the peer, CRLF added
/// C| raw\noctets\r\n            escaped octets (\r \n \t \\ \xNN \*N:x for N times x), nothing
/// added
/// S: 250-mx.example             exact reply line
/// S~ 250[- ].*                  pattern, only where text may vary
/// + 5m                          virtual time passes
/// ? sender a@b -> 450 4.7.1 no  the policy's answer, also for "recipient"
/// ? names a.example:confirmed   reverse DNS answers, which was awaited
/// ? queue -> NO_SPACE           what the queue says at MAIL from here on; "open" for nothing
/// ! peer closes                 the peer half-closes
/// = queued 0                    messages that this session has queued
/// = closed | open               the connection
/// = body text\r\n               escaped: the end of the last queued message
/// = to address                  the first recipient of the last queued message
/// = user name | none            who has sent the last queued message
/// = silent                      no reply waits to be read
/// = mpc code | none             the Mail Policy Code of the last queued message
/// = seen peer verdict, code a w r   what was observed: accepted, watched and refused of each code
/// = metered line                a line of the meters
/// = stored pattern              the last queued message, from its first octet to its last
/// = header pattern              a line that the last queued message has in its header
/// ```
///
/// Lines from the peer that stand together are one flight: they may reach the server in one packet.
record Transcript(String name, List<Line> lines) {

    /// @param number in the file, from 1
    record Line(int number, String mark, String text) {}

    static Transcript read(Path file) {
        List<Line> lines = new ArrayList<>();
        try {
            int number = 0;
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                number++;
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                String mark = line.substring(0, Math.min(2, line.length())).stripTrailing();
                String text = line.length() > 2 ? line.substring(mark.length()) : "";
                text = text.startsWith(" ") ? text.substring(1) : text;
                lines.add(new Line(number, mark, text));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String last = lines.isEmpty() ? "" : lines.getLast().mark();
        if (!last.equals("=")) {
            throw new IllegalArgumentException(file + " does not end by saying what is queued");
        }
        return new Transcript(file.getFileName().toString(), lines);
    }

    /// The octets of a `C|` line or of a fact.
    static byte[] unescape(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char kind = text.charAt(++i);
            switch (kind) {
                case 'r' -> out.append('\r');
                case 'n' -> out.append('\n');
                case 't' -> out.append('\t');
                case '\\' -> out.append('\\');
                case 'x' -> {
                    out.append((char) Integer.parseInt(text.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                case '*' -> {
                    int colon = text.indexOf(':', i);
                    int times = Integer.parseInt(text.substring(i + 1, colon));
                    out.append(String.valueOf(text.charAt(colon + 1)).repeat(times));
                    i = colon + 1;
                }
                default -> throw new IllegalArgumentException("no such escape: \\" + kind);
            }
        }
        return out.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
}
