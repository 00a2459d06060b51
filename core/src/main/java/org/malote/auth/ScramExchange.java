package org.malote.auth;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// SCRAM-SHA-256, the server's side (RFC 5802 §5, RFC 7677). Both ends prove that they know the
/// password, or what was made of it, and neither tells it.
final class ScramExchange {
    /// RFC 5802 §7: printable ASCII but the comma. The length is ours.
    private static final String NONCE = "[\\x21-\\x2b\\x2d-\\x7e]{1,256}";

    /// RFC 5802 §7, client-first-message: gs2-header, then client-first-message-bare. A mandatory
    /// extension, `m=`, is not understood, and so does not match. None is
    /// defined that need not be; eight are passed over.
    private static final Pattern FIRST =
            Pattern.compile(
                    "(?<header>(?<binding>n|y|p=[A-Za-z0-9.-]+),(?:a=(?<authorization>[^,\\x00]+))?,)"
                            + "(?<bare>n=(?<name>[^,\\x00]+),r=(?<nonce>"
                            + NONCE
                            + ")(?:,[A-Za-z]=[^,\\x00]+){0,8})");

    /// RFC 5802 §7, client-final-message.
    private static final Pattern FINAL =
            Pattern.compile(
                    "(?<unproved>c=(?<binding>[A-Za-z0-9+/=]+),r=(?<nonce>[\\x21-\\x2b\\x2d-\\x7e]+)"
                            + "(?:,[A-Za-z]=[^,\\x00]+){0,8}),p=(?<proof>[A-Za-z0-9+/=]+)");

    private ScramExchange() {}

    /// Before the client-first-message.
    record Start() implements Exchange.Listening {
        @Override
        public Exchange.Move on(String response) {
            Matcher first = FIRST.matcher(response);
            if (!first.matches()) {
                return new Exchange.Move.Fail(Exchange.Fault.MALFORMED);
            }
            String name = saslName(first.group("name"));
            String authorization = first.group("authorization");
            String other = authorization == null ? "" : saslName(authorization);
            if (name == null || other == null) {
                return new Exchange.Move.Fail(Exchange.Fault.MALFORMED);
            }
            // RFC 5802 §6: who demands a binding to the channel does not get it here. With "y" the
            // client tells that it could, and we have not offered it.
            if (first.group("binding").startsWith("p=") || !Authorization.isFor(other, name)) {
                return new Exchange.Move.Fail(Exchange.Fault.REFUSED);
            }
            return new Exchange.Move.Ask(
                    new Claim.Verifier(name),
                    new Named(first.group("header"), first.group("bare"), first.group("nonce")));
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }
    }

    /// The user has been named.
    ///
    /// @param header gs2-header
    /// @param firstBare client-first-message-bare
    /// @param clientNonce the client's part of the nonce
    record Named(String header, String firstBare, String clientNonce) implements Exchange.Asking {
        @Override
        public Exchange.Move on(Answer answer) {
            if (!(answer instanceof Answer.Verifiable verifiable)) {
                return Exchange.ended(answer);
            }
            String nonce = clientNonce + verifiable.nonce();
            ScramVerifier verifier = verifiable.verifier();
            String serverFirst =
                    "r=" + nonce + ",s=" + verifier.saltText() + ",i=" + verifier.iterations();
            return new Exchange.Move.Challenge(
                    serverFirst,
                    new Challenged(header, firstBare + "," + serverFirst, nonce, verifiable));
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }
    }

    /// The server-first-message is out.
    ///
    /// @param said client-first-message-bare and server-first-message
    /// @param nonce of both parts
    record Challenged(String header, String said, String nonce, Answer.Verifiable verifiable)
            implements Exchange.Listening {
        @Override
        public Exchange.Move on(String response) {
            Matcher last = FINAL.matcher(response);
            byte[] proof = last.matches() ? base64(last.group("proof")) : null;
            byte[] binding = last.matches() ? base64(last.group("binding")) : null;
            if (proof == null || binding == null) {
                return new Exchange.Move.Fail(Exchange.Fault.MALFORMED);
            }
            // RFC 5802 §5.1: "c" repeats the header, so that nobody has changed it on its way
            if (!new String(binding, StandardCharsets.UTF_8).equals(header)
                    || !last.group("nonce").equals(nonce)) {
                return new Exchange.Move.Fail(Exchange.Fault.REFUSED);
            }
            String authMessage = said + "," + last.group("unproved");
            return new Exchange.Move.Ask(
                    new Claim.Proof(verifiable, authMessage, proof),
                    new Proved(verifiable.verifier().serverSignature(authMessage)));
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }
    }

    /// The client-final-message is in.
    ///
    /// @param signature by which the client will know us
    record Proved(String signature) implements Exchange.Asking {
        @Override
        public Exchange.Move on(Answer answer) {
            return answer instanceof Answer.Proven(var user)
                    ? new Exchange.Move.Challenge("v=" + signature, new Told(user))
                    : Exchange.ended(answer);
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }
    }

    /// The server-final-message is out. RFC 4954 §4: SMTP has no success with data, so it went as a
    /// challenge, and the client answers with nothing.
    record Told(User user) implements Exchange.Listening {
        @Override
        public Exchange.Move on(String response) {
            return response.isEmpty()
                    ? new Exchange.Move.Succeed(user)
                    : new Exchange.Move.Fail(Exchange.Fault.MALFORMED);
        }

        @Override
        public Mechanism mechanism() {
            return Mechanism.SCRAM_SHA_256;
        }
    }

    /// RFC 5802 §5.1: a comma is written `=2C`, an equals sign `=3D`, and no other is there.
    private static @Nullable String saslName(String written) {
        String commas = written.replace("=2C", ",");
        String rest = commas.replace("=3D", "");
        return rest.indexOf('=') >= 0 ? null : commas.replace("=3D", "=");
    }

    private static byte @Nullable [] base64(String text) {
        try {
            return text.length() % 4 == 0 ? Base64.getDecoder().decode(text) : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }
}
