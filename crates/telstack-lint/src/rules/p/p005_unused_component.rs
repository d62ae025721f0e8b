use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts::Part};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P005",
        name: "unused-component",
        severity: Severity::Warning,
        summary: "A component is declared, but no pipeline and no extension list mentions it.",
        why: "The collector does not even build it. A forgotten receiver means that data silently does not arrive; a \
              forgotten processor, that data leaves unfiltered.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    receiver "jaeger" { protocols { grpc } }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    receiver "jaeger" { protocols { grpc } }
    pipeline "traces" { from "otlp" "jaeger"; to "tempo" }
}"#,
        silent: "The collector has no pipeline at all; a connector used on one side only (P011); an extension that a \
                 setting names (P002); a list that names it is replaced by a later \
                 configuration (E004).",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector/issues/8721"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    // What is missing here may have been written, and reported as not understood.
    if !cx.system.complete && !cx.system.from_files {
        return;
    }
    // One that is declared twice is told of once.
    let firsts = cx.facts.parts.iter().filter(|it| it.is_first());
    for part in firsts {
        let (component, collector) = (part.component, part.collector);
        if collector.pipelines.is_empty()
            || part.wiring.has_open_pipelines()
            || collector.lost.contains(&component.id)
            || is_used(cx, part)
        {
            continue;
        }
        let extension = component.kind == ComponentKind::Extension;
        let place = if extension { "`service.extensions` does not list it" } else { "no pipeline mentions it" };
        let finding = cx.finding(format!("{} is not used: {place}", part.title()), &component.origin, "never built");
        let finding = match component.kind {
            ComponentKind::Receiver => finding.help(cx.words(
                format!("add it to a pipeline: `from \"{}\"`", component.id),
                "add it to `receivers` of a pipeline",
            )),
            ComponentKind::Processor => finding.help(cx.words(
                format!("add it to a pipeline: `through \"{}\"`", component.id),
                "add it to `processors` of a pipeline",
            )),
            ComponentKind::Exporter => finding.help(cx.words(
                format!("add it to a pipeline: `to \"{}\"`", component.id),
                "add it to `exporters` of a pipeline",
            )),
            ComponentKind::Connector => finding.help(cx.words(
                "name it in `to` of one pipeline and in `from` of another",
                "name it among the `exporters` of one pipeline and the `receivers` of another",
            )),
            ComponentKind::Extension => finding.help(format!("add `{}` to `service.extensions`", component.id)),
        };
        cx.report(finding.help("or leave it out"));
    }
}

/// Does the collector start it, or does a setting name it?
fn is_used(cx: &Cx<'_>, part: &Part<'_>) -> bool {
    let extension = part.component.kind == ComponentKind::Extension;
    part.runs() || (extension && !cx.facts.texts().extension(part.id, &part.component.id).is_empty())
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn collector(receivers: &str) -> Bench {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}, jaeger: {{protocols: {{grpc: }}}}}}\nexporters: {{debug: }}\n\
             service: {{pipelines: {{traces: {{receivers: [{receivers}], exporters: [debug]}}}}}}"
        );
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_when_no_pipeline_mentions_it() {
        collector("otlp").finds("P005", "jaeger");
    }

    #[test]
    fn passes_when_all_are_mentioned() {
        collector("otlp, jaeger").silent("P005");
    }

    #[test]
    fn says_of_two_declarations_that_they_are_not_used_once() {
        let yaml = "receivers: {otlp: {protocols: {grpc: }}}\nexporters:\n  debug:\n  otlp:\n  debug: {verbosity: basic}\n\
                    service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}";
        Bench::collector("0.158.0", yaml).finds("P005", "debug");
    }

    #[test]
    fn silent_without_pipelines() {
        Bench::collector("0.158.0", "receivers: {jaeger: {protocols: {grpc: }}}").silent("P005");
    }
}
