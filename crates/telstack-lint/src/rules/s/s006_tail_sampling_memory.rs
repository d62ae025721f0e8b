use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Known, units::Period};

use crate::{Cx, Rule, facts::Part};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S006",
        name: "tail-sampling-memory",
        severity: Severity::Info,
        summary: "A tail sampler keeps fewer traces than arrive while it waits to decide.",
        why: "The sampler holds each trace for `decision_wait`. When more than `num_traces` arrive in that time, the \
              oldest are thrown out before their policies were asked, and what is kept is an accident.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    processor "tail_sampling" {
        decision_wait "60s"; num_traces 10000; expected_new_traces_per_sec 1000
        policies { - { name "errors"; type "status_code"; status_code { status_codes "ERROR" } } }
    }
    pipeline "traces" { from "otlp"; through "tail_sampling"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    processor "tail_sampling" {
        decision_wait "60s"; num_traces 60000; expected_new_traces_per_sec 1000
        policies { - { name "errors"; type "status_code"; status_code { status_codes "ERROR" } } }
    }
    pipeline "traces" { from "otlp"; through "tail_sampling"; to "tempo" }
}"#,
        silent: "`expected_new_traces_per_sec` is not written: then the rate is not known; a value comes from the \
                 environment.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/tailsamplingprocessor",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/29024",
        ],
    },
    check,
};

const RATE: &str = "expected_new_traces_per_sec";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.has(Trait::SamplesByTrace) && part.runs()) {
        let Some(rate) = part.component.setting(RATE).and_then(|it| Some((it.as_int().filter(|it| *it > 0)?, it)))
        else {
            continue;
        };
        let (Some(kept), Some(wait)) = (part.number("num_traces"), wait(part)) else { continue };
        let (per_second, rate) = rate;
        let arrive = u64::try_from(per_second).unwrap_or_default().saturating_mul(wait.millis()) / 1000;
        if kept <= 0 || u64::try_from(kept).is_ok_and(|kept| kept >= arrive) {
            continue;
        }
        let written = part.component.setting("num_traces");
        let at = written.map_or(&rate.mark, |value| &value.mark);
        let message = format!("{} keeps {kept} traces, and {arrive} arrive while it waits to decide", part.title());
        let mut finding = cx.finding(message, at, format!("room for {kept} traces"));
        if written.is_some() {
            finding = finding.label(rate.mark.span(), format!("{per_second} a second, for {wait}"));
        }
        let finding = finding.help(format!("set `num_traces` to {arrive} or more, or wait less"));
        cx.report(finding);
    }
}

fn wait(part: &Part<'_>) -> Option<Period> {
    match part.component.period("decision_wait") {
        Known::Value(wait) => Some(wait),
        Known::Absent => Period::parse(part.text("decision_wait")?),
        Known::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn sampler(settings: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "processors: {{tail_sampling: {{{settings}}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [tail_sampling]}}}}}}"
            ),
        )
    }

    #[test]
    fn tells_when_there_is_too_little_room() {
        let found = sampler("decision_wait: 60s, num_traces: 10000, expected_new_traces_per_sec: 1000");
        assert_eq!(found.finds("S006", "10000"), Severity::Info);
        sampler("expected_new_traces_per_sec: 5000").finds("S006", "5000");
    }

    #[test]
    fn passes_with_room_enough() {
        sampler("decision_wait: 10s, num_traces: 10000, expected_new_traces_per_sec: 1000").silent("S006");
        sampler("expected_new_traces_per_sec: 100").silent("S006");
    }

    #[test]
    fn silent_when_the_rate_is_not_known() {
        sampler("decision_wait: 60s, num_traces: 1").silent("S006");
        sampler("num_traces: '${env:N}', expected_new_traces_per_sec: 100000").silent("S006");
    }
}
