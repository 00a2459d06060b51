package org.malote.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.malote.smtp.IpAddresses;

/// How durations, sizes and addresses are written.
public final class Units {
    private static final Pattern DURATION_PART = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9}) ?(B|KiB|MiB|GiB|TiB)");

    private static final Pattern RATE = Pattern.compile("([0-9]{1,6})/(s|m|h)");

    private Units() {}

    /// `30s`, `5m`, `1h30m`, `5d`.
    public static @Nullable Duration parseDuration(String text) {
        Matcher part = DURATION_PART.matcher(text);
        Duration sum = Duration.ZERO;
        int end = 0;
        while (part.find() && part.start() == end) {
            long count = Long.parseLong(part.group(1));
            sum =
                    sum.plus(
                            switch (part.group(2)) {
                                case "ms" -> Duration.ofMillis(count);
                                case "s" -> Duration.ofSeconds(count);
                                case "m" -> Duration.ofMinutes(count);
                                case "h" -> Duration.ofHours(count);
                                default -> Duration.ofDays(count);
                            });
            end = part.end();
        }
        return end == text.length() && end > 0 ? sum : null;
    }

    /// `20/s`, `600/m`, `1000/h`: so many a second, minute or hour.
    ///
    /// @return how many a second; above zero
    public static @Nullable Double parseRate(String text) {
        Matcher rate = RATE.matcher(text);
        if (!rate.matches()) {
            return null;
        }
        double count = Integer.parseInt(rate.group(1));
        double perSecond =
                switch (rate.group(2)) {
                    case "s" -> count;
                    case "m" -> count / Duration.ofMinutes(1).toSeconds();
                    default -> count / Duration.ofHours(1).toSeconds();
                };
        return perSecond > 0 ? perSecond : null;
    }

    /// As [#parseDuration] reads it.
    static String format(Duration duration) {
        if (duration.isZero()) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        append(text, duration.toDays(), "d");
        append(text, duration.toHoursPart(), "h");
        append(text, duration.toMinutesPart(), "m");
        append(text, duration.toSecondsPart(), "s");
        append(text, duration.toMillisPart(), "ms");
        return text.toString();
    }

    private static void append(StringBuilder text, long count, String unit) {
        if (count > 0) {
            text.append(count).append(unit);
        }
    }

    /// `512B`, `64KiB`, `50MiB`.
    ///
    /// @return bytes, or -1
    static long parseSize(String text) {
        Matcher size = SIZE.matcher(text);
        if (!size.matches()) {
            return -1;
        }
        long count = Long.parseLong(size.group(1));
        int shift =
                switch (size.group(2)) {
                    case "B" -> 0;
                    case "KiB" -> 10;
                    case "MiB" -> 20;
                    case "GiB" -> 30;
                    default -> 40;
                };
        return count > Long.MAX_VALUE >> shift ? -1 : count << shift;
    }

    /// As [#parseSize] reads it, in the largest unit that loses nothing.
    static String formatSize(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        while (unit < units.length - 1 && bytes != 0 && bytes % 1024 == 0) {
            bytes /= 1024;
            unit++;
        }
        return bytes + units[unit];
    }

    /// `192.0.2.1:25` or `[2001:db8::1]:25`; with a default port, `2001:db8::1` too.
    ///
    /// @param defaultPort used when none is written; -1 when one must be
    static @Nullable InetSocketAddress parseAddress(String text, int defaultPort) {
        InetAddress alone = defaultPort < 0 ? null : parseIp(text);
        if (alone != null) {
            return new InetSocketAddress(alone, defaultPort);
        }
        HostPort hostPort = parseHostPort(text, defaultPort);
        if (hostPort == null) {
            return null;
        }
        InetAddress address = parseIp(hostPort.host());
        return address == null ? null : new InetSocketAddress(address, hostPort.port());
    }

    /// As [#parseAddress] reads it.
    static String format(InetSocketAddress address) {
        String host = IpAddresses.format(address.getAddress());
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /// A host without brackets, and a port from 0 to 65535.
    record HostPort(String host, int port) {}

    /// @param defaultPort used when none is written; -1 when one must be
    static @Nullable HostPort parseHostPort(String text, int defaultPort) {
        String host;
        String rest;
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            if (end < 0) {
                return null;
            }
            host = text.substring(1, end);
            rest = text.substring(end + 1);
            if (IpAddresses.parseIpv6(host) == null) {
                return null;
            }
        } else {
            int colon = text.indexOf(':');
            host = colon < 0 ? text : text.substring(0, colon);
            rest = colon < 0 ? "" : text.substring(colon);
        }
        if (host.isEmpty()) {
            return null;
        }
        if (rest.isEmpty()) {
            return defaultPort < 0 ? null : new HostPort(lower(host), defaultPort);
        }
        if (!rest.matches(":[0-9]{1,5}")) {
            return null;
        }
        int port = Integer.parseInt(rest.substring(1));
        return port > 65535 ? null : new HostPort(lower(host), port);
    }

    static @Nullable InetAddress parseIp(String text) {
        byte[] octets =
                text.indexOf(':') >= 0 ? IpAddresses.parseIpv6(text) : IpAddresses.parseIpv4(text);
        if (octets == null) {
            return null;
        }
        try {
            return InetAddress.getByAddress(octets);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are always an address", e);
        }
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
