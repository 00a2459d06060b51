package org.malote.app;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.dns.Idna;
import org.malote.offload.PrivateAuthority;
import org.malote.smtp.DomainName;
import org.malote.smtp.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "init",
        description = {
            "Makes a private authority, a certificate for the server and one for each client: for a"
                    + " test, or for a pool of customers.",
            "",
            "The authority is valid for 10 years, the certificates for 397 days. All keys are for"
                    + " P-256, and can be read by their owner alone. Nothing that is there is"
                    + " overwritten. Then it says what goes into the configurations, and how to try"
                    + " it."
        },
        footer = {
            "",
            "Examples:",
            "  malote amtp init pool --host mx1.isp.example --client shop.customer.example",
            "  malote amtp init pool --config /etc/malote.toml --client a.example --client b.example"
        },
        mixinStandardHelpOptions = true)
final class AmtpInitCommand implements Callable<Integer> {
    /// What a listener for customers has in `core/AMTP.md`. Any above 1023 would do
    /// (draft-weinman-amtp-03 §4.1).
    private static final int PORT = 2424;

    @Spec private @Nullable CommandSpec spec;

    @Mixin private final ConfigOption config = new ConfigOption();

    @Parameters(paramLabel = "DIR", description = "Where the files go; made when it is not there.")
    private @Nullable Path directory;

    @Option(
            names = "--host",
            paramLabel = "NAME",
            description = "The server's name. Default: the hostname of the configuration.")
    private @Nullable String host;

    @Option(
            names = "--client",
            paramLabel = "NAME",
            description =
                    "A client's name, which it must give in EHLO. Can be given many times. Default:"
                            + " client. and the name of the server.")
    private List<String> clients = new ArrayList<>();

    @Override
    public Integer call() throws CommandFailure, Screen.ReaderGoneException {
        Screen screen = Screen.of(spec);
        String server = name(host == null ? config.settings().hostname().text() : host);
        Set<String> names = new LinkedHashSet<>();
        for (String client : clients.isEmpty() ? List.of("client." + server) : clients) {
            if (!names.add(name(client))) {
                throw wrong("the client " + Printable.escape(client) + " is there twice");
            }
        }
        Path into = Commands.present(directory).toAbsolutePath().normalize();
        try {
            Instant now = screen.clock().instant();
            PrivateAuthority.Made made =
                    PrivateAuthority.make(
                            into, server, List.copyOf(names), now, new SecureRandom());
            for (String line : text(made, server, List.copyOf(names), now)) {
                screen.line(line);
            }
            screen.flush();
            return 0;
        } catch (FileAlreadyExistsException e) {
            throw new CommandFailure(
                    e.getFile() + " is there already; name another directory, or remove it", e);
        } catch (Screen.ReaderGoneException e) {
            throw e;
        } catch (IOException e) {
            throw new CommandFailure(into + " cannot be written: " + e.getMessage(), e);
        }
    }

    /// Draft-weinman-amtp-03 §4.4.2: a fully qualified domain name, as it is in certificates.
    private String name(String text) {
        DomainName parsed = DomainName.parse(text);
        String ascii = parsed == null ? null : Idna.toAscii(parsed.text());
        if (ascii == null || ascii.indexOf('.') < 0) {
            throw wrong(
                    "\""
                            + Printable.escape(text)
                            + "\" is no fully qualified name such as mx1.isp.example");
        }
        return ascii;
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(Commands.present(spec).commandLine(), sentence);
    }

    private static List<String> text(
            PrivateAuthority.Made made, String server, List<String> clients, Instant now) {
        List<String> lines = new ArrayList<>();
        Path authority = made.authority();
        lines.add(
                "# Made: an authority that is valid until "
                        + day(now.plus(PrivateAuthority.AUTHORITY_VALIDITY))
                        + ", and certificates until "
                        + day(now.plus(PrivateAuthority.LEAF_VALIDITY))
                        + ".");
        lines.add(
                "# Whoever has "
                        + PrivateAuthority.keyFile(authority)
                        + " can make more: keep it off the server.");
        lines.add("");
        lines.add("# In the configuration of the server:");
        lines.add("[[listener]]");
        lines.add("name = \"customers\"");
        lines.add("address = \"0.0.0.0:" + PORT + "\"");
        lines.add("profile = \"amtp-private\"");
        lines.add("tls = \"implicit\"");
        lines.add("trust = [" + quoted(authority) + "]");
        lines.add("");
        lines.add("[tls]");
        lines.add("certificates = [" + pair(made.server()) + "]");
        for (String client : clients) {
            Path file = certificate(made, client);
            lines.add("");
            lines.add("# In that of " + client + ", with copies of the files that it names:");
            lines.add("[[source]]");
            lines.add("name = \"amtp\"");
            lines.add("addresses = [\"192.0.2.1\"] # its own");
            lines.add("hostname = \"" + client + "\"");
            lines.add("certificates = [" + pair(file) + "]");
            lines.add("");
            lines.add("[amtp]");
            lines.add("source = \"amtp\"");
            lines.add("authorities = " + quoted(authority));
            lines.add("");
            lines.add("[[route]]");
            lines.add("domain = \"*\"");
            lines.add("via = \"amtp:" + server + ":" + PORT + "\"");
        }
        String client = clients.getFirst();
        Path file = certificate(made, client);
        lines.add("");
        lines.add("# To try it, and then to type EHLO " + client + ":");
        lines.add(
                "# openssl s_client -connect "
                        + server
                        + ":"
                        + PORT
                        + " -servername "
                        + server
                        + " -CAfile "
                        + shell(authority)
                        + " -cert "
                        + shell(file)
                        + " -key "
                        + shell(PrivateAuthority.keyFile(file))
                        + " -verify_return_error -crlf -quiet");
        return lines;
    }

    private static Path certificate(PrivateAuthority.Made made, String client) {
        return Commands.present(made.clients().get(client));
    }

    private static LocalDate day(Instant time) {
        return LocalDate.ofInstant(time, ZoneOffset.UTC);
    }

    private static String pair(Path certificate) {
        return "{ chain = "
                + quoted(certificate)
                + ", key = "
                + quoted(PrivateAuthority.keyFile(certificate))
                + " }";
    }

    /// A TOML string. What cannot stand in one between simple quotes is escaped.
    private static String quoted(Path path) {
        return "\"" + path.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static String shell(Path path) {
        String text = path.toString();
        return text.matches("[A-Za-z0-9_./+-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
