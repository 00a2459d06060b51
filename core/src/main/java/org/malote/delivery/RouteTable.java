package org.malote.delivery;

import java.util.List;
import org.jspecify.annotations.Nullable;

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
        for (Route route : routes) {
            if (route.pattern().matches(destination)) {
                return route;
            }
        }
        return null;
    }

    /// The first route that matches and does not hold: where mail goes that an operator released.
    public @Nullable Route findPastHolds(String destination) {
        for (Route route : routes) {
            if (route.pattern().matches(destination) && !(route.via() instanceof Via.Hold)) {
                return route;
            }
        }
        return null;
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
            case Via.Smtp _, Via.Mx _ -> !route.pattern().isCatchAll();
            case Via.Maildir _, Via.Lmtp _, Via.Hold _, Via.Discard _ -> true;
        };
    }
}
