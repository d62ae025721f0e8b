use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{Part, Place},
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P017",
        name: "batch-not-last",
        severity: Severity::Info,
        summary: "Data is batched, and what follows breaks the batches up again.",
        why: "A filter or a sampler leaves small batches behind; a processor that works by trace sends each trace by \
              itself. The exporter then sends many small requests, which `batch` was to prevent.",
        bad: "processors: {batch: {}, tail_sampling: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch, tail_sampling], exporters: [otlp_grpc]}}}",
        good: "processors: {batch: {}, tail_sampling: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [tail_sampling, batch], exporters: [otlp_grpc]}}}",
        silent: "Another `batch` comes behind it; what follows only changes the data; processors that are not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/batchprocessor/README.md",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for place in Place::all(cx.system).filter(|place| !place.pipeline.open) {
        let parts: Vec<_> = place.processors(cx.facts).collect();
        let has = |part: Option<&Part<'_>>, what| part.is_some_and(|part| part.has(what));
        let Some(at) = parts.iter().rposition(|(_, part)| has(*part, Trait::Batches)) else { continue };
        let Some(last) = parts.iter().rposition(|(_, part)| has(*part, Trait::BreaksUp)).filter(|last| *last > at)
        else {
            continue;
        };
        if parts[at..=last].iter().any(|(_, part)| part.is_none()) {
            continue;
        }
        let (batch, breaks) = (parts[at].0, parts[last].0);
        let message = format!("`{}` breaks up again what `{}` has batched", breaks.id, batch.id);
        let finding = cx
            .finding(message, &batch.origin, "too early")
            .label(breaks.origin.span(), "leaves small requests")
            .help(format!("put `{}` behind `{}`", batch.id, breaks.id));
        // One step at a time is what can be done to an order.
        let change = (last == at + 1).then(|| repair::processor_to(place.pipeline, last, at)).flatten();
        let title = format!("put `{}` behind `{}`", batch.id, breaks.id);
        cx.report_once(repair::with(finding, change.map(|it| Fix::unsafe_(title, it))));
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn yaml(processors: &str) -> String {
        format!(
            "processors: {{batch: {{}}, batch/2: {{}}, filter: {{}}, transform: {{}}}}\nservice: {{pipelines: {{logs: {{processors: [{processors}]}}}}}}"
        )
    }

    fn through(processors: &str) -> Bench {
        Bench::collector("0.158.0", &yaml(processors))
    }

    #[test]
    fn tells_and_puts_it_right() {
        let bench = through("transform, batch, filter");
        bench.finds("P017", "batch");
        assert_eq!(bench.fixed("P017", &yaml("transform, filter, batch")), Applicability::Unsafe);
    }

    #[test]
    fn passes_when_it_is_last() {
        through("filter, batch").silent("P017");
        through("batch, filter, batch/2").silent("P017");
    }

    #[test]
    fn silent_about_what_only_changes_data() {
        through("batch, transform").silent("P017");
        through("batch, vendors_own, filter").silent("P017");
    }
}
