package org.malote.app;

import java.io.PrintWriter;
import java.util.List;
import org.malote.smtp.Printable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The command line. Every error is one line on standard error that says what to do.
public final class Main {
    private static final int FAILED = 1;
    private static final int WRONG_USE = 2;

    /// As of a program that SIGPIPE ended: 128 and the number of the signal.
    private static final int READER_GONE = 141;

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(commandLine(Screen.ofProcess()).execute(arguments));
    }

    static CommandLine commandLine(Screen screen) {
        return new CommandLine(new MaloteCommand(screen))
                .setOut(screen.outWriter())
                .setErr(screen.errWriter())
                .setParameterExceptionHandler(Main::onWrongUse)
                .setExecutionExceptionHandler(Main::onFailure)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true);
    }

    private static int onWrongUse(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        String sentence = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        String hint = "see " + command.getCommandSpec().qualifiedName() + " --help";
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                hint = "did you mean " + String.join(" or ", suggestions) + "?";
            }
        }
        command.getErr().println("malote: " + Printable.escape(lowerFirst(sentence)) + "; " + hint);
        return WRONG_USE;
    }

    private static int onFailure(
            Exception e, CommandLine command, CommandLine.ParseResult arguments) {
        PrintWriter err = command.getErr();
        if (e instanceof Screen.ReaderGoneException) {
            return READER_GONE;
        }
        if (e instanceof CommandFailure) {
            // What was typed, and what a server said, may be in it.
            String.valueOf(e.getMessage())
                    .lines()
                    .forEach(line -> err.println("malote: " + Printable.escapeWhole(line)));
        } else {
            StackTraceElement[] trace = e.getStackTrace();
            err.println(
                    "malote: this is a bug in Malote, please report it: "
                            + e
                            + (trace.length == 0 ? "" : " at " + trace[0]));
        }
        return FAILED;
    }

    private static String lowerFirst(String text) {
        return text.isEmpty() ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }
}
