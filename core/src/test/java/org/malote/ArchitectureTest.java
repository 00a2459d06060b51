package org.malote;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import org.malote.queue.Receipt;
import org.malote.session.MessageOutcome;

/// The borders inside the server. Each rule has a number, which DESIGN.md and commits speak of, and
/// a reason. A rule is changed on purpose, not on the way to something else.
@AnalyzeClasses(
        packages = "org.malote",
        importOptions = {
            ImportOption.DoNotIncludeTests.class,
            ArchitectureTest.DoNotIncludeTestJars.class
        })
final class ArchitectureTest {
    /// The queue lends its fakes to our tests.
    static final class DoNotIncludeTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    private static final String APP = "org.malote.app..";

    @ArchTest
    static final ArchRule R1_THE_VOCABULARY_KNOWS_NOBODY =
            noClasses()
                    .that()
                    .resideInAPackage("org.malote.smtp..")
                    .should()
                    .dependOnClassesThat(oursOutside("org.malote.smtp.."))
                    .because("R1: values and their octets are what all others speak in");

    @ArchTest
    static final ArchRule R2_THE_INBOUND_MACHINE_IS_PURE =
            noClasses()
                    .that()
                    .resideInAPackage("org.malote.session..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "io.netty..",
                            "java.io..",
                            "java.nio.channels..",
                            "java.nio.file..",
                            "java.util.concurrent..",
                            "org.slf4j..",
                            "org.malote.server..",
                            "org.malote.accept..",
                            "org.malote.policy..",
                            "org.malote.telemetry..")
                    .because("R2: (state, event) to step; so every path of it can be enumerated");

    @ArchTest
    static final ArchRule R3_THE_OUTBOUND_MACHINE_IS_PURE =
            noClasses()
                    .that()
                    .haveNameMatching("org\\.malote\\.delivery\\.Client(Session|State|Step).*")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "io.netty..",
                            "java.io..",
                            "java.nio.channels..",
                            "java.nio.file..",
                            "java.util.concurrent..",
                            "org.slf4j..",
                            "org.malote.queue..",
                            "org.malote.dns..",
                            "org.malote.telemetry..")
                    .because("R3: as R2, for the side that sends");

    @ArchTest
    static final ArchRule R4_ONE_PLACE_TURNS_A_RECEIPT_INTO_A_PROMISE =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("org.malote.accept..")
                    .should()
                    .callConstructor(MessageOutcome.Kept.class, Receipt.class)
                    .because("R4: no receipt, no 250; whoever reviews that has one class to read");

    @ArchTest
    static final ArchRule R5_THE_TWO_SIDES_MEET_IN_THE_QUEUE_ALONE =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "org.malote.session..",
                            "org.malote.policy..",
                            "org.malote.accept..",
                            "org.malote.server..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("org.malote.delivery..", "org.malote.bounce..")
                    .because("R5: what takes mail must not wait for what passes it on");

    @ArchTest
    static final ArchRule R15_ONLY_THE_POLICY_LOOKS_NAMES_UP_FOR_A_SESSION =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "org.malote.session..", "org.malote.accept..", "org.malote.server..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.malote.dns..")
                    .because("R15: a verdict may come late; octets and receipts may not");

    @ArchTest
    static final ArchRule R6_THE_SENDING_SIDE_KNOWS_NO_SESSIONS =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "org.malote.delivery..", "org.malote.bounce..", "org.malote.dns..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "org.malote.session..", "org.malote.accept..", "org.malote.server..")
                    .because("R6: the other half of R5");

    @ArchTest
    static final ArchRule R7_NAMES_ARE_LOOKED_UP_WITHOUT_KNOWING_WHY =
            noClasses()
                    .that()
                    .resideInAPackage("org.malote.dns..")
                    .should()
                    .dependOnClassesThat(oursOutside("org.malote.dns..", "org.malote.smtp.."))
                    .because("R7: what a missing name means for mail is the delivery's to say");

    @ArchTest
    static final ArchRule R8_TELEMETRY_ONLY_TELLS =
            noClasses()
                    .that()
                    .resideInAPackage("org.malote.telemetry..")
                    .should()
                    .dependOnClassesThat(
                            oursOutside(
                                    "org.malote.telemetry..",
                                    "org.malote.smtp..",
                                    "org.malote.queue..",
                                    "org.malote.offload.."))
                    .because("R8: a log line decides nothing");

    @ArchTest
    static final ArchRule R9_ONLY_THE_COMPOSITION_ROOT_READS_SETTINGS =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(APP, "org.malote.config..", "org.malote.admin..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(APP, "org.malote.config..", "org.malote.admin..")
                    .because("R9: each part is given its own settings, and can be made in a test");

    @ArchTest
    static final ArchRule R10_THREADS_ARE_MADE_IN_ONE_PLACE =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(APP)
                    .should()
                    .callConstructor(Thread.class)
                    .orShould()
                    .accessClassesThat()
                    .areAssignableTo(Executors.class)
                    .orShould()
                    .callMethod(Thread.class, "ofVirtual")
                    .orShould()
                    .callMethod(Thread.class, "ofPlatform")
                    .because("R10: who owns a thread also ends it");

    @ArchTest
    static final ArchRule R11_TIME_IS_PASSED_IN =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(APP)
                    .should()
                    .callMethod(System.class, "currentTimeMillis")
                    .orShould()
                    .callMethod(System.class, "nanoTime")
                    .orShould()
                    .callMethod(Instant.class, "now")
                    .orShould()
                    .callMethod(InstantSource.class, "system")
                    .orShould()
                    .accessClassesThat()
                    .areAssignableTo(Clock.class)
                    .because("R11: a test and a simulation pass their own");

    @ArchTest
    static final ArchRule R12_RANDOMNESS_IS_PASSED_IN =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(APP, "org.malote.offload..")
                    .should()
                    .callConstructor(Random.class)
                    .orShould()
                    .callConstructor(SecureRandom.class)
                    .orShould()
                    .callConstructor(SplittableRandom.class)
                    .orShould()
                    .callMethod(Math.class, "random")
                    .orShould()
                    .accessClassesThat()
                    .areAssignableTo(ThreadLocalRandom.class)
                    .because("R12: one seed means one run");

    @ArchTest
    static final ArchRule R13_NO_STATIC_STATE =
            fields().that()
                    .areStatic()
                    .should()
                    .beFinal()
                    .because("R13: two servers in one process must not meet");

    @ArchTest
    static final ArchRule R14_NO_CYCLES =
            slices().matching("org.malote.(*)..")
                    .should()
                    .beFreeOfCycles()
                    .because("R14: packages in the order that mail meets them");

    private static DescribedPredicate<JavaClass> oursOutside(String... packages) {
        return DescribedPredicate.and(
                JavaClass.Predicates.resideInAPackage("org.malote.."),
                DescribedPredicate.not(JavaClass.Predicates.resideInAnyPackage(packages)));
    }
}
