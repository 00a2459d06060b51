package org.malote.smtp;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The parameters of RCPT (RFC 3461 §4.1, §4.2).
///
/// @param conditions the conditions asked for; empty when `NOTIFY` was not given (then the default
/// is a
/// report of failure, §4.1), exactly
///     `{NEVER}` for `NOTIFY=NEVER`
/// @param originalRecipient `ORCPT=`, null when not given
public record RecipientParameters(
        Set<Notify> conditions, @Nullable OriginalRecipient originalRecipient) {
    /// RCPT without parameters.
    public static final RecipientParameters NONE = new RecipientParameters(Set.of(), null);

    private static final String NOTIFY = "notify";
    private static final String ORCPT = "orcpt";

    /// When the sender wants to be told.
    public enum Notify {
        NEVER,
        SUCCESS,
        FAILURE,
        DELAY
    }

    /// `ORCPT=type;address` (RFC 3461 §4.2), decoded from xtext.
    ///
    /// @param type the address type, `rfc822` or `utf-8` (RFC 6533 §3)
    /// @param address the address as the first sender wrote it; no controls
    public record OriginalRecipient(String type, String address) {
        public OriginalRecipient {
            for (int i = 0; i < type.length(); i++) {
                char c = type.charAt(i);
                if (c >= 0x80 || !Ascii.isAtext(c)) {
                    throw new IllegalArgumentException(
                            "an address type is an atom: " + Printable.escape(type));
                }
            }
            for (int i = 0; i < address.length(); i++) {
                if (Ascii.isControl(address.charAt(i))) {
                    throw new IllegalArgumentException(
                            "an original recipient has no controls: " + Printable.escape(address));
                }
            }
        }
    }

    public RecipientParameters {
        if (conditions.contains(Notify.NEVER) && conditions.size() > 1) {
            throw new IllegalArgumentException("NOTIFY=NEVER stands alone (RFC 3461 §4.1)");
        }
        conditions = Set.copyOf(conditions);
    }

    /// Whether a report of failure is to be sent: by default, yes (RFC 3461 §4.1).
    public boolean wantsFailure() {
        return conditions.isEmpty() || conditions.contains(Notify.FAILURE);
    }

    /// The parameters as the queue keeps them beside the recipient.
    public Map<String, String> toAttributes() {
        Map<String, String> attributes = new LinkedHashMap<>();
        if (!conditions.isEmpty()) {
            attributes.put(
                    NOTIFY,
                    conditions.stream().sorted().map(Enum::name).collect(Collectors.joining(",")));
        }
        if (originalRecipient != null) {
            attributes.put(ORCPT, originalRecipient.type() + ";" + originalRecipient.address());
        }
        return attributes;
    }

    /// The inverse of [#toAttributes].
    public static RecipientParameters fromAttributes(Map<String, String> attributes) {
        Set<Notify> conditions = EnumSet.noneOf(Notify.class);
        String keywords = attributes.get(NOTIFY);
        if (keywords != null) {
            for (String keyword : keywords.split(",", -1)) {
                conditions.add(Notify.valueOf(keyword));
            }
        }
        String orcpt = attributes.get(ORCPT);
        if (orcpt == null) {
            return conditions.isEmpty() ? NONE : new RecipientParameters(conditions, null);
        }
        int semicolon = orcpt.indexOf(';');
        return new RecipientParameters(
                conditions,
                new OriginalRecipient(
                        orcpt.substring(0, semicolon), orcpt.substring(semicolon + 1)));
    }
}
