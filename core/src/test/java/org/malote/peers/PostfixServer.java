package org.malote.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

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

    /// @param relayPort where mail for other domains than `local.test` goes, over TLS
    static PostfixServer start(Folder folder, Certificate certificate, int relayPort) {
        int port = Ports.free();
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
                inet_interfaces = 127.0.0.1
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
                relayhost = [127.0.0.1]:%3$d
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
                smtpd_recipient_restrictions = permit_mynetworks, reject
                """
                        .formatted(base, mail, relayPort, certificate.chain(), certificate.key()));
        folder.write(
                "postfix/master.cf",
                """
                127.0.0.1:%d inet n - n - - smtpd
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
                        .formatted(port));
        Child child =
                Child.start("postfix", base, List.of("postfix", "-c", base.toString(), "start-fg"));
        Await.until(
                Duration.ofSeconds(30),
                () -> {
                    if (!child.isAlive()) {
                        throw new AssertionError("Postfix did not start:\n" + child.output());
                    }
                    return isOpen(port);
                },
                child::output);
        return new PostfixServer(child, base, port, mail.resolve("box"));
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
