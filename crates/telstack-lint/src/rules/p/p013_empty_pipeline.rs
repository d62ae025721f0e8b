use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P013",
        name: "empty-pipeline",
        severity: Severity::Error,
        summary: "A pipeline has no receiver or no exporter.",
        why: "Data cannot enter or cannot leave: the collector does not start with `must have at least one receiver`.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    pipeline "traces" { from "otlp" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        silent: "The exporter of a link is still missing because no protocol was found for it: that is reported there.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector/blob/main/service/pipelines/config.go"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    // What is missing here may have been written, and reported as not understood.
    if !cx.system.complete && !cx.system.from_files {
        return;
    }
    for (id, _, _, at, pipeline) in facts::pipelines(cx.system) {
        let lacks = match (pipeline.receivers.is_empty(), pipeline.exporters.is_empty()) {
            (false, false) => continue,
            _ if pipeline.open => continue,
            (_, true) if facts::waits_for_a_link(cx.system, id, at) => continue,
            (true, true) => "neither receiver nor exporter",
            (true, false) => "no receiver",
            (false, true) => "no exporter",
        };
        let message = format!("pipeline `{}` has {lacks}", pipeline.id());
        let finding = cx.finding(message, &pipeline.origin, format!("{lacks} here"));
        let finding = if pipeline.receivers.is_empty() {
            finding.help(cx.words("name what feeds it: `from \"otlp\"`", "name what feeds it: `receivers: [otlp]`"))
        } else {
            finding
        };
        let finding = if pipeline.exporters.is_empty() {
            finding.help(cx.words("name where it goes: `to \"tempo\"`", "name where it goes: `exporters: [otlp]`"))
        } else {
            finding
        };
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_system::{Edge, Purpose, Sourced};

    use crate::test_support::Bench;

    fn collector(receivers: &str, exporters: &str) -> Bench {
        let yaml =
            format!("service: {{pipelines: {{traces: {{receivers: [{receivers}], exporters: [{exporters}]}}}}}}");
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_without_an_end() {
        collector("otlp", "").finds("P013", "traces");
        collector("", "debug").finds("P013", "traces");
    }

    #[test]
    fn passes_with_both() {
        collector("otlp", "debug").silent("P013");
    }

    #[test]
    fn silent_while_its_link_is_not_negotiated() {
        let mut bench = collector("otlp", "");
        let from = bench.system.node_ids()[0];
        let to = bench.add(Product::Tempo, "2.10.8");
        let mut edge = Edge::new(Purpose::Telemetry, bench.at("traces"));
        edge.pipelines.push(Sourced::new(0, bench.at("traces")));
        bench.system.connect(from, to, edge);
        bench.silent("P013");
    }
}
