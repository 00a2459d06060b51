package org.malote.session;

import org.malote.smtp.MailHost;

/// How the peer named itself.
///
/// @param name the argument of EHLO or HELO; a claim, nothing more
/// @param isExtended EHLO, so that extensions are in force
public record Greeting(MailHost name, boolean isExtended) {}
