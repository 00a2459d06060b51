package org.malote.benchmarks.history;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class JmhResultsTest {
    private static String lines(String written) throws IOException {
        StringBuilder lines = new StringBuilder();
        JmhResults.groups(new JsonMapper().readTree(written))
                .forEach(
                        (group, results) ->
                                lines.append(group.benchmark())
                                        .append(" | ")
                                        .append(group.flags())
                                        .append(" | ")
                                        .append(results)
                                        .append('\n'));
        return lines.toString();
    }

    @Test
    void keepsSamplesParametersAndWhatIsCountedBeside() throws IOException {
        assertEquals(
                """
                EndOfData | -f 1 -wi 2 -w 500ms -i 2 -r 1s | \
                [{"benchmark":"scan","mode":"thrpt","text":"LINES","scores":[0.087395,0.5],"unit":"ops/us",\
                "allocatedBytes":[1,345],"octetsPerSecond":[1.5E9,2.0E9]}]
                """,
                lines(
                        """
                        [{"benchmark": "org.malote.benchmarks.EndOfData.scan", "mode": "thrpt", "forks": 1,
                        "warmupIterations": 2, "warmupTime": "500 ms",
                        "measurementIterations": 2, "measurementTime": "1 s",
                        "params": {"text": "LINES"},
                        "primaryMetric": {"score": 0.3, "scoreUnit": "ops/us", "rawData": [[0.08739465, 0.5]]},
                        "secondaryMetrics": {
                          "gc.alloc.rate.norm": {"scoreUnit": "B/op", "rawData": [[0.12, 345.1]]},
                          "gc.count": {"scoreUnit": "counts", "rawData": [[0.0, 0.0]]},
                          "octets": {"scoreUnit": "ops/us", "rawData": [[1500, 2000]]}}}]
                        """));
    }

    @Test
    void putsTogetherWhatWasMeasuredInTheSameWay() throws IOException {
        String one =
                """
                {"benchmark": "a.B.c", "mode": "%s", "forks": 2, "warmupIterations": 0, "warmupTime": "2 s",
                "measurementIterations": 4, "measurementTime": "2 s",
                "primaryMetric": {"score": 7, "scoreUnit": "ms/op",
                  "scorePercentiles": {"50.0": 6.5, "99.0": 9.25}%s}}
                """;
        String samples = ",\"rawData\": [[1, 2], [3, 4]]";
        assertEquals(
                """
                B | -f 2 -wi 0 -i 4 -r 2s | \
                [{"benchmark":"c","mode":"avgt","scores":[1.0,2.0,3.0,4.0],"unit":"ms/op"},\
                {"benchmark":"c","mode":"sample","score":7.0,"unit":"ms/op","p50":6.5,"p99":9.25}]
                B | -f 2 -wi 0 -i 4 | [{"benchmark":"c","mode":"ss","scores":[1.0,2.0,3.0,4.0],"unit":"ms/op"}]
                """,
                lines(
                        "["
                                + String.join(
                                        ",",
                                        one.formatted("avgt", samples),
                                        one.formatted("sample", ""),
                                        one.formatted("ss", samples))
                                + "]"));
    }
}
