package org.malote.offload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// When files were last changed, to see that they were.
final class FileTimes {
    private FileTimes() {}

    /// What holds certificates and their keys: paths, and for keys elsewhere what has no file.
    static List<String> names(Collection<CertificateSettings> certificates) {
        List<String> names = new ArrayList<>();
        for (CertificateSettings certificate : certificates) {
            names.add(certificate.chain().toString());
            names.add(certificate.key());
            String fallback = certificate.fallbackKey();
            if (fallback != null) {
                names.add(fallback);
            }
        }
        return names;
    }

    /// Those that are there.
    static Map<Path, FileTime> of(Collection<String> names) {
        Map<Path, FileTime> times = new HashMap<>();
        for (String name : names) {
            try {
                Path path = Path.of(name);
                times.put(path, Files.getLastModifiedTime(path));
            } catch (IOException | InvalidPathException _) {
                // Not there: the next reading says so.
            }
        }
        return times;
    }
}
