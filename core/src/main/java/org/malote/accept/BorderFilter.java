package org.malote.accept;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.malote.amtp.TrustHeaders;

/// Takes out of a message what only we may say of its sender, as it streams past, over any split:
/// every `X-AMTP-Trust` field, and every `Authentication-Results` field under our name (RFC 8601
/// §5); and every `MPC` field, where the operator wants that. Everything else goes on as it came,
/// octet by octet: no truth is claimed of it (draft-weinman-amtp-03 §8).
///
/// A line begins and the header section ends where [HeaderWatch] has it: behind each LF, and at an
/// empty line between two CRLF. The end is looked for in what goes on, since that is what is read
/// behind us. A name is one in any case, with blanks before its colon too (RFC 5322 §4.5), and a CR
/// inside it hides nothing.
///
/// What might be such a field is held back until it is known, over [#HELD_OCTETS_MAX] at most. A
/// field that cannot be told by then is taken out: nobody who means well puts so much before a
/// name.
final class BorderFilter {
    /// From the start of a field to the end of the name that it gives results under. Ours: about as
    /// long as a line may be (RFC 5322 §2.1.1).
    static final int HELD_OCTETS_MAX = 1000;

    private static final byte[] RESULTS = lower(TrustHeaders.RESULTS);
    private static final byte[] TRUST = lower(TrustHeaders.TRUST);
    private static final byte[] CODE = {'m', 'p', 'c'};

    /// RFC 2045 §5.1: these end a token.
    private static final String SPECIALS = "()<>@,;:\\\"/[]?=";

    /// Takes what goes on.
    interface Next {
        /// Borrows `text`.
        void take(ByteBuf text, int index, int length);
    }

    /// Where the next octet is. In the first six the field is open: it is not known yet whether it
    /// goes on.
    private enum Place {
        NAME,
        /// Behind the name, before its colon.
        COLON,
        /// Before the name that results are given under.
        BEFORE_ID,
        /// In a comment there.
        COMMENT,
        /// In that name.
        ID,
        /// In that name, between quotes.
        QUOTED,
        /// In a line that goes on.
        KEPT,
        /// In a field that does not.
        REMOVED,
        /// Behind the header section.
        BODY
    }

    /// Null where only codes are taken out.
    private final byte @Nullable [] ourId;

    private final boolean removesCodes;

    /// The start of an open field, when it came with octets before.
    private byte[] held = {};

    private int heldOctets;
    private int openOctets;

    private Place place = Place.NAME;
    /// Which of the names the field may have, by its first octet.
    private byte[] name = TRUST;

    private boolean isResults;
    private int matched;
    private int commentDepth;
    private boolean isEscaped;

    private boolean isAfterLf = true;
    private boolean isAfterCr;
    private boolean lineIsEmpty;
    private boolean lineBeganByCrLf = true;

    /// As of the first line of the field: when that goes out, the line behind it has it.
    private boolean fieldBeganByCrLf;

    private BorderFilter(byte @Nullable [] ourId, boolean removesCodes) {
        this.ourId = ourId;
        this.removesCodes = removesCodes;
    }

    /// @param authservId ours, in ASCII; null when what is said of trust stays
    /// @param removesCodes whether `MPC` fields are taken out
    /// @return null when everything stays
    static @Nullable BorderFilter of(@Nullable String authservId, boolean removesCodes) {
        return authservId == null && !removesCodes
                ? null
                : new BorderFilter(authservId == null ? null : lower(authservId), removesCodes);
    }

    private static byte[] lower(String text) {
        return text.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.US_ASCII);
    }

    /// Whether the header section is over: from then on everything goes on.
    boolean isOver() {
        return place == Place.BODY;
    }

    /// Takes octets, and gives on those that stay. Borrows `text`.
    void filter(ByteBuf text, int index, int length, Next next) {
        int end = index + length;
        int from = index; // what has not gone on, and is not out
        int openFrom = index; // where in it the open field begins
        int i = index;
        while (i < end && place != Place.BODY) {
            if (place == Place.KEPT && !isAfterLf) {
                i = lineEnd(text, i, end);
                if (i == end) {
                    break;
                }
            }
            byte octet = text.getByte(i);
            if (isAfterLf && !isContinued(octet)) {
                if (place == Place.REMOVED) {
                    from = i;
                } else if (isOpen()) {
                    from = close(isOurs(), text, from, openFrom, i, next);
                }
                beginLine();
                openFrom = i;
            }
            boolean wasOpen = isOpen();
            look(octet);
            i++;
            if (wasOpen) {
                openOctets++;
                if (isOpen() && openOctets == HELD_OCTETS_MAX) {
                    place = Place.REMOVED;
                }
                if (!isOpen()) {
                    from = close(place == Place.REMOVED, text, from, openFrom, i, next);
                }
            }
            noteLine(octet);
        }
        if (isOpen()) {
            hold(text, from, openFrom, end, next);
        } else if (place != Place.REMOVED) {
            give(text, from, end, next);
        }
    }

    /// The message is at its end.
    void end(Next next) {
        if (isOpen() && !isOurs()) {
            release(next);
        }
        place = Place.BODY;
    }

    // ---- octets ----

    /// Goes to the end of a line of which nothing more is to be known.
    private int lineEnd(ByteBuf text, int index, int end) {
        int lf = text.indexOf(index, end, (byte) '\n');
        int stop = lf < 0 ? end : lf;
        if (stop > index) {
            isAfterCr = text.getByte(stop - 1) == '\r';
        }
        return stop;
    }

    /// The open field is known.
    ///
    /// @param to behind what is known of it
    /// @return where what has not gone on begins
    private int close(boolean isOut, ByteBuf text, int from, int openFrom, int to, Next next) {
        if (!isOut) {
            release(next);
            return from;
        }
        if (heldOctets == 0) {
            give(text, from, openFrom, next);
        }
        heldOctets = 0;
        return to;
    }

    private void hold(ByteBuf text, int from, int openFrom, int end, Next next) {
        int start = from;
        if (heldOctets == 0) {
            give(text, from, openFrom, next);
            start = openFrom;
        }
        if (held.length == 0) {
            held = new byte[HELD_OCTETS_MAX];
        }
        text.getBytes(start, held, heldOctets, end - start);
        heldOctets += end - start;
    }

    private void release(Next next) {
        if (heldOctets > 0) {
            next.take(Unpooled.wrappedBuffer(held), 0, heldOctets);
            heldOctets = 0;
        }
    }

    private static void give(ByteBuf text, int from, int to, Next next) {
        if (to > from) {
            next.take(text, from, to - from);
        }
    }

    // ---- lines ----

    /// RFC 5322 §2.2.3: a field goes on in lines that begin with a blank.
    private boolean isContinued(byte octet) {
        return isBlank(octet)
                && switch (place) {
                    case BEFORE_ID, COMMENT, QUOTED, REMOVED -> true;
                    case NAME, COLON, ID, KEPT, BODY -> false;
                };
    }

    private void beginLine() {
        if (place == Place.REMOVED) {
            lineBeganByCrLf = fieldBeganByCrLf;
        }
        fieldBeganByCrLf = lineBeganByCrLf;
        place = Place.NAME;
        lineIsEmpty = true;
        openOctets = 0;
        matched = 0;
    }

    private void noteLine(byte octet) {
        if (octet == '\n') {
            if (lineIsEmpty && lineBeganByCrLf && isAfterCr && place == Place.KEPT) {
                place = Place.BODY;
            }
            lineBeganByCrLf = isAfterCr;
        } else {
            lineIsEmpty &= octet == '\r' && !isAfterCr;
        }
        isAfterLf = octet == '\n';
        isAfterCr = octet == '\r';
    }

    // ---- fields ----

    private boolean isOpen() {
        return place.compareTo(Place.KEPT) < 0;
    }

    /// Whether an open field that ends here gives results under our name.
    private boolean isOurs() {
        return (place == Place.ID || place == Place.QUOTED)
                && ourId != null
                && matched >= ourId.length;
    }

    private void look(byte octet) {
        if (octet == '\r') {
            return;
        }
        switch (place) {
            case NAME -> onName(octet);
            case COLON -> onColon(octet);
            case BEFORE_ID -> beforeId(octet);
            case COMMENT -> onComment(octet);
            case ID -> {
                if (isToken(octet)) {
                    onId(octet);
                } else {
                    place = isOurs() ? Place.REMOVED : Place.KEPT;
                }
            }
            case QUOTED -> onQuoted(octet);
            case KEPT, REMOVED, BODY -> {}
        }
    }

    private void onName(byte octet) {
        int lower = lower(octet);
        if (matched == 0) {
            byte[] next = nameFrom(lower);
            if (next == null) {
                place = Place.KEPT;
                return;
            }
            name = next;
            isResults = lower == RESULTS[0];
        }
        if (matched == name.length) {
            onColon(octet);
        } else if (lower == name[matched]) {
            matched++;
        } else {
            place = Place.KEPT;
        }
    }

    private byte @Nullable [] nameFrom(int lower) {
        if (lower == CODE[0]) {
            return removesCodes ? CODE : null;
        }
        if (ourId == null) {
            return null;
        }
        return lower == RESULTS[0] ? RESULTS : lower == TRUST[0] ? TRUST : null;
    }

    private void onColon(byte octet) {
        if (octet == ':') {
            place = isResults ? Place.BEFORE_ID : Place.REMOVED;
            matched = 0;
        } else {
            place = isBlank(octet) ? Place.COLON : Place.KEPT;
        }
    }

    /// RFC 8601 §2.2: blanks and comments may stand before the name, which may be quoted.
    private void beforeId(byte octet) {
        if (octet == '(') {
            place = Place.COMMENT;
            commentDepth = 1;
            isEscaped = false;
        } else if (octet == '"') {
            place = Place.QUOTED;
            isEscaped = false;
        } else if (isToken(octet)) {
            place = Place.ID;
            onId(octet);
        } else if (!isBlank(octet) && octet != '\n') {
            place = Place.KEPT;
        }
    }

    /// RFC 5322 §3.2.2.
    private void onComment(byte octet) {
        if (isEscaped) {
            isEscaped = false;
        } else if (octet == '\\') {
            isEscaped = true;
        } else if (octet == '(') {
            commentDepth++;
        } else if (octet == ')' && --commentDepth == 0) {
            place = Place.BEFORE_ID;
        }
    }

    private void onQuoted(byte octet) {
        if (octet == '\n') {
            return; // folded
        }
        if (isEscaped || (octet != '\\' && octet != '"')) {
            isEscaped = false;
            onId(octet);
        } else if (octet == '\\') {
            isEscaped = true;
        } else {
            place = isOurs() ? Place.REMOVED : Place.KEPT;
        }
    }

    /// A final dot makes no other name.
    private void onId(byte octet) {
        boolean isNext =
                ourId != null
                        && (matched < ourId.length
                                ? lower(octet) == ourId[matched]
                                : matched == ourId.length && octet == '.');
        if (isNext) {
            matched++;
        } else {
            place = Place.KEPT;
        }
    }

    private static boolean isBlank(byte octet) {
        return octet == ' ' || octet == '\t';
    }

    private static boolean isToken(byte octet) {
        return octet < 0 || (octet > ' ' && octet < 0x7f && SPECIALS.indexOf(octet) < 0);
    }

    private static int lower(byte octet) {
        return octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet;
    }
}
