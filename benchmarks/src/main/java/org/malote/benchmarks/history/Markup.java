package org.malote.benchmarks.history;

import java.util.List;

/// Pieces of HTML that are well-formed XML too.
final class Markup {
    private Markup() {}

    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints()
                .forEach(
                        each -> {
                            switch (each) {
                                case '&' -> escaped.append("&amp;");
                                case '<' -> escaped.append("&lt;");
                                case '>' -> escaped.append("&gt;");
                                case '"' -> escaped.append("&quot;");
                                default -> {
                                    // XML has no other control characters, and no half pairs.
                                    boolean isAllowed =
                                            (each >= ' ' && each < 0xd800)
                                                    || (each >= 0xe000 && each < 0xfffe)
                                                    || each > 0xffff
                                                    || each == '\n';
                                    escaped.appendCodePoint(isAllowed ? each : '�');
                                }
                            }
                        });
        return escaped.toString();
    }

    /// The first column of `rows` is their heading; the others are on the right when they are
    /// numbers. Cells are text.
    static String table(String caption, List<String> head, List<List<String>> rows) {
        StringBuilder html = new StringBuilder("<div class=\"wide\"><table>\n<caption>");
        html.append(escaped(caption)).append("</caption>\n<thead><tr>");
        head.forEach(
                cell -> html.append("<th scope=\"col\">").append(escaped(cell)).append("</th>"));
        html.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows) {
            html.append("<tr>");
            for (int i = 0; i < row.size(); i++) {
                html.append(i == 0 ? "<th scope=\"row\">" : "<td>")
                        .append(escaped(row.get(i)))
                        .append(i == 0 ? "</th>" : "</td>");
            }
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div>\n").toString();
    }
}
