package org.malote.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// What may come in from where, by the routes.
final class RouteTableTest {
    /// Draft-weinman-amtp-03 §5.1: what leads away, now or once it is released, is not inside.
    @Test
    void onlyWhatStaysIsInward() {
        RouteTable routes =
                new RouteTable(
                        List.of(
                                route("stored.example", new Via.Maildir("/mail/{local}")),
                                route("lmtp.example", new Via.Lmtp("127.0.0.1", 24)),
                                route("old.example", new Via.Discard()),
                                route("hub.example", new Via.Smtp("192.0.2.1", 25)),
                                route("mx.example", new Via.Mx()),
                                route("held.example", new Via.Hold()),
                                route("later.example", new Via.Hold()),
                                route("later.example", new Via.Maildir("/mail/{local}"))));
        assertEquals(
                List.of("stored.example", "lmtp.example", "old.example", "later.example"),
                routes.routes().stream()
                        .map(route -> route.pattern().text())
                        .distinct()
                        .filter(routes::isInward)
                        .toList());
        assertEquals(false, routes.isInward("elsewhere.example"));
    }

    private static Route route(String pattern, Via via) {
        return new Route(Objects.requireNonNull(DomainPattern.parse(pattern)), via);
    }
}
