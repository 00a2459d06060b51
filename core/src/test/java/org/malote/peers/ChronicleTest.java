package org.malote.peers;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/// What a spool must survive, on the journal that is not the server's own choice.
@Tag("peers")
@Tag("long")
final class ChronicleTest {
    private static final String CHRONICLE = "chronicle";

    /// D01 and D02.
    @Nested
    final class PowerCuts extends PowerCutTest {
        @Override
        String journal() {
            return CHRONICLE;
        }
    }

    /// D04 and O06.
    @Nested
    final class Crashes extends CrashTest {
        @Override
        String journal() {
            return CHRONICLE;
        }
    }

    /// D06, D08, D09 and D10.
    @Nested
    final class Disks extends DiskTest {
        @Override
        String journal() {
            return CHRONICLE;
        }
    }

    /// D12.
    @Nested
    final class PartialDeliveries extends PartialDeliveryTest {
        @Override
        String journal() {
            return CHRONICLE;
        }
    }
}
