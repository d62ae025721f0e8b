use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P016",
        name: "listed-twice",
        severity: Severity::Info,
        summary: "A pipeline names a receiver or an exporter twice.",
        why: "It changes nothing: the collector takes it once. Often another one was meant, which now gets no data.",
        bad: r"exporters: {debug: {}, otlp_grpc: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug, debug]}}}",
        good: r"exporters: {debug: {}, otlp_grpc: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug, otlp_grpc]}}}",
        silent: "Processors, of which two stop the collector: that is P014.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/service/internal/graph/graph.go",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, _, _, _, pipeline) in facts::pipelines(cx.system) {
        for (what, list) in [("receiver", &pipeline.receivers), ("exporter", &pipeline.exporters)] {
            for (first, later) in facts::repeated(list) {
                let message = format!("pipeline `{}` names {what} `{}` twice", pipeline.id(), later.id);
                let finding = cx
                    .finding(message, &later.origin, "again")
                    .label(first.origin.span(), "named here already")
                    .help("leave one out, or name the one that was meant");
                cx.report_once(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn pipeline(lists: &str) -> Bench {
        Bench::collector("0.158.0", &format!("service: {{pipelines: {{traces: {{{lists}}}}}}}"))
    }

    #[test]
    fn tells_of_either_end() {
        pipeline("receivers: [otlp, jaeger, otlp], exporters: [debug]").finds("P016", "otlp");
        pipeline("receivers: [otlp], exporters: [debug, debug]").finds("P016", "debug");
    }

    #[test]
    fn passes_on_two_of_a_type() {
        pipeline("receivers: [otlp, otlp/2], exporters: [debug, debug/2]").silent("P016");
    }

    #[test]
    fn silent_about_processors() {
        pipeline("receivers: [otlp], processors: [batch, batch], exporters: [debug]").silent("P016");
    }
}
