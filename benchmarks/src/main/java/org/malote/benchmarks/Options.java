package org.malote.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;

/// `name=value` arguments.
final class Options {
    private final Map<String, String> left = new LinkedHashMap<>();

    Options(String[] arguments) {
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException(argument + " is not name=value");
            }
            left.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
    }

    String text(String name, String usual) {
        String value = left.remove(name);
        return value == null ? usual : value;
    }

    long number(String name, long usual) {
        String value = left.remove(name);
        return value == null ? usual : Long.parseLong(value);
    }

    void end() {
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("unknown: " + left.keySet());
        }
    }
}
