package org.malote.auth;

/// PLAIN (RFC 4616): authorization identity, name and password in one message.
final class PlainExchange {
    private PlainExchange() {}

    record Start() implements Exchange.Listening {
        @Override
        public Exchange.Move on(String response) {
            int first = response.indexOf('\0');
            int second = response.indexOf('\0', first + 1);
            // RFC 4616 §2: [authzid] NUL authcid NUL passwd, none with a NUL in it
            if (first < 0 || second < 0 || response.indexOf('\0', second + 1) >= 0) {
                return new Exchange.Move.Fail(Exchange.Fault.MALFORMED);
            }
            String authorization = response.substring(0, first);
            String name = response.substring(first + 1, second);
            String password = response.substring(second + 1);
            if (name.isEmpty() || password.isEmpty()) {
                return new Exchange.Move.Fail(Exchange.Fault.MALFORMED);
            }
            if (!Authorization.isFor(authorization, name)) {
                return new Exchange.Move.Fail(Exchange.Fault.REFUSED);
            }
            return new Exchange.Move.Ask(
                    new Claim.Password(name, password), new Exchange.Asked(Mechanism.PLAIN));
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.PLAIN;
        }
    }
}
