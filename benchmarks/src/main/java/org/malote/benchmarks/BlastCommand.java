package org.malote.benchmarks;

import io.netty.channel.EventLoopGroup;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.offload.HostTls;
import org.malote.offload.TlsEnvironment;
import org.malote.offload.TlsProblems;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The command line of the load generator.
@Command(
        name = "malote-blast",
        description = {
            "Loads an SMTP or AMTP server with connections and messages, and says what came of them.",
            "",
            "One event loop in one process: it takes one processor at most. With --rate connections"
                    + " begin at fixed times and are timed from when they were due; without it each"
                    + " of --sessions begins its next when the last has ended.",
            "Each message has a number and a checksum, which malote-sink looks at."
        },
        footer = {
            "",
            "The exit status is 1 when anything failed, or more was refused than --refusals allows.",
            "",
            "Examples:",
            "  malote-blast 127.0.0.1:2525 --tls starttls --connections 10000 --per-connection 0",
            "  malote-blast mx.test:25 --rate 500 --seconds 60 --octets 4096 --json",
            "  malote-blast 127.0.0.1:2465 --tls implicit --sessions 5000 --hold 60",
            "  malote-blast mx.test:25 --tls starttls --key-type rsa --seconds 10"
        },
        sortOptions = false,
        version = "Malote 0.1.0",
        mixinStandardHelpOptions = true)
@SuppressWarnings("NullAway.Init") // picocli has the fields set up first.
public final class BlastCommand implements Callable<Integer> {
    private static final int PROGRESS_MILLIS = 500;

    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "HOST:PORT", description = "The server.")
    private String server = "";

    @Option(
            names = "--tls",
            defaultValue = "NONE",
            description = "${COMPLETION-CANDIDATES}. Default: none.")
    private Load.Security security = Load.Security.NONE;

    @Option(
            names = "--tls-version",
            defaultValue = "TLSv1.3",
            description = "TLSv1.2 or TLSv1.3. Default: ${DEFAULT-VALUE}.")
    private String version = "";

    @Option(
            names = "--group",
            defaultValue = "",
            description = "The one key exchange that is offered, such as X25519. Default: all.")
    private String group = "";

    @Option(
            names = "--key-type",
            defaultValue = "ANY",
            description = {
                "The server's only certificates that are taken: ecdsa or rsa, by the signatures"
                        + " that are offered in TLS 1.3, and the suites in 1.2. The former needs"
                        + " the JDK's engine, which costs this side more and has no post-quantum"
                        + " groups. Default: any."
            })
    private Load.KeyType keyType = Load.KeyType.ANY;

    @Option(
            names = "--resumed",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "The share of TLS sessions that resume an earlier one. Default: 0.")
    private double resumedShare;

    @Option(names = "--certificate", paramLabel = "FILE", description = "Ours, a PEM chain.")
    private @Nullable Path chain;

    @Option(names = "--key", paramLabel = "FILE", description = "Its key, PEM.")
    private @Nullable Path key;

    @Option(
            names = "--helo",
            paramLabel = "NAME",
            defaultValue = "peer.test",
            description = "What EHLO says; '' for a QUIT in its place. Default: ${DEFAULT-VALUE}.")
    private String helo = "";

    @Option(
            names = "--code",
            paramLabel = "ROLE/CLASS",
            defaultValue = "",
            description = "The Mail Policy Code of each message, as AMTP wants it.")
    private String code = "";

    @Option(
            names = "--sessions",
            paramLabel = "N",
            defaultValue = "50",
            description = "At once, at most. Default: ${DEFAULT-VALUE}.")
    private int sessions;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "0",
            description = "Connections begun in a second. Default: as many as end.")
    private double rate;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many to make.")
    private long connections;

    @Option(
            names = "--messages",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many to send.")
    private long messages;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "0",
            description = "How long to begin new ones.")
    private long seconds;

    @Option(
            names = "--per-connection",
            paramLabel = "N",
            defaultValue = "1",
            description = "Messages of each connection; 0 for none. Default: ${DEFAULT-VALUE}.")
    private int perConnection;

    @Option(
            names = "--octets",
            paramLabel = "N",
            defaultValue = "4096",
            description = "Of a message, about. Default: ${DEFAULT-VALUE}.")
    private int octets;

    @Option(
            names = "--recipients",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of a message. Default: ${DEFAULT-VALUE}.")
    private int recipients;

    @Option(
            names = "--recipient",
            paramLabel = "ADDRESS",
            defaultValue = "box@sink.test",
            description =
                    "The first; others have a number behind their local part. Default:"
                            + " ${DEFAULT-VALUE}.")
    private String recipient = "";

    @Option(
            names = "--no-pipelining",
            description = "Wait for each reply. Default: MAIL, RCPT and DATA in one group.")
    private boolean isWaiting;

    @Option(names = "--chunking", description = "Send messages by BDAT.")
    private boolean isChunked;

    @Option(
            names = "--hold",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description =
                    "Open all sessions, or as many as --connections, --seconds and --rate let"
                            + " begin, keep them idle so long, and end: to see what they keep of"
                            + " the server's memory. A line says when all are up.")
    private long holdSeconds;

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description =
                    "How long a session may wait for a reply before it has failed. Default:"
                            + " ${DEFAULT-VALUE}.")
    private long patienceSeconds;

    @Option(
            names = "--refusals",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "The share of messages that may be refused. Default: 0.")
    private double refusalsMax;

    @Option(names = "--json", description = "One JSON object.")
    private boolean isJson;

    /// Runs it, and ends the process.
    public static void main(String[] arguments) {
        System.exit(commandLine(new BlastCommand()).execute(arguments));
    }

    static CommandLine commandLine(Callable<Integer> command) {
        var line = new CommandLine(command);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler(
                (e, of, _) -> {
                    of.getErr().println(of.getCommandName() + ": " + e.getMessage());
                    return 2;
                });
        return line;
    }

    @Override
    public Integer call() throws Exception {
        Load load = load();
        HostTls tls = tls(load);
        EventLoopGroup loops = Transport.loops(1);
        try (tls) {
            var blast = new Blast(load, loops.next(), tls, new SecureRandom().nextLong());
            blast.start();
            watch(blast, load);
            return report(blast.tally());
        } finally {
            Transport.end(loops);
        }
    }

    private Load load() {
        int colon = server.lastIndexOf(':');
        int port;
        try {
            port = Integer.parseInt(server.substring(colon + 1));
        } catch (NumberFormatException _) {
            port = 0;
        }
        require(colon > 0 && port > 0 && port < 65536, "give HOST:PORT, such as 127.0.0.1:2525");
        require(sessions > 0, "--sessions must be above 0");
        require(patienceSeconds > 0, "--patience must be above 0");
        require(
                !helo.isEmpty() || (perConnection == 0 && security != Load.Security.STARTTLS),
                "without EHLO there is no STARTTLS and no message: --per-connection 0");
        require(recipients > 0, "--recipients must be above 0");
        require(perConnection >= 0, "--per-connection must not be below 0");
        require(rate >= 0, "--rate must not be below 0");
        require(resumedShare >= 0 && resumedShare <= 1, "--resumed takes a share from 0 to 1");
        require(recipient.indexOf('@') > 0, "--recipient takes an address");
        require((chain == null) == (key == null), "--certificate and --key go together");
        require(
                version.equals("TLSv1.2") || version.equals("TLSv1.3"),
                "--tls-version takes TLSv1.2 or TLSv1.3");
        require(
                keyType == Load.KeyType.ANY || security != Load.Security.NONE,
                "--key-type needs --tls");
        require(
                holdSeconds > 0 || connections > 0 || messages > 0 || seconds > 0,
                "say when to end: --connections, --messages, --seconds or --hold");
        require(
                messages == 0 || perConnection > 0,
                "--messages needs --per-connection above 0, or it would never end");
        return new Load(
                server.substring(0, colon),
                port,
                security,
                version,
                group,
                keyType,
                resumedShare,
                chain,
                key,
                helo,
                code.isEmpty() ? "" : "MPC=" + code,
                sessions,
                rate,
                holdSeconds > 0 ? sessionsHeld() : connections,
                messages,
                seconds,
                holdSeconds > 0 ? 0 : perConnection,
                octets,
                recipients,
                recipient,
                !isWaiting,
                isChunked,
                holdSeconds,
                patienceSeconds);
    }

    private long sessionsHeld() {
        return connections == 0 ? sessions : Math.min(connections, sessions);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private static HostTls tls(Load load) throws TlsProblems {
        return HostTls.open(
                Blast.tls(load), new TlsEnvironment(InstantSource.system(), new SecureRandom()));
    }

    private void watch(Blast blast, Load load) throws InterruptedException {
        boolean isUpSaid = load.holdSeconds() == 0;
        try (var progress = new ProgressLine()) {
            while (!blast.await(PROGRESS_MILLIS)) {
                if (!isUpSaid && blast.isHolding()) {
                    isUpSaid = true;
                    out().println("{\"held\":" + blast.heldSessions() + "}");
                }
                Tally tally = blast.tally();
                progress.show(
                        String.format(
                                "%,d connections, %,d messages",
                                tally.connections(), tally.messages()));
            }
        }
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private int report(Tally tally) {
        if (isJson) {
            out().println(tally.json());
        } else {
            out().print(tally.text());
            out().flush();
        }
        long asked = tally.messages() + tally.refusals();
        return tally.failures() > 0 || tally.refusals() > refusalsMax * asked ? 1 : 0;
    }
}
