package org.malote.server;

/// Whether peers get session tickets.
public enum TicketUse {
    ON,
    OFF,

    /// Until connections end right after one, see [TicketPolicy].
    AUTO
}
