use std::collections::HashSet;

use telstack_catalog::{ComponentKind, Signal, otelcol::Trait};
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, words::with_release};

/// Upstream's words for what may change, and what they mean.
const UNSTABLE: [(&str, &str); 2] = [
    ("development", "it may change or go without notice, and is not meant for production"),
    ("alpha", "its settings may change from one release to the next"),
];

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V009",
        name: "unstable-component",
        severity: Severity::Info,
        summary: "A component is not stable yet for the signal that it is used for, at the pinned release.",
        why: "Upstream promises little for it: keys are renamed, defaults change, and an upgrade may stop the \
              collector. It is good to know before the upgrade.",
        bad: "connectors: {span_metrics: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [span_metrics]}, metrics: {receivers: [span_metrics], exporters: [debug]}}}",
        good: "exporters: {debug: {}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}",
        silent: "Extensions, and exporters that only print, which stay alpha for years; profiles, which are all new; \
                 components that are declared and not used; a stack description.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector/blob/main/docs/component-stability.md"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    if !cx.system.from_files {
        return;
    }
    let mut told = HashSet::new();
    for part in cx.facts.parts.iter().filter(|part| part.component.kind != ComponentKind::Extension) {
        let Some((fact, version)) = part.usable().filter(|(fact, _)| !fact.has(Trait::Prints)) else { continue };
        let levels = part.pipelines().map(|it| it.signal).filter(|it| *it != Signal::Profiles);
        let levels: Vec<_> = levels.filter_map(|signal| Some((signal, fact.stability(version, signal)?))).collect();
        let worst = UNSTABLE.iter().find_map(|(word, means)| {
            levels.iter().find(|(_, level)| level == word).map(|(signal, _)| (*signal, *word, *means))
        });
        let Some((signal, word, means)) = worst else { continue };
        // Two of a type are one choice.
        if !told.insert((part.id, part.component.kind, fact.newest_name())) {
            continue;
        }
        let message = format!("{} is in {word} for {signal} at {version}", part.title()).replace("in alpha", "alpha");
        let finding = cx.finding(message, &part.component.origin, word).note(means);
        cx.report(with_release(finding, part.node));
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn runs(yaml: &str) -> Bench {
        let mut bench = Bench::collector("0.158.0", yaml);
        bench.system.from_files = true;
        bench
    }

    const MEASURES: &str = "connectors: {span_metrics: {}, span_metrics/2: {}}\nservice: {pipelines: {traces: {receivers: [otlp], \
                            exporters: [span_metrics, span_metrics/2]}, metrics: {receivers: [span_metrics, span_metrics/2], exporters: [debug]}}}";

    #[test]
    fn tells_once_of_a_type() {
        runs(MEASURES).finds("V009", "span_metrics");
    }

    #[test]
    fn passes_on_what_is_stable() {
        runs("receivers: {otlp: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc]}}}")
            .silent("V009");
    }

    #[test]
    fn silent_about_what_is_not_used_and_in_stacks() {
        runs("connectors: {span_metrics: {}}").silent("V009");
        Bench::collector("0.158.0", MEASURES).silent("V009");
    }
}
