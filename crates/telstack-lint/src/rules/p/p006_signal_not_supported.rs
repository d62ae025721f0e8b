use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P006",
        name: "signal-not-supported",
        severity: Severity::Error,
        summary: "A component stands in a pipeline of a signal that it does not handle at this release.",
        why: "The collector does not start: `telemetry type is not supported`.",
        bad: r#"collector "agent" {
    receiver "hostmetrics" { scrapers { cpu } }
    pipeline "traces" { from "hostmetrics"; to "tempo" }
}"#,
        good: r#"collector "agent" {
    receiver "hostmetrics" { scrapers { cpu } }
    pipeline "metrics" { from "hostmetrics"; to "prometheus" }
}"#,
        silent: "The component's signals at that release are not known, or a manifest in the folder builds one of somebody's \
                 own by that name. What a connector turns into what is P011.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8721",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8866",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, _, _, _, pipeline) in facts::pipelines(cx.system) {
        for (references, kind) in [
            (&pipeline.receivers, ComponentKind::Receiver),
            (&pipeline.processors, ComponentKind::Processor),
            (&pipeline.exporters, ComponentKind::Exporter),
        ] {
            for reference in references {
                let Some(part) = cx.facts.named(id, kind, &reference.id) else { continue };
                let Some((fact, version)) = part.usable() else { continue };
                let Some(signals) = fact.signals(version).filter(|it| !it.is_empty()) else { continue };
                if signals.contains(pipeline.signal) {
                    continue;
                }
                let message = format!("{} does not handle {}", part.title(), pipeline.signal);
                let finding = cx
                    .finding(message, &reference.origin, format!("at {version} it handles {signals}"))
                    .label(pipeline.origin.span(), format!("this pipeline carries {}", pipeline.signal))
                    .help(format!("move `{}` to a pipeline of {signals}", reference.id));
                cx.report(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn collector(signal: &str) -> Bench {
        let yaml = format!(
            "receivers: {{hostmetrics: {{scrapers: {{cpu: }}}}}}\nexporters: {{debug: }}\n\
             service: {{pipelines: {{{signal}: {{receivers: [hostmetrics], exporters: [debug]}}}}}}"
        );
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_in_a_pipeline_of_another_signal() {
        // The second mention: the first is where it is declared.
        collector("traces").finds("P006", "hostmetrics");
    }

    #[test]
    fn passes_in_its_own() {
        collector("metrics").silent("P006");
    }

    #[test]
    fn silent_for_components_that_are_not_there() {
        let yaml = "exporters: {logging: }\nservice: {pipelines: {traces: {receivers: [], exporters: [logging]}}}";
        Bench::collector("0.158.0", yaml).silent("P006");
    }
}
