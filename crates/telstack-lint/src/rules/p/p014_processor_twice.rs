use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P014",
        name: "processor-twice",
        severity: Severity::Error,
        summary: "A pipeline names a processor twice.",
        why: "The collector does not start: `references processor \"batch\" multiple times`. Receivers and exporters \
              may stand twice; it changes nothing.",
        bad: r"processors: {batch: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch, batch], exporters: [debug]}}}",
        good: r"processors: {batch: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}}",
        silent: "Never.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector/pull/6540"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, _, _, _, pipeline) in facts::pipelines(cx.system) {
        for (first, later) in facts::repeated(&pipeline.processors) {
            let message = format!("pipeline `{}` names processor `{}` twice", pipeline.id(), later.id);
            let finding = cx
                .finding(message, &later.origin, "again")
                .label(first.origin.span(), "named here already")
                .help(format!("leave one out, or declare another: `{}/second`", later.id.ty));
            cx.report_once(finding);
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
    fn fails_on_a_processor_twice() {
        pipeline("processors: [batch, filter, batch]").finds("P014", "batch");
    }

    #[test]
    fn passes_on_two_of_a_type() {
        pipeline("processors: [batch, batch/2]").silent("P014");
    }

    #[test]
    fn silent_about_receivers_and_exporters() {
        pipeline("receivers: [otlp, otlp], exporters: [debug, debug]").silent("P014");
    }
}
