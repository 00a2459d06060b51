/// **Purpose.** Private keys on PKCS#11 tokens: smart cards, hardware security modules, accelerator
/// cards.
///
/// **Owns.** The modules' functions, their initialisation, sessions and logins.
///
/// **Never.** Calls a module on a thread that is not a key's own; keeps a PIN, or writes it
/// anywhere; tries a PIN again that was refused.
///
/// **Threads.** A session belongs to one thread of a [org.malote.offload.SigningPool].
///
/// **Standards.** PKCS #11 v2.40 (OASIS), of which every module has the functions used here; RFC
/// 7512 (`pkcs11:` URIs); RFC 8017 (padding).
///
/// **Known limits.** Structures are laid out as on Linux: natural alignment, 64-bit `CK_ULONG`. A
/// module that another part of the process has initialised, such as SunPKCS11, is used and cannot
/// be
/// initialised again.
@NullMarked
package org.malote.offload.pkcs11;

import org.jspecify.annotations.NullMarked;
