package org.malote.offload.pkcs11;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.channel.DefaultEventLoop;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.malote.offload.KeyUnavailable;
import org.malote.offload.TlsProblems;

/// What may hang is kept from event loops.
final class Pkcs11ModuleTest {
    private static final long WAIT_SECONDS_MAX = 20;

    private final Pkcs11Module module = new Pkcs11Module("/usr/lib/nothing.so");

    @Test
    void noCallIsMadeOnAnEventLoop() throws Exception {
        List<Callable<Object>> calls =
                List.of(
                        () -> {
                            module.start();
                            return "started";
                        },
                        () -> {
                            module.restart(0);
                            return "restarted";
                        },
                        () -> module.call(0, _ -> "called"),
                        () -> {
                            module.leave();
                            return "left";
                        });
        DefaultEventLoop loop = new DefaultEventLoop();
        try {
            for (Callable<Object> call : calls) {
                ExecutionException refused =
                        assertThrows(
                                ExecutionException.class,
                                () -> loop.submit(call).get(WAIT_SECONDS_MAX, TimeUnit.SECONDS));
                assertEquals(
                        "a call to a PKCS#11 module on an event loop",
                        assertInstanceOf(IllegalStateException.class, refused.getCause())
                                .getMessage());
            }
        } finally {
            loop.shutdownGracefully(0, WAIT_SECONDS_MAX, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    /// The same calls on a thread of their own go as far as the module, which is not there.
    @Test
    void elsewhereTheyAreMade() {
        module.enter();
        assertThrows(TlsProblems.class, module::start);
        assertThrows(KeyUnavailable.class, () -> module.call(0, _ -> "called"));
        module.leave();
    }
}
