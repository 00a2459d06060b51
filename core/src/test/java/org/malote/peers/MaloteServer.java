package org.malote.peers;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// The server in a process of its own, from the classes that were just built, started as the
/// launcher starts it.
final class MaloteServer implements AutoCloseable {
    /// Generous: a JVM on a busy host.
    private static final Duration START_MAX = Duration.ofSeconds(60);

    private static final String MAIN = "org.malote.app.Main";

    private final Path folder;
    private final List<String> command;
    private Child child;

    private MaloteServer(Path folder, List<String> command) {
        this.folder = folder;
        this.command = command;
        this.child = startChild(folder, command);
    }

    /// Starts it with a configuration and waits until it is ready.
    static MaloteServer start(Folder folder, String toml, String... jvmOptions) {
        Path config = folder.write("malote.toml", toml);
        return new MaloteServer(
                folder.path(), serve(List.of(jvmOptions), "--config", config.toString()));
    }

    /// Starts it by another program, such as one that changes what the C library does.
    static MaloteServer startBy(List<String> program, Folder folder, String toml) {
        Path config = folder.write("malote.toml", toml);
        List<String> command = new ArrayList<>(program);
        command.addAll(serve(List.of(), "--config", config.toString()));
        return new MaloteServer(folder.path(), command);
    }

    /// Starts it by a program that runs commands where this host's files are below another root.
    static MaloteServer startIn(List<String> program, String root, Folder folder, String toml) {
        Path config = folder.write("malote.toml", toml);
        List<String> command = new ArrayList<>(program);
        command.addAll(below(root));
        command.addAll(List.of("serve", "--config", root + config));
        return new MaloteServer(folder.path(), command);
    }

    /// The command line without its arguments, for where this host's files are below another root
    /// and `java` is another.
    static List<String> below(String root) {
        List<String> command = new ArrayList<>(malote(List.of()));
        command.set(0, "java");
        command.replaceAll(
                word -> {
                    if (word.startsWith("@")) {
                        return "@" + root + word.substring(1);
                    }
                    return word.startsWith("/")
                            ? root + word.replace(File.pathSeparator, File.pathSeparator + root)
                            : word;
                });
        return command;
    }

    /// Starts it without a configuration, with its default working folder.
    static MaloteServer startEmbedded(Folder folder) {
        return new MaloteServer(folder.path(), serve(List.of()));
    }

    private static List<String> serve(List<String> jvmOptions, String... arguments) {
        List<String> command = new ArrayList<>(malote(jvmOptions));
        command.add("serve");
        command.addAll(List.of(arguments));
        return command;
    }

    /// The command line without its arguments.
    static List<String> malote(List<String> jvmOptions) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of("..", "queue", "jvm.args").toAbsolutePath().normalize());
        command.add("-Xmx512m");
        // Every buffer is followed: a leak is a line in the log, which close() looks for.
        command.add("-Dio.netty.leakDetection.level=paranoid");
        command.addAll(jvmOptions);
        command.add("-cp");
        command.add(classPath());
        command.add(MAIN);
        return command;
    }

    private static String classPath() {
        String all =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> kept = new ArrayList<>();
        for (String entry : all.split(File.pathSeparator, -1)) {
            if (!entry.contains("test-classes")) {
                kept.add(entry);
            }
        }
        return String.join(File.pathSeparator, kept);
    }

    private static Child startChild(Path folder, List<String> command) {
        Child child = Child.start("malote", folder, command);
        try {
            Await.until(
                    START_MAX,
                    () -> {
                        if (!child.isAlive()) {
                            throw new AssertionError("it did not start:\n" + child.output());
                        }
                        return child.output().contains("ready");
                    },
                    child::output);
        } catch (AssertionError e) {
            child.close();
            throw e;
        }
        return child;
    }

    /// Runs another command of the same program, such as `queue list`.
    String run(String... arguments) {
        List<String> command = new ArrayList<>(malote(List.of()));
        command.addAll(List.of(arguments));
        return Child.run("malote-" + arguments[0], folder, Duration.ofSeconds(60), command);
    }

    /// Starts it again after `kill` or `stop`.
    void restart() {
        child = startChild(folder, command);
    }

    /// SIGKILL.
    void kill() {
        child.kill();
    }

    /// SIGTERM, without waiting.
    void terminate() {
        child.terminate();
    }

    /// Waits for the end that a signal asked for.
    ///
    /// @return its exit status
    int await(Duration limit) {
        return child.await(limit);
    }

    boolean isAlive() {
        return child.isAlive();
    }

    long pid() {
        return child.pid();
    }

    String log() {
        return child.output();
    }

    /// Octets of memory that the process holds.
    long residentBytes() {
        return Proc.residentBytes(pid());
    }

    /// Ends it, and looks at what it said: nothing that a peer does may leak a buffer or print the
    /// trace of an exception.
    @Override
    public void close() {
        if (child.isAlive()) {
            child.terminate();
            try {
                int status = child.await(Duration.ofSeconds(40));
                if (status != 0) {
                    throw new AssertionError("exit status " + status + ":\n" + tail());
                }
            } finally {
                child.close();
            }
        }
        assertQuiet();
    }

    /// No leak and no trace of an exception is in the log.
    void assertQuiet() {
        for (String line : log().split("\n", -1)) {
            if (line.contains("LEAK") || line.contains("\tat ") || line.contains("Exception in")) {
                throw new AssertionError("the server said: " + line + "\n" + tail());
            }
        }
    }

    private String tail() {
        String log = log();
        return log.substring(Math.max(0, log.length() - 20_000));
    }
}
