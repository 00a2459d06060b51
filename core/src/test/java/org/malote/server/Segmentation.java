package org.malote.server;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/// How a flight of octets reaches the server. Segmentation never matters: every transcript runs
/// with each of these and must end the same.
enum Segmentation {
    WHOLE,
    LINES,
    OCTETS,
    RANDOM_1,
    RANDOM_2,
    RANDOM_3;

    List<byte[]> cut(List<byte[]> lines) {
        List<byte[]> pieces = new ArrayList<>();
        switch (this) {
            case LINES -> pieces.addAll(lines);
            case WHOLE -> pieces.add(join(lines));
            case OCTETS -> {
                for (byte octet : join(lines)) {
                    pieces.add(new byte[] {octet});
                }
            }
            case RANDOM_1, RANDOM_2, RANDOM_3 -> {
                RandomGenerator random = new Random(name().hashCode());
                byte[] all = join(lines);
                int from = 0;
                while (from < all.length) {
                    int to = Math.min(all.length, from + 1 + random.nextInt(12));
                    pieces.add(Arrays.copyOfRange(all, from, to));
                    from = to;
                }
            }
        }
        return pieces;
    }

    private static byte[] join(List<byte[]> lines) {
        int length = 0;
        for (byte[] line : lines) {
            length += line.length;
        }
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] line : lines) {
            System.arraycopy(line, 0, all, at, line.length);
            at += line.length;
        }
        return all;
    }
}
