package org.malote.app;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.malote.auth.PasswordHash;
import org.malote.auth.Prepared;
import org.malote.auth.ScramVerifier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "password",
        description = {
            "Reads a password and prints the user's line for the file of [auth] users.",
            "",
            "The password is read from the terminal, where it is not shown, or from the first line of"
                    + " standard input. It is kept as an Argon2id hash, for PLAIN, and as a verifier"
                    + " for SCRAM-SHA-256.",
            "More can stand behind them in the line: from=ann@isp.example,@ann.example for what the"
                    + " user may send as, mpc=per/individual for the Mail Policy Code of its messages,"
                    + " certificate=host.example for a certificate that vouches for it.",
            "The file is for its owner alone (chmod 600); malote reload makes the server read it."
        },
        footer = {
            "",
            "Examples:",
            "  malote password ann@isp.example >> /etc/malote/users",
            "  pwgen 20 1 | tee secret | malote password --no-scram printer >> users"
        },
        mixinStandardHelpOptions = true)
final class PasswordCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "USER", description = "By what it logs in.")
    private @Nullable String user;

    @Option(
            names = "--no-scram",
            description =
                    "Without the verifier for SCRAM-SHA-256, which a thief can try passwords on more"
                            + " cheaply than on the hash.")
    private boolean isWithoutScram;

    @Override
    public Integer call() throws CommandFailure, Screen.ReaderGoneException {
        try {
            print(Screen.of(spec));
            return 0;
        } catch (Screen.ReaderGoneException e) {
            throw e;
        } catch (IOException e) {
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        }
    }

    private void print(Screen screen) throws CommandFailure, IOException {
        String name = Prepared.userName(Commands.present(user));
        if (name == null) {
            throw new ParameterException(
                    Commands.present(spec).commandLine(),
                    "a user's name has 1 to 255 octets, letters and digits, no blank and no colon");
        }
        String password = read(screen);
        SecureRandom random = new SecureRandom();
        List<String> secrets = new ArrayList<>();
        secrets.add(PasswordHash.of(password, PasswordHash.USUAL, random).text());
        if (!isWithoutScram) {
            secrets.add(ScramVerifier.of(password, ScramVerifier.USUAL_ITERATIONS, random).text());
        }
        screen.line(name + ":" + String.join(" ", secrets));
        screen.flush();
    }

    private static String read(Screen screen) throws CommandFailure, IOException {
        String typed = screen.secret("password: ");
        if (screen.isInTerminal() && !typed.equals(screen.secret("once more: "))) {
            throw new CommandFailure("the two passwords differ; try again");
        }
        String password = Prepared.password(typed);
        if (password == null) {
            throw new CommandFailure(
                    "a password is a line of 1 to 1024 octets in UTF-8, without controls; give one"
                            + " at the terminal or on standard input");
        }
        return password;
    }
}
