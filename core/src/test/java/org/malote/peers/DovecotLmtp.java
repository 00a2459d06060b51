package org.malote.peers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A private Dovecot that takes mail over LMTP for the users `ana` and `bruno` of `lmtp.test`, and
/// knows nobody else.
final class DovecotLmtp implements AutoCloseable {
    private final Child child;
    private final int port;
    private final Path mail;

    private DovecotLmtp(Child child, int port, Path mail) {
        this.child = child;
        this.port = port;
        this.mail = mail;
    }

    static DovecotLmtp start(Folder folder) {
        int port = Ports.free();
        Path base = folder.sub("dovecot");
        Path mail = folder.sub("dovecot-mail");
        Child.run(
                "chown",
                base,
                Duration.ofSeconds(5),
                List.of("chown", "nobody:nogroup", mail.toString()));
        Path users =
                folder.write(
                        "dovecot/users",
                        "ana@lmtp.test:{PLAIN}x:::::\nbruno@lmtp.test:{PLAIN}x:::::\n");
        Path config =
                folder.write(
                        "dovecot/dovecot.conf",
                        """
                        protocols = lmtp
                        listen = 127.0.0.1
                        base_dir = %1$s/run
                        state_dir = %1$s/state
                        log_path = /dev/stderr
                        ssl = no
                        mail_location = maildir:%2$s/%%n
                        first_valid_uid = 1
                        passdb {
                          driver = passwd-file
                          args = %3$s
                        }
                        userdb {
                          driver = passwd-file
                          args = %3$s
                          override_fields = uid=nobody gid=nogroup home=%2$s/%%n
                        }
                        service lmtp {
                          inet_listener lmtp {
                            address = 127.0.0.1
                            port = %4$d
                          }
                        }
                        service anvil {
                          chroot =
                        }
                        """
                                .formatted(base, mail, users, port));
        Child child =
                Child.start("dovecot", base, List.of("dovecot", "-F", "-c", config.toString()));
        Await.until(
                Duration.ofSeconds(30),
                () -> {
                    if (!child.isAlive()) {
                        throw new AssertionError("Dovecot did not start:\n" + child.output());
                    }
                    return PostfixServer.isOpen(port);
                },
                child::output);
        return new DovecotLmtp(child, port, mail);
    }

    int port() {
        return port;
    }

    Path maildir(String user) {
        return mail.resolve(user);
    }

    @Override
    public void close() {
        child.terminate();
        try {
            child.await(Duration.ofSeconds(20));
        } finally {
            child.close();
        }
    }
}
