use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Collector, Pipeline, Reference};

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

fn check(cx: &mut Cx<'_>) {
    for (id, _, collector) in cx.system.collectors() {
        let pipelines = &collector.pipelines;
        let mut done = vec![false; pipelines.len()];
        for start in 0..pipelines.len() {
            let Some(round) = round(cx, collector, start).filter(|round| round.iter().all(|(at, _)| !done[*at])) else {
                continue;
            };
            for (at, _) in &round {
                done[*at] = true;
            }
            let names: Vec<String> = round.iter().map(|(at, _)| pipelines[*at].id()).collect();
            let message =
                format!("pipelines of `{}` feed each other in a circle: {}", cx.system.node(id).name, ticked(&names));
            let Some((first, rest)) = round.split_first() else { continue };
            let goes = |(at, out): &(usize, &Reference)| format!("`{}` leaves `{}` here", out.id, pipelines[*at].id());
            let mut finding = cx.finding(message, &first.1.origin, goes(first));
            for step in rest {
                finding = finding.label(step.1.origin.span(), goes(step));
            }
            cx.report(finding.help("take one of these connectors out of the pipeline that it leaves"));
        }
    }
}

/// The shortest way from a pipeline back to itself: each pipeline on it, with the connector it leaves by.
fn round<'a>(cx: &Cx<'_>, collector: &'a Collector, start: usize) -> Option<Vec<(usize, &'a Reference)>> {
    let mut came_from: Vec<Option<(usize, &Reference)>> = vec![None; collector.pipelines.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for (next, by) in steps(cx, collector, at) {
            if next == start {
                let mut round = vec![(at, by)];
                while let Some((before, by)) = came_from[round[0].0].filter(|_| round[0].0 != start) {
                    round.insert(0, (before, by));
                }
                return Some(round);
            }
            if came_from[next].is_none() {
                came_from[next] = Some((at, by));
                queue.push_back(next);
            }
        }
    }
    None
}

/// The pipelines that a pipeline feeds, each with the connector between.
fn steps<'a>(cx: &Cx<'_>, collector: &'a Collector, at: usize) -> Vec<(usize, &'a Reference)> {
    let from = &collector.pipelines[at];
    let mut steps = Vec::new();
    for out in &from.exporters {
        let Some(connector) = collector.component(ComponentKind::Connector, &out.id) else { continue };
        let known = cx.facts.part(connector).and_then(Part::usable);
        let pairs = known.and_then(|(fact, version)| fact.pairs(version)).filter(|pairs| !pairs.is_empty());
        let joins = |to: &Pipeline| pairs.as_ref().is_none_or(|pairs| pairs.contains(&(from.signal, to.signal)));
        for (next, to) in collector.pipelines.iter().enumerate() {
            if to.receivers.iter().any(|it| it.id == out.id) && joins(to) {
                steps.push((next, out));
            }
        }
    }
    steps
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
