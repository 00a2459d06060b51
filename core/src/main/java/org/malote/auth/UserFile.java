package org.malote.auth;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.MailPolicyCode;
import org.malote.offload.Secrets;
import org.malote.offload.TlsProblems;
import org.malote.smtp.DomainName;
import org.malote.smtp.Mailbox;
import org.malote.smtp.Printable;
import org.malote.smtp.wire.AddressParser;

/// The file of users, a line for each:
///
/// ```
/// # comment
/// ann:$argon2id$... SCRAM-SHA-256$... from=ann@isp.example,@ann.example mpc=per/individual
/// box7:certificate=box7.customers.isp.example
/// ```
///
/// Behind the colon stand, in any order and with blanks between: a [PasswordHash] for PLAIN, a
/// [ScramVerifier], `from=` (addresses and `@domain`s that it may send as; without it any), `mpc=`
/// (the Mail Policy Code of messages without one), `certificate=` (the names of certificates that
/// vouch for it). `malote password` makes such lines.
public final class UserFile {
    /// Ours: a quarter of a million users.
    private static final int FILE_BYTES_MAX = 64 << 20;

    /// More are counted, not told.
    private static final int PROBLEMS_MAX = 20;

    private final Path path;
    private final Map<String, User> users = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    private UserFile(Path path) {
        this.path = path;
    }

    /// What reading a file gives.
    public sealed interface Result {
        /// It is valid.
        record Valid(Users users) implements Result {}

        /// It is not.
        ///
        /// @param problems at least one sentence for the operator; none tells what stands in a line
        record Invalid(List<String> problems) implements Result {
            public Invalid {
                problems = List.copyOf(problems);
            }
        }
    }

    /// Reads a file. Blocks.
    ///
    /// @param path null: nobody is known
    public static Result read(@Nullable Path path) {
        if (path == null) {
            return new Result.Valid(Users.NONE);
        }
        byte[] bytes;
        try {
            Secrets.requirePrivate(path, "file of users");
            try (InputStream in = Files.newInputStream(path)) {
                bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            }
        } catch (TlsProblems e) {
            return new Result.Invalid(e.problems());
        } catch (NoSuchFileException _) {
            return invalid(path, "does not exist: make its lines with malote password");
        } catch (IOException e) {
            return invalid(path, "cannot be read: " + e.getMessage());
        }
        if (bytes.length > FILE_BYTES_MAX) {
            return invalid(path, "is larger than 64 MiB: name a file of users");
        }
        try {
            String text =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return new UserFile(path).parse(text);
        } catch (CharacterCodingException _) {
            return invalid(path, "is not UTF-8 text");
        }
    }

    private static Result invalid(Path path, String sentence) {
        return new Result.Invalid(List.of("the file of users " + path + " " + sentence));
    }

    private Result parse(String text) {
        int number = 0;
        for (String line : text.split("\\r?\\n", -1)) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                new Line(number).read(line);
            }
        }
        if (problems.isEmpty()) {
            return new Result.Valid(new Users(users.values()));
        }
        int untold = problems.size() - PROBLEMS_MAX;
        if (untold > 0) {
            problems.subList(PROBLEMS_MAX, problems.size()).clear();
            problems.add(path + ": and " + untold + " more");
        }
        return new Result.Invalid(problems);
    }

    /// One line while it is read.
    private final class Line {
        private final int number;
        private @Nullable PasswordHash hash;
        private @Nullable ScramVerifier verifier;
        private @Nullable Set<String> senders;
        private @Nullable MailPolicyCode code;
        private @Nullable List<String> certificates;

        Line(int number) {
            this.number = number;
        }

        void read(String line) {
            int colon = line.indexOf(':');
            String name = colon < 0 ? null : Prepared.userName(line.substring(0, colon));
            if (name == null) {
                problem("a line is name:... with what malote password prints for the name");
                return;
            }
            for (String field : line.substring(colon + 1).strip().split("[ \\t]+", -1)) {
                field(field);
            }
            if (hash == null && verifier == null && certificates == null) {
                problem("nothing proves who \"" + shown(name) + "\" is; run malote password");
            }
            User user =
                    new User(
                            name,
                            hash,
                            verifier,
                            senders == null ? Set.of() : senders,
                            code,
                            certificates == null ? List.of() : certificates);
            if (users.putIfAbsent(name, user) != null) {
                problem("the user \"" + shown(name) + "\" is there twice");
            }
        }

        private void field(String field) {
            if (field.startsWith("$")) {
                once(hash);
                hash = PasswordHash.parse(field);
                if (hash == null) {
                    problem(
                            "a hash is $argon2id$v=19$m=...,t=...,p=...$salt$hash with at most 256"
                                    + " MiB and 64 passes; run malote password");
                }
            } else if (field.startsWith("SCRAM-")) {
                once(verifier);
                verifier = ScramVerifier.parse(field);
                if (verifier == null) {
                    problem(
                            "a verifier is SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey with"
                                    + " at least 4096 iterations; run malote password");
                }
            } else if (field.startsWith("from=")) {
                once(senders);
                senders = new LinkedHashSet<>();
                for (String sender : values(field)) {
                    add(sender, senderKey(sender), senders, "an address or @domain");
                }
            } else if (field.startsWith("certificate=")) {
                once(certificates);
                certificates = new ArrayList<>();
                for (String name : values(field)) {
                    DomainName host = DomainName.parse(name);
                    add(name, host == null ? null : host.text(), certificates, "a host name");
                }
            } else if (field.startsWith("mpc=")) {
                once(code);
                String text = field.substring("mpc=".length());
                if (MailPolicyCode.parse(text) instanceof MailPolicyCode.Parsed.Known(var known)) {
                    code = known;
                } else {
                    problem("\"" + shown(text) + "\" is no code such as per/individual");
                }
            } else {
                // It may be a secret that is in the wrong place.
                problem("there is a field that is no hash, verifier, from=, mpc= or certificate=");
            }
        }

        private void add(String text, @Nullable String key, Collection<String> to, String kind) {
            if (key == null) {
                problem("\"" + shown(text) + "\" is not " + kind);
            } else {
                to.add(key);
            }
        }

        private void once(@Nullable Object before) {
            if (before != null) {
                problem("a field is there twice");
            }
        }

        private void problem(String sentence) {
            problems.add(path + ":" + number + ": " + sentence);
        }
    }

    private static String[] values(String field) {
        return field.substring(field.indexOf('=') + 1).split(",", -1);
    }

    private static @Nullable String senderKey(String text) {
        if (text.startsWith("@")) {
            DomainName domain = DomainName.parse(text.substring(1));
            return domain == null ? null : User.key(domain);
        }
        Mailbox mailbox = AddressParser.parseMailbox(text);
        return mailbox == null ? null : User.key(mailbox);
    }

    private static String shown(String text) {
        return Printable.escape(text);
    }
}
