package org.malote.benchmarks.history;

/// Student's distribution. With t = √n·tan θ its density becomes cos θ to the power of n - 1, whose
/// integral needs no table and no gamma function.
final class StudentT {
    private static final int STEPS = 20_000;
    private static final double CERTAIN = 0.95;

    private StudentT() {}

    /// How likely a value that strays by chance alone is this far from 0 or farther, on either
    /// side.
    static double chanceBeyond(double t, int degrees) {
        double angle = Math.atan(Math.abs(t) / Math.sqrt(degrees));
        return area(angle, Math.PI / 2, degrees) / area(0, Math.PI / 2, degrees);
    }

    /// Within which 95 of 100 such values lie.
    static double reach(int degrees) {
        double low = 0;
        double high = 1000;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            if (chanceBeyond(middle, degrees) > 1 - CERTAIN) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return high;
    }

    /// By Simpson's rule.
    private static double area(double from, double to, int degrees) {
        double step = (to - from) / STEPS;
        double sum = 0;
        for (int i = 0; i <= STEPS; i++) {
            int weight = i == 0 || i == STEPS ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.pow(Math.cos(from + i * step), degrees - 1);
        }
        return sum * step / 3;
    }
}
