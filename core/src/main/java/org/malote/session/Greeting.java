package org.malote.session;

import org.malote.amtp.HopIdentity;
import org.malote.smtp.MailHost;

/// How the peer named itself.
///
/// @param name the argument of EHLO or HELO; a claim, nothing more
/// @param isExtended EHLO, so that extensions are in force
/// @param identity what is known of who it is
public record Greeting(MailHost name, boolean isExtended, HopIdentity identity) {

    /// A peer of which nothing but its name is known.
    public Greeting(MailHost name, boolean isExtended) {
        this(name, isExtended, HopIdentity.UNKNOWN);
    }
}
