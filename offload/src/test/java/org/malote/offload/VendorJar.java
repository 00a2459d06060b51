package org.malote.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;

/// What a vendor ships: a jar, made from its source, which nothing of Malote was built with.
final class VendorJar {
    private VendorJar() {}

    static URLClassLoader path(Path jar) throws Exception {
        return new URLClassLoader(
                new URL[] {jar.toUri().toURL()}, OffloadProvider.class.getClassLoader());
    }

    /// @param service what it provides
    /// @param name of the class that provides it
    /// @param source of that class; empty for a jar that lacks it
    static Path make(Path directory, Class<?> service, String name, String source)
            throws Exception {
        Path jar = directory.resolve("vendor.jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            add(
                    entries,
                    "META-INF/services/" + service.getName(),
                    name.getBytes(StandardCharsets.UTF_8));
            if (!source.isEmpty()) {
                Path classes = compile(directory, name, source);
                try (var files = Files.walk(classes)) {
                    for (Path file : files.filter(Files::isRegularFile).toList()) {
                        add(entries, classes.relativize(file).toString(), Files.readAllBytes(file));
                    }
                }
            }
        }
        return jar;
    }

    private static void add(JarOutputStream entries, String name, byte[] content) throws Exception {
        entries.putNextEntry(new JarEntry(name));
        entries.write(content);
        entries.closeEntry();
    }

    private static Path compile(Path directory, String name, String text) throws Exception {
        Path source = directory.resolve(name.substring(name.lastIndexOf('.') + 1) + ".java");
        Files.writeString(source, text);
        Path classes = Files.createDirectory(directory.resolve("classes"));
        int status =
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-proc:none",
                                "-cp",
                                Path.of(
                                                OffloadProvider.class
                                                        .getProtectionDomain()
                                                        .getCodeSource()
                                                        .getLocation()
                                                        .toURI())
                                        .toString(),
                                "-d",
                                classes.toString(),
                                source.toString());
        assertEquals(0, status);
        return classes;
    }
}
