package org.malote.queue.schedule;

/// The entries of one destination: those that are due are in line, first come first served.
final class Lane {
    final int number;
    final String destination;

    /// A list of the table.
    final int line;

    Site site;
    int entries;
    int claims;
    boolean isSuspended;

    /// It is among the turns of its site.
    boolean inTurn;

    Lane(int number, String destination, int line, Site site) {
        this.number = number;
        this.destination = destination;
        this.line = line;
        this.site = site;
    }
}
