package org.malote.amtp;

import org.jspecify.annotations.Nullable;
import org.malote.amtp.CodeClaim.Fault;
import org.malote.amtp.MailPolicyCode.Parsed;
import org.malote.smtp.Extension;
import org.malote.smtp.MailParameters.StatedCode;

/// What a listener does with codes.
///
/// @param dial how much they count
/// @param keyword by which they are offered and given: [Extension#MPC] or [Extension#XMPC]
/// @param isRequired whether every message must have one
/// @param foreignHeaders what an `MPC:` header of a message without a code means
/// @param announced what EHLO says of them
public record CodeRules(
        Dial dial,
        Extension keyword,
        boolean isRequired,
        ForeignHeaders foreignHeaders,
        PolicyDeclarations announced) {
    /// A listener that knows of no codes.
    public static final CodeRules OFF =
            new CodeRules(
                    Dial.OFF, Extension.XMPC, false, ForeignHeaders.KEEP, PolicyDeclarations.ALL);

    public CodeRules {
        if (keyword != Extension.MPC && keyword != Extension.XMPC) {
            throw new IllegalArgumentException("codes are not offered as " + keyword);
        }
    }

    /// The rules of a listener for AMTP, where the keyword is the draft's and a code is a duty of
    /// the client (draft-weinman-amtp-03 §4.4.3).
    public static CodeRules ofAmtp(Dial dial, CodeSettings settings) {
        return of(dial, Extension.MPC, true, settings);
    }

    /// The rules of a listener for SMTP, which takes the same codes without AMTP's authentication.
    ///
    /// Deviation: the keyword is `XMPC`, since `MPC` is not registered for SMTP and what begins
    /// with X never will be (RFC 5321 §2.2.2).
    public static CodeRules ofSmtp(Dial dial, CodeSettings settings) {
        return of(dial, Extension.XMPC, settings.isRequired(), settings);
    }

    private static CodeRules of(
            Dial dial, Extension keyword, boolean isRequired, CodeSettings settings) {
        return new CodeRules(
                dial,
                keyword,
                isRequired,
                settings.foreignHeaders(),
                // Who reads a DENY keeps the message back, and so would a refusal that is only
                // watched still lose it.
                dial == Dial.OBSERVE ? PolicyDeclarations.ALL : settings.site());
    }

    /// Whether an extension is how codes are offered here.
    public boolean offers(Extension extension) {
        return dial != Dial.OFF && extension == keyword;
    }

    /// What a MAIL command says.
    ///
    /// @param stated the parameter, or null when there is none
    public CodeClaim claim(@Nullable StatedCode stated) {
        return claim(stated, null);
    }

    /// The same, from a user.
    ///
    /// @param usual what the account says of messages that say nothing (draft-weinman-amtp-03
    ///     §6.1: an MUA binds a code to a sender), or null
    public CodeClaim claim(@Nullable StatedCode stated, @Nullable MailPolicyCode usual) {
        boolean isEnforced = dial == Dial.ENFORCE;
        if (dial == Dial.OFF) {
            return CodeClaim.NONE;
        }
        if (stated == null && usual != null) {
            return new CodeClaim.Stated(usual, isEnforced);
        }
        if (stated == null) {
            return isRequired ? new CodeClaim.Faulty(Fault.MISSING, isEnforced) : CodeClaim.NONE;
        }
        return switch (MailPolicyCode.parse(stated.value())) {
            case Parsed.Known(var code) -> new CodeClaim.Stated(code, isEnforced);
            case Parsed.Malformed _ -> new CodeClaim.Faulty(Fault.MALFORMED, isEnforced);
            // draft-weinman-amtp-03 §4.5: no undefined component is accepted
            case Parsed.Undefined _ -> new CodeClaim.Faulty(Fault.UNDEFINED, isEnforced);
        };
    }

    /// What an `MPC:` field means for a message with this claim. Draft-weinman-amtp-03 §4.4.4: one
    /// that has it already is neither relayed nor delivered, because nobody could tell it from
    /// ours. It is refused here, where the peer hears of it, and not at delivery (no backscatter).
    ///
    /// Deviation: what comes over SMTP without a code may keep it or have it taken out.
    public HeaderRule onHeader(CodeClaim claim) {
        ForeignHeaders rule =
                switch (claim) {
                    case CodeClaim.None _ -> foreignHeaders;
                    case CodeClaim.Stated _, CodeClaim.Faulty _ -> ForeignHeaders.REFUSE;
                };
        if (dial == Dial.OFF) {
            return HeaderRule.IGNORE;
        }
        return switch (rule) {
            case KEEP -> HeaderRule.IGNORE;
            case REMOVE -> HeaderRule.REMOVE;
            case REFUSE -> dial == Dial.OBSERVE ? HeaderRule.WATCH : HeaderRule.REFUSE;
        };
    }
}
