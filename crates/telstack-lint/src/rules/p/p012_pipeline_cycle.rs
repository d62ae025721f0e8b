use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Mention;

use crate::{Cx, Rule, facts::Part, words::ticked};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P012",
        name: "pipeline-cycle",
        severity: Severity::Error,
        summary: "Connectors lead from a pipeline back into it.",
        why: "Data would go round for ever; the collector sees it and does not start: `cycle detected`.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    connector "forward/a"
    connector "forward/b"
    pipeline "traces/in"  { from "otlp" "forward/b"; to "forward/a" }
    pipeline "traces/out" { from "forward/a"; to "forward/b" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    connector "forward/a"
    pipeline "traces/in"  { from "otlp"; to "forward/a" }
    pipeline "traces/out" { from "forward/a"; to "tempo" }
}"#,
        silent: "The connector does not turn the one signal into the other, so that nothing goes round.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector/blob/main/connector/README.md"],
    },
    check,
};

/// Longer circles are shown by their start.
const SHOWN: usize = 12;

fn check(cx: &mut Cx<'_>) {
    for (id, _, collector) in cx.system.collectors() {
        let Some(wiring) = cx.facts.wiring(id) else { continue };
        let rounds = wiring.circles(|connector, from, to| {
            let known = cx.facts.part(connector).and_then(Part::usable);
            let pairs = known.and_then(|(fact, version)| fact.pairs(version)).filter(|pairs| !pairs.is_empty());
            pairs.is_none_or(|pairs| pairs.contains(&(from, to)))
        });
        for round in rounds {
            let shown = &round[..round.len().min(SHOWN)];
            let more = round.len() - shown.len();
            let names = ticked(shown.iter().map(|(at, _)| collector.pipelines[*at].id()));
            let names = if more > 0 { format!("{names}, by way of {more} more") } else { names };
            let message = format!("pipelines of `{}` feed each other in a circle: {names}", cx.system.node(id).name);
            let Some((first, rest)) = shown.split_first() else { continue };
            let goes =
                |(at, out): &Mention<'_>| format!("`{}` leaves `{}` here", out.id, collector.pipelines[*at].id());
            let mut finding = cx.finding(message, &first.1.origin, goes(first));
            for step in rest {
                finding = finding.label(step.1.origin.span(), goes(step));
            }
            cx.report(finding.help("take one of these connectors out of the pipeline that it leaves"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn collector(pipelines: &str) -> Bench {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{debug: }}\n\
             connectors: {{forward/a: , forward/b: , spanmetrics: }}\nservice: {{pipelines: {{{pipelines}}}}}"
        );
        Bench::collector("0.140.0", &yaml)
    }

    #[test]
    fn fails_on_a_circle_once() {
        let bench = collector(
            "traces/in: {receivers: [otlp, forward/b], exporters: [forward/a]}, \
             traces/out: {receivers: [forward/a], exporters: [debug, forward/b]}",
        );
        bench.finds("P012", "forward/a");
    }

    #[test]
    fn fails_on_a_pipeline_that_feeds_itself() {
        collector("traces: {receivers: [otlp, forward/a], exporters: [forward/a]}").finds("P012", "forward/a");
    }

    #[test]
    fn shows_the_shortest_way_of_several() {
        let bench = collector(
            "traces/a: {receivers: [otlp, forward/b], exporters: [forward/a]}, \
             traces/b: {receivers: [forward/a], exporters: [debug, forward/b, spanmetrics]}, \
             traces/c: {receivers: [forward/a], exporters: [debug]}",
        );
        bench.finds("P012", "forward/a");
    }

    #[test]
    fn passes_on_a_chain() {
        let bench = collector(
            "traces/in: {receivers: [otlp], exporters: [forward/a]}, traces/out: {receivers: [forward/a], exporters: [debug]}",
        );
        bench.silent("P012");
    }

    #[test]
    fn silent_when_nothing_goes_round() {
        let bench = collector(
            "traces: {receivers: [otlp], exporters: [spanmetrics]}, \
             metrics: {receivers: [spanmetrics], exporters: [debug, spanmetrics]}",
        );
        bench.silent("P012");
    }
}
