package org.malote.offload;

import java.security.SecureRandom;
import java.time.InstantSource;

/// What the contexts need from the outside.
///
/// @param clock for the age of ticket keys and for certificate validity
/// @param random makes ticket keys
public record TlsEnvironment(InstantSource clock, SecureRandom random) {}
