package org.malote.app;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.AmtpSettings;
import org.malote.amtp.DenyList;
import org.malote.amtp.Dial;
import org.malote.amtp.IdentitySettings;
import org.malote.amtp.TrustBase;
import org.malote.config.Settings;
import org.malote.offload.PeerTrust;
import org.malote.offload.PeerTrustSettings;
import org.malote.offload.TlsProblems;
import org.malote.server.ListenerSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads the files that say whom listeners believe: authorities, revocation lists, the deny list.
final class TrustFiles {
    private static final Logger LOG = LoggerFactory.getLogger(TrustFiles.class);

    /// Ours: [DenyList#ENTRIES_MAX] lines of the longest kind.
    private static final int DENY_BYTES_MAX = 32 << 20;

    private TrustFiles() {}

    /// Reads them for a start or a reload.
    ///
    /// @throws TlsProblems with a sentence for everything that is wrong; what was read before
    ///     should then go on
    static TrustBase read(Settings settings, Instant now) throws TlsProblems {
        return read(settings, now, LOG::warn);
    }

    /// Reads them and lets go of them again.
    ///
    /// @param notes told of what is no problem and still worth knowing
    static List<String> check(Settings settings, Instant now, Consumer<String> notes) {
        try {
            TrustBase _ = read(settings, now, notes);
            return List.of();
        } catch (TlsProblems e) {
            return e.problems();
        }
    }

    private static TrustBase read(Settings settings, Instant now, Consumer<String> warnings)
            throws TlsProblems {
        List<String> problems = new ArrayList<>();
        List<TrustBase.Believing> believing = new ArrayList<>();
        AmtpSettings amtp = settings.amtp();
        for (ListenerSettings listener : settings.listeners()) {
            IdentitySettings identity = listener.identity();
            if (identity.dial() == Dial.OFF && identity.trust().isEmpty()) {
                continue;
            }
            try {
                believing.add(
                        new TrustBase.Believing(
                                listener.name(),
                                standing(listener),
                                PeerTrust.read(
                                        new PeerTrustSettings(
                                                identity.trust(),
                                                identity.trustsSystem(),
                                                amtp.acceptsServerUse(),
                                                amtp.revocationLists()))));
            } catch (TlsProblems e) {
                problems.addAll(e.problems());
            }
        }
        DenyList denied = denied(amtp.deny(), problems);
        if (!problems.isEmpty()) {
            throw new TlsProblems(problems.stream().distinct().toList());
        }
        if (believing.isEmpty()) {
            return TrustBase.NONE;
        }
        believing.stream()
                .flatMap(one -> one.trust().warnings(now).stream())
                .distinct()
                .forEach(warnings);
        try {
            return TrustBase.of(believing, denied, amtp.commonNames());
        } catch (TrustBase.NotDisjoint e) {
            throw new TlsProblems(e.problems());
        }
    }

    private static TrustBase.Standing standing(ListenerSettings listener) {
        return switch (listener.profile()) {
            case AMTP_PUBLIC -> TrustBase.Standing.PUBLIC;
            case AMTP_PRIVATE -> TrustBase.Standing.PRIVATE;
            case MX, SUBMISSION -> TrustBase.Standing.EITHER;
        };
    }

    private static DenyList denied(@Nullable Path file, List<String> problems) {
        if (file == null) {
            return DenyList.EMPTY;
        }
        String what = "deny list " + file;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] octets = in.readNBytes(DENY_BYTES_MAX + 1);
            if (octets.length > DENY_BYTES_MAX) {
                problems.add(what + " has more than " + DENY_BYTES_MAX + " bytes: shorten it");
                return DenyList.EMPTY;
            }
            // What is not UTF-8 is no name and no digest, and its line is told.
            return switch (DenyList.parse(new String(octets, StandardCharsets.UTF_8))) {
                case DenyList.Parsed.Valid(var list) -> list;
                case DenyList.Parsed.Invalid(var faults) -> {
                    faults.forEach(
                            fault ->
                                    problems.add(
                                            what
                                                    + " line "
                                                    + fault.line()
                                                    + ": "
                                                    + fault.sentence()));
                    yield DenyList.EMPTY;
                }
            };
        } catch (NoSuchFileException _) {
            problems.add(
                    what + " does not exist: create it, empty if need be, or correct the path");
        } catch (IOException e) {
            problems.add(
                    what
                            + " cannot be read ("
                            + e.getMessage()
                            + "): make it readable for the user that runs the server");
        }
        return DenyList.EMPTY;
    }
}
