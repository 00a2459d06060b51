package org.malote.benchmarks.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What the history says of two commits: each series that was measured in the same setting at or
/// before both, the newest run of each. `remarks` say which kinds could not be compared, and why.
record Comparison(List<Move> moves, List<String> remarks) {
    /// Of what is called moved, so much may be chance (Benjamini and Hochberg's procedure): of
    /// hundreds of figures, one in twenty would look moved when nothing has.
    static final double CHANCE_MAX = 0.05;

    enum Verdict {
        WORSE,
        BETTER,
        WITHIN,
        /// One sample in each run, and no two runs that should agree.
        UNTOLD,
        /// Other software, which is what noise is learnt from.
        BESIDE
    }

    /// All runs of a series at one commit.
    record Side(String commit, List<Figure> figures) {
        public Side {
            figures = List.copyOf(figures);
        }

        double median() {
            List<Double> all = new ArrayList<>();
            figures.forEach(figure -> all.addAll(figure.samples()));
            return Figure.median(all);
        }
    }

    /// `ratio` is after to before; of 100 ratios that are chance alone 95 are within the factor
    /// `reach`; `chance` is how likely one strays as far as this one. Both are not a number when
    /// that cannot be told.
    record Move(
            Series series,
            Run.Setting setting,
            Side before,
            Side after,
            double ratio,
            double reach,
            double chance,
            Verdict verdict) {
        private Move judged(Verdict other) {
            return new Move(series, setting, before, after, ratio, reach, chance, other);
        }
    }

    private record Place(Series series, Run.Setting setting) {}

    Comparison {
        moves = List.copyOf(moves);
        remarks = List.copyOf(remarks);
    }

    static Comparison of(List<Run> runs, Lineage before, Lineage after) {
        Noise noise = new Noise(runs);
        Map<String, List<Run>> kinds = new TreeMap<>();
        for (Run run : runs) {
            kinds.computeIfAbsent(run.kind(), _ -> new ArrayList<>()).add(run);
        }
        List<Move> moves = new ArrayList<>();
        List<String> remarks = new ArrayList<>();
        for (Map.Entry<String, List<Run>> kind : kinds.entrySet()) {
            List<Move> ofKind = moves(kind.getValue(), before, after, noise);
            moves.addAll(ofKind);
            if (ofKind.isEmpty()) {
                remarks.add(kind.getKey() + why(kind.getValue(), before, after));
            }
        }
        return new Comparison(judged(moves), remarks);
    }

    boolean isWorse() {
        return count(Verdict.WORSE) > 0;
    }

    long count(Verdict verdict) {
        return moves.stream().filter(move -> move.verdict == verdict).count();
    }

    private static List<Move> moves(List<Run> runs, Lineage before, Lineage after, Noise noise) {
        Map<Place, Map<String, List<Figure>>> places =
                new TreeMap<>(
                        Comparator.comparing((Place place) -> place.setting.host())
                                .thenComparing(place -> place.setting.flags())
                                .thenComparing(Place::series));
        for (Run run : runs) {
            for (Figure figure : run.figures()) {
                places.computeIfAbsent(
                                new Place(figure.series(), run.setting()), _ -> new TreeMap<>())
                        .computeIfAbsent(run.commit(), _ -> new ArrayList<>())
                        .add(figure);
            }
        }
        List<Move> moves = new ArrayList<>();
        for (Map.Entry<Place, Map<String, List<Figure>>> place : places.entrySet()) {
            Map<String, List<Figure>> commits = place.getValue();
            @Nullable String from = before.newest(commits.keySet());
            @Nullable String to = after.newest(commits.keySet());
            // A line that does not name its host is of a host that nobody knows.
            if (from != null
                    && to != null
                    && !from.equals(to)
                    && !place.getKey().setting.host().isEmpty()) {
                moves.add(
                        move(
                                place.getKey(),
                                new Side(from, commits.getOrDefault(from, List.of())),
                                new Side(to, commits.getOrDefault(to, List.of())),
                                noise));
            }
        }
        return moves;
    }

    private static Move move(Place place, Side before, Side after, Noise noise) {
        double ratio = after.median() / before.median();
        double variance = 0;
        int degrees = Integer.MAX_VALUE;
        for (Side side : List.of(before, after)) {
            int rounds = side.figures.getFirst().samples().size();
            Noise.@Nullable Spread spread = noise.of(place.series, place.setting.host(), rounds);
            if (spread == null) {
                Verdict verdict = place.series.isBeside() ? Verdict.BESIDE : Verdict.UNTOLD;
                return new Move(
                        place.series,
                        place.setting,
                        before,
                        after,
                        ratio,
                        Double.NaN,
                        Double.NaN,
                        verdict);
            }
            variance += spread.variance() / side.figures.size();
            degrees = Math.min(degrees, spread.degrees());
        }
        double error = Math.sqrt(variance);
        return new Move(
                place.series,
                place.setting,
                before,
                after,
                ratio,
                Math.exp(error * StudentT.reach(degrees)),
                StudentT.chanceBeyond(Math.log(ratio) / error, degrees),
                place.series.isBeside() ? Verdict.BESIDE : Verdict.WITHIN);
    }

    /// Those that moved are the likeliest ones up to the last whose chance is below its share.
    private static List<Move> judged(List<Move> moves) {
        List<Double> chances =
                moves.stream()
                        .filter(move -> move.verdict == Verdict.WITHIN)
                        .map(Move::chance)
                        .sorted()
                        .toList();
        double limit = -1;
        for (int i = 0; i < chances.size(); i++) {
            if (chances.get(i) <= CHANCE_MAX * (i + 1) / chances.size()) {
                limit = chances.get(i);
            }
        }
        List<Move> judged = new ArrayList<>();
        for (Move move : moves) {
            if (move.verdict == Verdict.WITHIN && move.chance <= limit) {
                boolean isWorse = move.series.metric().isWorse(move.ratio);
                judged.add(move.judged(isWorse ? Verdict.WORSE : Verdict.BETTER));
            } else {
                judged.add(move);
            }
        }
        return judged;
    }

    /// Why nothing of a kind could be compared; goes on after its name.
    private static String why(List<Run> runs, Lineage before, Lineage after) {
        Set<String> commits = new TreeSet<>();
        runs.forEach(run -> commits.add(run.commit()));
        @Nullable String from = before.newest(commits);
        @Nullable String to = after.newest(commits);
        if (from == null || to == null) {
            Lineage without = from == null ? before : after;
            return ": not measured at " + without.name() + " or before it";
        }
        if (from.equals(to)) {
            return ": not measured between the two, only at " + from;
        }
        Set<String> hostsBefore = hosts(runs, from);
        Set<String> hostsAfter = hosts(runs, to);
        if (areApart(hostsBefore, hostsAfter)) {
            return ": "
                    + from
                    + " and "
                    + to
                    + " were measured on different hosts, which are not compared: "
                    + String.join("; ", hostsBefore)
                    + " and "
                    + String.join("; ", hostsAfter);
        }
        return ": " + from + " and " + to + " were measured with different flags or scenarios";
    }

    private static Set<String> hosts(List<Run> runs, String commit) {
        Set<String> hosts = new TreeSet<>();
        for (Run run : runs) {
            if (run.commit().equals(commit)) {
                hosts.add(run.host().isEmpty() ? "a host without a name" : run.host());
            }
        }
        return hosts;
    }

    private static boolean areApart(Set<String> some, Set<String> others) {
        Set<String> both = new HashSet<>(some);
        both.retainAll(others);
        return both.isEmpty();
    }
}
