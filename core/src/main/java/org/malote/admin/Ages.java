package org.malote.admin;

import java.util.Locale;

/// Times and sizes as people read them: two figures are enough.
public final class Ages {
    private Ages() {}

    /// `45s`, `12m`, `3h20m`, `4d6h`.
    public static String format(long millis) {
        long seconds = Math.max(0, millis) / 1000;
        if (seconds < 60) {
            return seconds + "s";
        }
        long minutes = seconds / 60;
        if (minutes < 60) {
            return minutes + "m";
        }
        long hours = minutes / 60;
        if (hours < 24) {
            return hours + "h" + (minutes % 60 == 0 ? "" : minutes % 60 + "m");
        }
        return hours / 24 + "d" + (hours % 24 == 0 ? "" : hours % 24 + "h");
    }

    /// `812 B`, `4.1 KiB`, `10 MiB`.
    public static String formatBytes(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        String[] units = {"KiB", "MiB", "GiB", "TiB"};
        double value = (double) bytes;
        int unit = -1;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    }
}
