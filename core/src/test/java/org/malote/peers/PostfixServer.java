package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/// A private Postfix: its own configuration, queue and ports. Mail for `local.test` goes into one
/// Maildir, everything else to a relay host.
final class PostfixServer implements AutoCloseable {
    private final Child child;
    private final Path base;
    private final int port;
    private final Path maildir;

    private PostfixServer(Child child, Path base, int port, Path maildir) {
        this.child = child;
        this.base = base;
        this.port = port;
        this.maildir = maildir;
    }

    /// On this host, on a port of its own.
    ///
    /// @param relayPort where mail for other domains than `local.test` goes, over TLS
    static PostfixServer start(Folder folder, Certificate certificate, int relayPort) {
        int port = Ports.free();
        return start(
                folder,
                certificate,
                new Place(List.of(), "127.0.0.1", port, "[127.0.0.1]:" + relayPort),
                () -> isOpen(port));
    }

    /// On all addresses of a network namespace, with port 25.
    ///
    /// @param within the command that runs another one in it
    /// @param relay where mail for other domains than `local.test` goes, over TLS: `[address]:port`
    static PostfixServer startIn(
            List<String> within, Folder folder, Certificate certificate, String relay) {
        Path log = folder.path().resolve("postfix/maillog");
        return start(
                folder, certificate, new Place(within, "all", 25, relay), () -> hasStarted(log));
    }

    /// Where it is.
    ///
    /// @param within the command that it is started by; empty for none
    private record Place(List<String> within, String interfaces, int port, String relay) {}

    private static PostfixServer start(
            Folder folder, Certificate certificate, Place place, BooleanSupplier isUp) {
        Path base = folder.sub("postfix");
        Path mail = folder.sub("postfix-mail");
        Child.run(
                "chown",
                base,
                Duration.ofSeconds(5),
                List.of("chown", "nobody:nogroup", mail.toString()));
        folder.sub("postfix/queue");
        folder.sub("postfix/data");
        Child.run(
                "chown", base, Duration.ofSeconds(5), List.of("chown", "postfix", base + "/data"));
        folder.write(
                "postfix/main.cf",
                """
                compatibility_level = 3.6
                queue_directory = %1$s/queue
                data_directory = %1$s/data
                maillog_file = %1$s/maillog
                maillog_file_prefixes = /tmp
                inet_interfaces = %6$s
                inet_protocols = ipv4
                myhostname = postfix.test
                mydestination =
                mynetworks = 127.0.0.0/8
                alias_maps =
                message_size_limit = 52428800
                mailbox_size_limit = 0
                virtual_mailbox_limit = 0
                virtual_mailbox_domains = local.test
                virtual_mailbox_base = %2$s
                virtual_mailbox_maps = static:box/
                virtual_uid_maps = static:65534
                virtual_gid_maps = static:65534
                relayhost = %3$s
                smtpd_tls_cert_file = %4$s
                smtpd_tls_key_file = %5$s
                smtpd_tls_security_level = may
                smtpd_tls_loglevel = 1
                smtpd_tls_ask_ccert = yes
                smtpd_tls_received_header = yes
                smtp_tls_loglevel = 1
                smtp_tls_security_level = encrypt
                smtp_line_length_limit = 0
                smtputf8_enable = yes
                smtpd_recipient_restrictions = permit_mynetworks, permit_auth_destination, reject
                """
                        .formatted(
                                base,
                                mail,
                                place.relay(),
                                certificate.chain(),
                                certificate.key(),
                                place.interfaces()));
        folder.write(
                "postfix/master.cf",
                """
                %d inet n - n - - smtpd
                pickup unix n - n 60 1 pickup
                cleanup unix n - n - 0 cleanup
                qmgr unix n - n 300 1 qmgr
                tlsmgr unix - - n 1000? 1 tlsmgr
                rewrite unix - - n - - trivial-rewrite
                bounce unix - - n - 0 bounce
                defer unix - - n - 0 bounce
                trace unix - - n - 0 bounce
                verify unix - - n - 1 verify
                flush unix n - n 1000? 0 flush
                proxymap unix - - n - - proxymap
                smtp unix - - n - - smtp
                relay unix - - n - - smtp
                showq unix n - n - - showq
                error unix - - n - - error
                retry unix - - n - - error
                virtual unix - n n - - virtual
                anvil unix - - n - 1 anvil
                scache unix - - n - 1 scache
                postlog unix-dgram n - n - 1 postlogd
                """
                        .formatted(place.port()));
        List<String> command = new ArrayList<>(place.within());
        command.addAll(List.of("postfix", "-c", base.toString(), "start-fg"));
        Child child = Child.start("postfix", base, command);
        Await.until(
                Duration.ofSeconds(30),
                () -> {
                    if (!child.isAlive()) {
                        throw new AssertionError("Postfix did not start:\n" + child.output());
                    }
                    return isUp.getAsBoolean();
                },
                child::output);
        return new PostfixServer(child, base, place.port(), mail.resolve("box"));
    }

    private static boolean hasStarted(Path log) {
        try {
            return Files.exists(log) && Files.readString(log).contains("daemon started");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean isOpen(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(Ports.address(port), 1000);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    int port() {
        return port;
    }

    /// Where mail for `local.test` is.
    Path maildir() {
        return maildir;
    }

    /// Ends the master daemon, which the child that was started only waits for.
    @Override
    public void close() {
        try {
            String pid = Files.readString(base.resolve("queue/pid/master.pid")).strip();
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroy);
            child.await(Duration.ofSeconds(20));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            child.close();
        }
    }
}
