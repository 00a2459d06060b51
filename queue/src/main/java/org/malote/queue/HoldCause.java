package org.malote.queue;

/// Who holds a recipient.
public enum HoldCause {
    /// An operator; until an operator releases it.
    OPERATOR,
    /// Its route; until an operator releases it or the route changes.
    ROUTE
}
