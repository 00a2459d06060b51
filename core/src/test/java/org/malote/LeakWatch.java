package org.malote;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/// O08: every test class is followed by a look at what Netty's leak detector, at its paranoid
/// level, has to say. A buffer that was lost late is reported by the class after.
public final class LeakWatch implements BeforeAllCallback, AfterAllCallback {
    /// The collector hands lost objects over on a thread of its own: a few rounds give it time.
    private static final int ROUNDS = 2;

    private static final ListAppender<ILoggingEvent> REPORTS = new ListAppender<>();

    @Override
    public void beforeAll(ExtensionContext context) {
        if (!REPORTS.isStarted()) {
            REPORTS.start();
        }
        Logger detector = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
        if (!detector.isAttached(REPORTS)) { // a test of the log may have reset it
            detector.addAppender(REPORTS);
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        reportLost();
        List<String> found = takeReports();
        if (!found.isEmpty()) {
            throw new AssertionError(found.getFirst());
        }
    }

    /// Collects what is lost, then makes a buffer, which makes the detector report.
    static void reportLost() {
        for (int i = 0; i < ROUNDS; i++) {
            WeakReference<Object> canary = new WeakReference<>(new Object());
            while (canary.get() != null) {
                System.gc();
            }
            ByteBufAllocator.DEFAULT.buffer(1).release();
        }
    }

    /// What was reported since the last look, and forgets it.
    static List<String> takeReports() {
        List<String> reports =
                REPORTS.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
        REPORTS.list.clear();
        return reports;
    }
}
