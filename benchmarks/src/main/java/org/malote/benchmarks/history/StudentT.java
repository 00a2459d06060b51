package org.malote.benchmarks.history;

/// Student's distribution. With t = √n·tan θ its density becomes cos θ to the power of n - 1, whose
/// integral needs no table and no gamma function.
final class StudentT {
    private static final int STEPS = 2_000;
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
        double step = Math.PI / 2 / STEPS;
        double left = CERTAIN * area(0, Math.PI / 2, degrees);
        for (int i = 0; i < STEPS; i++) {
            double piece = area(i * step, (i + 1) * step, degrees, 2);
            if (piece >= left) {
                return Math.sqrt(degrees) * Math.tan((i + left / piece) * step);
            }
            left -= piece;
        }
        throw new IllegalStateException("95 of 100 are more than all");
    }

    private static double area(double from, double to, int degrees) {
        return area(from, to, degrees, STEPS);
    }

    /// By Simpson's rule.
    private static double area(double from, double to, int degrees, int steps) {
        double step = (to - from) / steps;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            int weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.pow(Math.cos(from + i * step), degrees - 1);
        }
        return sum * step / 3;
    }
}
