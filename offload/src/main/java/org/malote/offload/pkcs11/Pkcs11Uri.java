package org.malote.offload.pkcs11;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.malote.offload.KeyUri;
import org.malote.offload.TlsProblems;

/// Which key on which token of which module: RFC 7512.
///
/// @param text as the operator wrote it
/// @param token what the token must be: attribute names of RFC 7512 §2.3 to values
/// @param object CKA_LABEL of the key
/// @param id CKA_ID of the key, in hexadecimal digits
/// @param module the library: a path, or a name for the dynamic linker
/// @param pinFile with the PIN; null for a token without one
record Pkcs11Uri(
        String text,
        Map<String, String> token,
        @Nullable String object,
        @Nullable String id,
        String module,
        @Nullable Path pinFile) {

    /// Every module that the system's p11-kit knows.
    private static final String DEFAULT_MODULE = "p11-kit-proxy.so";

    /// Of what C_GetTokenInfo tells.
    private static final Set<String> TOKEN_ATTRIBUTES =
            Set.of("token", "manufacturer", "model", "serial");

    private static final Set<String> PATH_ATTRIBUTES =
            Set.of("token", "manufacturer", "model", "serial", "object", "id", "type");

    private static final Set<String> QUERY_ATTRIBUTES =
            Set.of("module-path", "pin-source", "pin-value");

    /// A credential of the service manager: ours, since its directory is known at run time only.
    private static final String CREDENTIAL = "credential:";

    Pkcs11Uri {
        token = Map.copyOf(token);
    }

    /// @param credentials the directory of credentials, or null when there is none
    static Pkcs11Uri parse(String text, @Nullable Path credentials) throws TlsProblems {
        KeyUri uri = KeyUri.parse(text, QUERY_ATTRIBUTES);
        Map<String, String> token = new LinkedHashMap<>();
        String object = null;
        String id = null;
        for (var attribute : KeyUri.attributes(text, uri.path(), ";", PATH_ATTRIBUTES).entrySet()) {
            String name = attribute.getKey();
            if (TOKEN_ATTRIBUTES.contains(name)) {
                token.put(name, KeyUri.decode(text, attribute.getValue()));
            } else if (name.equals("object")) {
                object = KeyUri.decode(text, attribute.getValue());
            } else if (name.equals("id")) {
                id = HexFormat.of().formatHex(KeyUri.octets(text, attribute.getValue()));
            } else if (!attribute.getValue().equals("private")) {
                throw problem(
                        String.format(
                                "key %s has a type that is not \"private\": name a private key",
                                text));
            }
        }
        if (uri.query("pin-value") != null) {
            throw problem(
                    String.format(
                            "a key of %s has its PIN in the configuration: put it into a file of mode 600 and"
                                    + " write pin-source=file:/PATH",
                            text.substring(0, text.indexOf('?'))));
        }
        String module = uri.query("module-path");
        if (module != null && !module.startsWith("/")) {
            throw problem(
                    String.format(
                            "key %s has a module-path that is not absolute: write it in full",
                            text));
        }
        return new Pkcs11Uri(
                text,
                token,
                object,
                id,
                module == null ? DEFAULT_MODULE : module,
                pinFile(text, uri.query("pin-source"), credentials));
    }

    private static @Nullable Path pinFile(
            String text, @Nullable String source, @Nullable Path credentials) throws TlsProblems {
        if (source == null) {
            return null;
        }
        if (source.startsWith(CREDENTIAL)) {
            String name = source.substring(CREDENTIAL.length());
            if (!name.matches("[A-Za-z0-9_.-]{1,255}")) {
                throw problem(
                        String.format(
                                "key %s names a credential that cannot be: see pin-source", text));
            }
            if (credentials == null) {
                throw problem(
                        String.format(
                                "key %s has its PIN in a credential, and there are none: start the server"
                                        + " from a service with LoadCredential=%s:...",
                                text, name));
            }
            return credentials.resolve(name);
        }
        // RFC 7512 §2.4 knows a command, too: a server does not run those.
        String path = source.startsWith("file:") ? source.substring("file:".length()) : source;
        if (path.startsWith("//")) {
            path = path.substring(2); // file:///etc/pin
        }
        if (!path.startsWith("/")) {
            throw problem(
                    String.format(
                            "key %s has a pin-source that is neither file:/PATH nor credential:NAME",
                            text));
        }
        return Path.of(path);
    }

    /// Whether a token is the one that is meant.
    boolean fits(Cryptoki.TokenInfo info) {
        return token.entrySet().stream()
                .allMatch(
                        wanted ->
                                wanted.getValue()
                                        .equals(
                                                switch (wanted.getKey()) {
                                                    case "token" -> info.label();
                                                    case "manufacturer" -> info.manufacturer();
                                                    case "model" -> info.model();
                                                    default -> info.serial();
                                                }));
    }

    /// The key, for the log: what comes before the question mark.
    String shortText() {
        int query = text.indexOf('?');
        return query < 0 ? text : text.substring(0, query);
    }

    static TlsProblems problem(String sentence) {
        return new TlsProblems(List.of(sentence));
    }
}
