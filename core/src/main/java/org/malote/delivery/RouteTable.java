package org.malote.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.malote.dns.Idna;
import org.malote.smtp.Ascii;

/// The operator's routes. The first match wins.
///
/// @param routes in the order of the configuration
public record RouteTable(List<Route> routes) {
    /// No routes: everything goes to MX hosts.
    public static final RouteTable EMPTY = new RouteTable(List.of());

    public RouteTable {
        routes = List.copyOf(routes);
    }

    /// The first route that matches.
    ///
    /// @param destination a domain in lower case, or an address literal
    public @Nullable Route find(String destination) {
        String ascii = inALabels(destination);
        for (Route route : routes) {
            if (route.pattern().matches(ascii)) {
                return route;
            }
        }
        return null;
    }

    /// The first route that matches and does not hold: where mail goes that an operator released.
    public @Nullable Route findPastHolds(String destination) {
        String ascii = inALabels(destination);
        for (Route route : routes) {
            if (route.pattern().matches(ascii) && !(route.via() instanceof Via.Hold)) {
                return route;
            }
        }
        return null;
    }

    /// RFC 5890 §2.3.2.1: both forms of a name are one domain.
    private static String inALabels(String destination) {
        if (Ascii.isAscii(destination)) {
            return destination;
        }
        String ascii = Idna.toAscii(destination);
        return ascii == null ? destination : ascii;
    }

    /// Whether mail for this destination stays with the operator, also once it is released from
    /// being held.
    public boolean isInward(String destination) {
        Route route = findPastHolds(destination);
        return route != null && route.via().isPrivate();
    }

    /// Whether mail for this destination is ours to take from anyone. A catch-all that leads away
    /// over SMTP (`*` via `smtp:` or `mx`) is how our own clients' mail leaves, and makes nothing
    /// ours: else one line for a smart host would make an open relay.
    public boolean isRouted(String destination) {
        Route route = find(destination);
        if (route == null) {
            return false;
        }
        return switch (route.via()) {
            case Via.Smtp _, Via.Mx _, Via.Amtp _, Via.Hybrid _, Via.AmtpHost _ ->
                    !route.pattern().isCatchAll();
            case Via.Maildir _, Via.Lmtp _, Via.Hold _, Via.Discard _ -> true;
        };
    }
}
