package org.malote.benchmarks.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How much figures stray when nothing has changed, learnt from the whole history.
///
/// Rounds are few, two or three, so a rank test of them can never be sure (three against three:
/// one in ten at best), and a bootstrap has nothing to draw from. So what all scenarios of a
/// benchmark know is put together, for each metric on each host, in logarithms, where noise is a
/// share:
///
/// - *between rounds*: how the samples of a run stray around their mean;
/// - *between runs*: how far the medians of two runs lie apart that should agree: of the same
///   commit, or of software that is measured beside Malote and does not change with its commits.
///
/// The larger of both counts. Known limit: the figures of one run stray together, so their number
/// says more than it should; [Comparison] leaves what else the host did to the rows beside.
final class Noise {
    /// The variance of the logarithm of one run's median, and of how many differences it is known.
    record Spread(double variance, int degrees) {}

    private record Key(String kind, String metric, String host) {}

    /// A series where it can be compared: the same setting, and for other software the same
    /// version.
    private record Place(Series series, Run.Setting setting, Map<String, String> versions) {}

    /// Squares, summed, and how many of them are free.
    private static final class Sum {
        private double squares;
        private int degrees;

        private void add(double square, int free) {
            squares += square;
            degrees += free;
        }

        private double mean() {
            return degrees == 0 ? 0 : squares / degrees;
        }
    }

    private final Map<Key, Sum> betweenRounds = new HashMap<>();
    private final Map<Key, Sum> betweenRuns = new HashMap<>();

    /// `runs` in the order of time.
    Noise(List<Run> runs) {
        Map<Place, List<Sample>> places = new HashMap<>();
        for (Run run : runs) {
            for (Figure figure : run.figures()) {
                learnRounds(run.host(), figure);
                Map<String, String> versions = figure.series().isBeside() ? run.beside() : Map.of();
                places.computeIfAbsent(
                                new Place(figure.series(), run.setting(), versions),
                                _ -> new ArrayList<>())
                        .add(new Sample(run.commit(), figure.median()));
            }
        }
        places.forEach(this::learnRuns);
    }

    private record Sample(String commit, double median) {}

    private void learnRounds(String host, Figure figure) {
        double mean = 0;
        for (double sample : figure.samples()) {
            mean += Math.log(sample) / figure.samples().size();
        }
        double squares = 0;
        for (double sample : figure.samples()) {
            squares += square(Math.log(sample) - mean);
        }
        betweenRounds
                .computeIfAbsent(key(figure.series(), host), _ -> new Sum())
                .add(squares, figure.samples().size() - 1);
    }

    /// A difference of two has twice the variance of each.
    private void learnRuns(Place place, List<Sample> samples) {
        for (int i = 1; i < samples.size(); i++) {
            Sample earlier = samples.get(i - 1);
            Sample later = samples.get(i);
            if (place.series.isBeside() || earlier.commit.equals(later.commit)) {
                betweenRuns
                        .computeIfAbsent(key(place.series, place.setting.host()), _ -> new Sum())
                        .add(square(Math.log(later.median / earlier.median)) / 2, 1);
            }
        }
    }

    /// For the median of a run with so many rounds. Null when there is nothing to learn it from: a
    /// single sample in each run, and no two runs that should agree.
    @Nullable Spread of(Series series, String host, int rounds) {
        Sum round = betweenRounds.getOrDefault(key(series, host), new Sum());
        Sum run = betweenRuns.getOrDefault(key(series, host), new Sum());
        // The variance of a median of many is π/2 that of their mean; of few it is less.
        double ofRounds = round.mean() * Math.min(1, Math.PI / 2 / rounds);
        Spread larger =
                ofRounds > run.mean()
                        ? new Spread(ofRounds, round.degrees)
                        : new Spread(run.mean(), run.degrees);
        return larger.variance > 0 ? larger : null;
    }

    private static Key key(Series series, String host) {
        return new Key(series.kind(), series.metric().name(), host);
    }

    private static double square(double value) {
        return value * value;
    }
}
