package org.malote.offload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A SoftHSM in a process of its own, behind `p11-kit server`: a card that can hang, and go.
final class RemoteToken implements AutoCloseable {
    static final String MODULE = clientModule();
    private static final long WAIT_SECONDS_MAX = 20;

    /// The client reads its address when it is loaded: one for all.
    private static final Path SOCKET =
            Path.of("target", "p11-" + ProcessHandle.current().pid()).toAbsolutePath();

    private final SoftHsm hsm;
    private @Nullable Process server;

    RemoteToken(SoftHsm hsm) throws Exception {
        this.hsm = hsm;
        SoftHsm.setEnvironment("P11_KIT_SERVER_ADDRESS", "unix:path=" + SOCKET);
        startServer();
    }

    private static String clientModule() {
        for (String folder :
                List.of(
                        "/usr/lib/x86_64-linux-gnu/pkcs11",
                        "/usr/lib/aarch64-linux-gnu/pkcs11",
                        "/usr/lib64/pkcs11")) {
            Path module = Path.of(folder, "p11-kit-client.so");
            if (Files.exists(module)) {
                return module.toString();
            }
        }
        throw new IllegalStateException("p11-kit-client.so is not on this host");
    }

    void startServer() throws Exception {
        Files.deleteIfExists(SOCKET);
        server =
                hsm.start(
                        List.of(
                                "p11-kit",
                                "server",
                                "-f",
                                "-n",
                                SOCKET.toString(),
                                "--provider",
                                SoftHsm.MODULE,
                                "pkcs11:token=remote"));
        try (var lines = server.inputReader()) {
            for (String line = lines.readLine();
                    line != null && !line.contains("P11_KIT_SERVER_PID");
                    line = lines.readLine()) {
                // it says where it is, and then that it is there
            }
        }
        if (!Files.exists(SOCKET)) {
            throw new IOException("p11-kit server did not start");
        }
    }

    /// The card hangs: calls neither end nor fail.
    void hang() throws Exception {
        signal("-STOP");
    }

    void wake() throws Exception {
        signal("-CONT");
    }

    /// The card is pulled out.
    void kill() throws Exception {
        signal("-KILL");
        Process gone = server;
        if (gone != null) {
            gone.waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
        }
    }

    private void signal(String signal) throws Exception {
        Process running = server;
        if (running == null) {
            return;
        }
        List<String> command = new ArrayList<>(List.of("kill", signal));
        running.descendants().forEach(child -> command.add(Long.toString(child.pid())));
        command.add(Long.toString(running.pid()));
        new ProcessBuilder(command).start().waitFor(WAIT_SECONDS_MAX, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        try {
            kill();
            Files.deleteIfExists(SOCKET);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
