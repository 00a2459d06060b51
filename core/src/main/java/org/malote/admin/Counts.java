package org.malote.admin;

/// How much an answer of the control socket is about.
///
/// @param messages found or changed; for a shape, destinations
/// @param recipients of those, found or changed
public record Counts(long messages, long recipients) {
    /// `1 message`, `5 recipients of 3 messages`.
    ///
    /// @param isOfRecipients whether the recipients are what it is about, and not whole messages
    public String text(boolean isOfRecipients) {
        String what = messages + (messages == 1 ? " message" : " messages");
        return recipients == messages && !isOfRecipients
                ? what
                : recipients + (recipients == 1 ? " recipient of " : " recipients of ") + what;
    }
}
