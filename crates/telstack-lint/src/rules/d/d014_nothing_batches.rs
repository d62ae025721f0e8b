use telstack_catalog::{ComponentKind, otelcol::Trait};
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts::Place};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D014",
        name: "nothing-batches",
        severity: Severity::Info,
        summary: "What others send goes on as it came, however small: neither a processor nor the exporter's queue \
                  batches it.",
        why: "Many small requests cost the network and the store several times what a few large ones cost, and fill a \
              queue that counts requests.",
        bad: "receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {otlp_grpc: {endpoint: 'tempo:4317'}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}",
        good: "receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {otlp_grpc: {endpoint: 'tempo:4317', sending_queue: {batch: {flush_timeout: 1s, min_size: 1000, max_size: 8000}}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}",
        silent: "Either of the two batches; the exporter has no queue, as one that is scraped, writes files or spreads \
                 data; pipelines that nobody sends to, or that another one feeds; a collector whose deployment is \
                 seen; a stack description; a part of a configuration.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/batchprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/docs/rfcs/batching-migration.md",
        ],
    },
    check,
};

const QUEUE: &str = "sending_queue";
const BATCH: &str = "sending_queue.batch";

fn check(cx: &mut Cx<'_>) {
    if !cx.system.from_files {
        return;
    }
    for place in Place::all(cx.system) {
        // Of a deployment the load is known to whoever wrote it, and it may be small.
        if place.node.container.is_some() || !place.is_sent_to(cx.facts) || place.may(cx.facts, Trait::Batches) {
            continue;
        }
        let slow = place.exporters(cx.facts).filter_map(|(_, part)| part).find(|part| {
            let plain = part.component.kind == ComponentKind::Exporter && part.speaks_otlp();
            plain && part.knows(QUEUE) && part.component.setting(BATCH).is_none()
        });
        let Some(part) = slow else { continue };
        let message = format!("nothing batches what pipeline `{}` sends", place.pipeline.id());
        let finding = cx
            .finding(message, &place.pipeline.origin, "no `batch` processor")
            .label(part.component.origin.span(), "sends each request as it came");
        let finding = if part.knows(BATCH) {
            finding.help("let the exporter do it: `sending_queue: {batch: {flush_timeout: 200ms, min_size: 8192}}`")
        } else {
            finding.help("put a `batch` processor last")
        };
        cx.report_once(finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn sends(processors: &str, settings: &str, exporter: &str) -> Bench {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{}}}}}}}}\nprocessors: {{batch: {{}}}}\n\
             exporters: {{otlp_grpc: {{endpoint: 'tempo:4317', {settings}}}, debug: {{}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [{exporter}]}}}}}}"
        );
        let mut bench = Bench::collector("0.158.0", &yaml);
        bench.system.from_files = true;
        bench.first().container = None;
        bench
    }

    #[test]
    fn tells_where_neither_batches() {
        sends("", "", "otlp_grpc").finds("D014", "traces");
    }

    #[test]
    fn passes_where_one_does() {
        sends("batch", "", "otlp_grpc").silent("D014");
        sends("", "sending_queue: {batch: {}}", "otlp_grpc").silent("D014");
    }

    #[test]
    fn silent_about_exporters_without_a_queue() {
        sends("", "", "debug").silent("D014");
        sends("vendors_own", "", "otlp_grpc").silent("D014");
    }
}
