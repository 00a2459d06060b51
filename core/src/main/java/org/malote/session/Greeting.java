package org.malote.session;

import org.jspecify.annotations.Nullable;
import org.malote.amtp.HopIdentity;
import org.malote.auth.User;
import org.malote.smtp.MailHost;

/// How the peer named itself, and who it has been found to be.
///
/// @param name the argument of EHLO or HELO; a claim, nothing more
/// @param isExtended EHLO, so that extensions are in force
/// @param identity what is known of who it is
/// @param user who it has proved to be by AUTH; null: nobody
public record Greeting(
        MailHost name, boolean isExtended, HopIdentity identity, @Nullable User user) {

    /// A peer that has not said who its user is.
    public Greeting(MailHost name, boolean isExtended, HopIdentity identity) {
        this(name, isExtended, identity, null);
    }

    /// A peer of which nothing but its name is known.
    public Greeting(MailHost name, boolean isExtended) {
        this(name, isExtended, HopIdentity.UNKNOWN);
    }

    /// The same peer, which speaks for a user.
    Greeting by(@Nullable User proven) {
        return new Greeting(name, isExtended, identity, proven);
    }
}
