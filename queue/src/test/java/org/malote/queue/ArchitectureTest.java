package org.malote.queue;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The walls of this module.
@AnalyzeClasses(packages = "org.malote.queue", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    @ArchTest
    static final ArchRule Q1 =
            noClasses()
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("io.netty..", "org.xbill..", "java.net..", "javax.net..")
                    .because("Q1: the queue keeps mail; whoever moves it knows networks and names");

    @ArchTest
    static final ArchRule Q2 =
            classes()
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            "org.malote.queue..",
                            "java..",
                            "net.openhft..",
                            "org.slf4j..",
                            "org.jspecify..")
                    .because("Q2: the queue could be published alone");

    @ArchTest
    static final ArchRule Q3 =
            noClasses()
                    .that()
                    .doNotHaveSimpleName("ChronicleJournal")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("net.openhft..")
                    .because("Q3: another journal must be able to stand beside this one");

    @ArchTest
    static final ArchRule Q4 =
            noClasses()
                    .that()
                    .resideInAnyPackage("..journal..", "..schedule..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.malote.queue")
                    .because("Q4: the journal knows no mail and the schedule knows no journal");

    @ArchTest
    static final ArchRule Q5 =
            noClasses()
                    .should()
                    .callMethod(System.class, "currentTimeMillis")
                    .orShould()
                    .callMethod(System.class, "nanoTime")
                    .orShould()
                    .callMethod(java.time.Instant.class, "now")
                    .orShould()
                    .callMethod(java.time.Clock.class, "systemUTC")
                    .because(
                            "Q5: a test that owns the time can prove what happens after five days");

    @ArchTest
    static final ArchRule Q6 =
            noClasses()
                    .should()
                    .callConstructor(Thread.class, Runnable.class)
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("java.util.concurrent.Executors")
                    .because("Q6: threads belong to whoever composes the process");

    @ArchTest
    static final ArchRule Q7 =
            noClasses()
                    .that()
                    .resideOutsideOfPackage("org.malote.queue.schedule")
                    .and()
                    .haveNameNotMatching(
                            "org\\.malote\\.queue\\.(Index|IdTable|OneMessage|ManyMessage|MailQueue|Claim)(\\$.*)?")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("org.malote.queue.schedule")
                    .because("Q7: the index is behind one class, so that it can leave the heap");
}
