package org.malote.admin;

import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import org.malote.queue.QueueStats;

/// The status page: a few figures, readable without scripts or styles from elsewhere.
///
/// @param hostname our name
/// @param version of Malote
/// @param startedAtMillis in milliseconds since 1970
/// @param listeners one line each
/// @param sessions inbound sessions now
public record StatusPage(
        String hostname,
        String version,
        long startedAtMillis,
        InstantSource clock,
        List<String> listeners,
        Supplier<Integer> sessions,
        Supplier<QueueStats> queue,
        Health health) {

    public StatusPage {
        listeners = List.copyOf(listeners);
    }

    String html() {
        QueueStats stats = queue.get();
        String reason = health.unreadyReason();
        StringBuilder rows = new StringBuilder();
        row(rows, "State", reason == null ? "taking mail" : reason);
        row(rows, "Up", Ages.format(clock.millis() - startedAtMillis));
        for (String listener : listeners) {
            row(rows, "Listener", listener);
        }
        row(rows, "Sessions", String.valueOf(sessions.get()));
        row(rows, "Queue", stats.messages() + " messages, " + Ages.formatBytes(stats.bytes()));
        row(
                rows,
                "Recipients",
                stats.waiting()
                        + " waiting, "
                        + stats.active()
                        + " active, "
                        + stats.held()
                        + " held");
        row(rows, "Destinations", String.valueOf(stats.lanes()));
        row(
                rows,
                "Since the start",
                stats.accepted() + " accepted, " + stats.finished() + " finished");
        row(rows, "Spool", Ages.formatBytes(stats.freeBytes()) + " free");
        return """
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
        <title>Malote on %1$s</title>
        <style>body{font:1rem/1.5 system-ui;margin:2rem}th{text-align:left;padding-right:2rem}</style>
        <h1>%1$s</h1>
        <table>
        %3$s</table>
        <p>Malote %2$s. <a href="/metrics">Metrics</a></p>
        </html>
        """
                .formatted(escape(hostname), escape(version), rows);
    }

    private static void row(StringBuilder rows, String name, String value) {
        rows.append("<tr><th>")
                .append(name)
                .append("</th><td>")
                .append(escape(value))
                .append("</td></tr>\n");
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
