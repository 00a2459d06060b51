package org.malote.offload;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/// The module's borders. A rule is changed by an issue, not on the way to something else.
@AnalyzeClasses(
        packages = "org.malote.offload",
        importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

    @ArchTest
    static final ArchRule R1_KNOWS_NO_OTHER_MODULE =
            noClasses()
                    .should()
                    .dependOnClassesThat(
                            DescribedPredicate.and(
                                    JavaClass.Predicates.resideInAPackage("org.malote.."),
                                    DescribedPredicate.not(
                                            JavaClass.Predicates.resideInAPackage(
                                                    "org.malote.offload.."))))
                    .because("R1: TLS and keys could be published alone; mail uses them");

    @ArchTest
    static final ArchRule R2_KNOWS_NO_MAIL_PROTOCOL =
            noClasses()
                    .should()
                    .haveSimpleNameContaining("Smtp")
                    .orShould()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "io.netty.handler.codec.smtp..", "io.netty.channel.socket..")
                    .because("R2: STARTTLS is the session's matter; here a handler is a handler");

    @ArchTest
    static final ArchRule R3_MAKES_NO_THREADS =
            noClasses()
                    .should()
                    .callConstructor(Thread.class)
                    .orShould()
                    .accessClassesThat()
                    .areAssignableTo(Executors.class)
                    .orShould()
                    .callMethod(Thread.class, "ofVirtual")
                    .orShould()
                    .callMethod(Thread.class, "ofPlatform")
                    .because("R3: the composition root owns the threads");

    @ArchTest
    static final ArchRule R4_READS_NO_CLOCK =
            noClasses()
                    .should()
                    .callMethod(System.class, "currentTimeMillis")
                    .orShould()
                    .callMethod(System.class, "nanoTime")
                    .orShould()
                    .callMethod(Instant.class, "now")
                    .orShould()
                    .accessClassesThat()
                    .areAssignableTo(Clock.class)
                    .because("R4: time is passed in, so that a test can pass it too");

    @ArchTest
    static final ArchRule R5_MAKES_NO_RANDOMNESS =
            noClasses()
                    .should()
                    .callConstructor(SecureRandom.class)
                    .orShould()
                    .callConstructor(Random.class)
                    .orShould()
                    .accessClassesThat()
                    .areAssignableTo(ThreadLocalRandom.class)
                    .because("R5: randomness is passed in, from one owner");

    @ArchTest
    static final ArchRule R6_HOLDS_NO_STATIC_STATE =
            fields().that()
                    .areStatic()
                    .should()
                    .beFinal()
                    .because("R6: two servers in one process must not meet here");

    @ArchTest
    static final ArchRule R7_NATIVE_CODE_HAS_ITS_PLACE =
            noClasses()
                    .that()
                    .doNotHaveSimpleName("TlsContexts")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("io.netty.internal.tcnative..")
                    .because("R7: a wrong pointer ends the process; one place is looked at");

    @ArchTest
    static final ArchRule R8_FOREIGN_FUNCTIONS_HAVE_THEIR_PLACE =
            noClasses()
                    .that()
                    .haveNameNotMatching(
                            "org\\.malote\\.offload\\.(Libcrypto|SystemOpenSsl|OpenSsl(Functions|Configuration)|pkcs11\\.Cryptoki)(\\$.*)?")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("java.lang.foreign..")
                    .because("R8: as R7, for the system's OpenSSL and for tokens");

    @ArchTest
    static final ArchRule R9_THE_MODULE_KNOWS_NO_TOKEN =
            noClasses()
                    .that()
                    .resideInAPackage("org.malote.offload")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.malote.offload.pkcs11..")
                    .because("R9: tokens come in through the door that a vendor's provider uses");
}
