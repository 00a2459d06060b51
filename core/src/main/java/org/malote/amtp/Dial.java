package org.malote.amtp;

/// How much a rule counts at a listener.
public enum Dial {
    /// Not at all: it is as if the rule were not there.
    OFF,
    /// All of it is done but the refusing. What would have been refused is logged and counted.
    OBSERVE,
    /// It refuses.
    ENFORCE
}
