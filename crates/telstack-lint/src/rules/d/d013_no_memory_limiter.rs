use std::collections::BTreeMap;

use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::NodeId;

use crate::{Cx, Rule, facts::Place, words::ticked};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D013",
        name: "no-memory-limiter",
        severity: Severity::Info,
        summary: "A pipeline takes what others send and has no `memory_limiter`.",
        why: "When senders are faster than whoever takes the data, it piles up in memory until the process is killed, \
              with all that it holds. A limiter says no before that, and senders that retry come back later.",
        bad: "receivers: {otlp: {protocols: {grpc: {}}}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}}}",
        good: "receivers: {otlp: {protocols: {grpc: {}}}}
processors: {memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 25}}
service: {pipelines: {traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}}}",
        silent: "Pipelines that nobody sends to, or that only print or are scraped; a container without a limit of its \
                 memory; a stack description, where whoever grants memory gets a limiter; a part of a configuration; \
                 processors that are not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/memorylimiterprocessor/README.md",
            "https://opentelemetry.io/docs/security/config-best-practices/",
        ],
    },
    check,
};

/// What an exporter has that may have to wait for somebody.
const QUEUE: &str = "sending_queue";

fn check(cx: &mut Cx<'_>) {
    if !cx.system.from_files {
        return;
    }
    // One finding for a collector: what is missing is one thing.
    let mut bare: BTreeMap<NodeId, Vec<Place<'_>>> = BTreeMap::new();
    for place in Place::all(cx.system) {
        // Without a limit the whole host is the container's.
        if place.node.container.is_some() && place.node.resources.memory.is_none() {
            continue;
        }
        let waits = place
            .exporters(cx.facts)
            .any(|(_, part)| part.is_some_and(|part| part.knows(QUEUE) && !part.has(Trait::Prints)));
        if waits && place.is_sent_to(cx.facts) && !place.may(cx.facts, Trait::LimitsMemory) {
            bare.entry(place.id).or_default().push(place);
        }
    }
    for places in bare.values() {
        let names = places.iter().map(|it| it.pipeline.id());
        let (word, verb) = if places.len() == 1 { ("pipeline", "has") } else { ("pipelines", "have") };
        let message = format!("{word} {} {verb} no `memory_limiter`", ticked(names));
        let mut finding = cx.finding(message, &places[0].pipeline.origin, "takes what is sent, however much it is");
        for place in &places[1..] {
            finding = finding.label(place.pipeline.origin.span(), "and so does this one");
        }
        cx.report(finding.help(
            "declare `memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 25}` and put it first",
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn pipelines(text: &str) -> Bench {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{}}}}}}, host_metrics: {{}}}}\n\
             processors: {{memory_limiter: {{}}, batch: {{}}}}\n\
             exporters: {{otlp_grpc: {{}}, debug: {{}}}}\nservice: {{pipelines: {{{text}}}}}"
        );
        let mut bench = Bench::collector("0.158.0", &yaml);
        bench.system.from_files = true;
        bench.first().container = None;
        bench
    }

    #[test]
    fn tells_once_of_all_pipelines() {
        let text = "traces: {receivers: [otlp], exporters: [otlp_grpc]}, logs: {receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}";
        pipelines(text).finds("D013", "traces");
    }

    #[test]
    fn passes_with_one() {
        pipelines("traces: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc]}").silent("D013");
    }

    #[test]
    fn silent_where_nobody_sends_and_in_stacks() {
        pipelines("metrics: {receivers: [host_metrics], exporters: [otlp_grpc]}").silent("D013");
        pipelines("traces: {receivers: [otlp], exporters: [debug]}").silent("D013");
        pipelines("traces: {receivers: [otlp], processors: [vendors_own], exporters: [otlp_grpc]}").silent("D013");
        let mut bench = pipelines("traces: {receivers: [otlp], exporters: [otlp_grpc]}");
        bench.system.from_files = false;
        bench.silent("D013");
    }
}
