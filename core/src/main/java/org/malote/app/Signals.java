package org.malote.app;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears the signals of the operating system. The JDK has had one way to do this for 25 years and
/// no name for it that javac likes, so it is found at run time.
final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    @SuppressWarnings("ReferenceEquality") // a handler equals itself alone
    private static boolean isSame(Object handler, Object other) {
        return handler == other;
    }

    /// Runs the action, on a thread of the JDK's, each time the signal comes.
    ///
    /// @param name without its prefix: `TERM`, `HUP`
    static void on(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            InvocationHandler call =
                    (proxy, method, arguments) ->
                            switch (method.getName()) {
                                case "handle" -> {
                                    action.run();
                                    yield null;
                                }
                                case "hashCode" -> System.identityHashCode(proxy);
                                case "equals" -> isSame(proxy, arguments[0]);
                                default -> "handler of SIG" + name;
                            };
            signal.getMethod("handle", signal, handler)
                    .invoke(
                            null,
                            signal.getConstructor(String.class).newInstance(name),
                            Proxy.newProxyInstance(
                                    handler.getClassLoader(), new Class<?>[] {handler}, call));
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            LOG.warn("SIG{} cannot be heard here: {}", name, e.toString());
        }
    }
}
