package org.malote.server;

import java.net.InetAddress;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.malote.accept.Acceptance;
import org.malote.amtp.CodeSettings;
import org.malote.amtp.Hops;
import org.malote.amtp.Observations;
import org.malote.auth.Authenticator;
import org.malote.offload.TlsContexts;
import org.malote.policy.Policy;
import org.malote.session.SessionLimits;
import org.malote.smtp.DomainName;
import org.malote.telemetry.Meters;
import org.malote.telemetry.SessionLog;

/// What every inbound session works with. The suppliers are asked for each session, so that what
/// they give can be exchanged while the server runs.
///
/// @param hostname our name
/// @param limits what sessions may use
/// @param policy answers their questions
/// @param acceptance takes their messages
/// @param tls the TLS contexts now, or null when no listener speaks TLS
/// @param tickets who gets session tickets
/// @param codes which Mail Policy Codes are taken now
/// @param authenticator says who has proved to be which user
/// @param hops finds out who peers are
/// @param isUncounted clients whose sessions are not counted by network
/// @param observations counts peers, at listeners that look at who they are or at codes
public record Reception(
        DomainName hostname,
        SessionLimits limits,
        Supplier<Policy> policy,
        Acceptance acceptance,
        Supplier<@Nullable TlsContexts> tls,
        TicketPolicy tickets,
        Supplier<CodeSettings> codes,
        Authenticator authenticator,
        Hops hops,
        Predicate<InetAddress> isUncounted,
        Observations observations,
        SessionLog log,
        Meters meters) {}
