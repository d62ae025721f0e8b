use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Known, Value};

use crate::{
    Cx, Rule,
    facts::{Follow, Part, Place, reached},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S004",
        name: "spanmetrics-after-sampling",
        severity: Severity::Warning,
        summary: "Metrics are made of spans that a sampler has thinned out.",
        why: "A connector counts the spans that reach it. Behind a sampler that keeps every tenth trace the request \
              rate is a tenth of what it is, and behind one that prefers errors the error rate is many times too \
              high: alerts and dashboards on these metrics are wrong, and look plausible.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    processor "probabilistic_sampler" { sampling_percentage 10 }
    connector "span_metrics"
    pipeline "traces" { from "otlp"; through "probabilistic_sampler"; to "span_metrics" "tempo" }
    pipeline "metrics" { from "span_metrics"; to "prometheus" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    processor "probabilistic_sampler" { sampling_percentage 10 }
    processor "batch"
    connector "span_metrics"
    pipeline "traces" { from "otlp"; through "probabilistic_sampler" "batch"; to "tempo" }
    pipeline "traces/measured" { from "otlp"; through "batch"; to "span_metrics" }
    pipeline "metrics" { from "span_metrics"; to "prometheus" }
}"#,
        silent: "The sampler keeps everything; it notes in the spans how many each stands for (`mode: proportional`, \
                 `equalizing`); how much it keeps comes from the environment. A connector that is given all spans from \
                 another pipeline as well is not noticed.",
        sources: &[
            "https://opentelemetry.io/docs/concepts/sampling/",
            "https://grafana.com/docs/opentelemetry/collector/sampling/scale/",
            "https://github.com/grafana/tempo/pull/6541",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for start in Place::all(cx.system) {
        let mut samplers = start.processors(facts).filter_map(|(reference, part)| Some((reference, part?)));
        let Some((sampler, part)) = samplers.find(|(_, part)| part.has(Trait::Samples) && thins_out(part)) else {
            continue;
        };
        for place in reached(cx.system, facts, start, Follow::Any, |_| true) {
            for (reference, connector) in place.exporters(facts) {
                let Some(connector) = connector.filter(|it| it.has(Trait::MeasuresSpans)) else { continue };
                let message = format!("{} measures only what {} has left over", connector.title(), part.title());
                let finding = cx
                    .finding(message, &reference.origin, "measures the sample")
                    .label(sampler.origin.span(), "keeps a part of the traces")
                    .help(format!(
                        "give `{}` the spans before they are sampled, from a pipeline of its own",
                        connector.component.id
                    ));
                cx.report_once(finding);
            }
        }
    }
}

/// Does a sampler surely drop some traces, without noting how many a kept one stands for?
fn thins_out(part: &Part<'_>) -> bool {
    if part.has(Trait::SamplesByTrace) {
        let Some(policies) = part.component.setting("policies").and_then(Value::as_seq) else { return false };
        let plain = |it: &Value| it.at("type").and_then(Value::as_str).is_some_and(|it| !it.contains('$'));
        let all = |it: &Value| it.at("type").and_then(Value::as_str) == Some("always_sample");
        return !policies.is_empty() && policies.iter().all(plain) && !policies.iter().any(all);
    }
    let noted = match part.component.text("mode") {
        Known::Absent => false,
        Known::Value(mode) => mode != "hash_seed",
        Known::Unknown => true,
    };
    let share = part.component.setting("sampling_percentage").and_then(share);
    !noted && share.is_some_and(|share| share < 100.0)
}

fn share(value: &Value) -> Option<f64> {
    match &value.kind {
        telstack_syntax::tree::Kind::Float(number) => Some(*number),
        #[allow(clippy::cast_precision_loss)]
        _ => value.as_int().map(|it| it as f64),
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn sampled(sampler: &str) -> Bench {
        let name = sampler.split_once(':').map_or(sampler, |(name, _)| name);
        Bench::collector(
            "0.140.0",
            &format!(
                "processors: {{{sampler}}}\nconnectors: {{spanmetrics: , forward: }}\n\
                 service: {{pipelines: {{\n\
                 traces: {{receivers: [otlp], processors: [{name}], exporters: [forward]}},\n\
                 traces/out: {{receivers: [forward], exporters: [spanmetrics]}}}}}}"
            ),
        )
    }

    #[test]
    fn warns_behind_samplers() {
        sampled("probabilistic_sampler: {sampling_percentage: 12.5}").finds("S004", "spanmetrics");
        sampled("tail_sampling: {policies: [{name: e, type: status_code}]}").finds("S004", "spanmetrics");
    }

    #[test]
    fn passes_where_everything_is_kept_or_weighed() {
        sampled("probabilistic_sampler: {sampling_percentage: 100}").silent("S004");
        sampled("tail_sampling: {policies: [{name: e, type: status_code}, {name: a, type: always_sample}]}")
            .silent("S004");
        sampled("probabilistic_sampler: {sampling_percentage: 10, mode: proportional}").silent("S004");
        sampled("batch: ").silent("S004");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        sampled("probabilistic_sampler: {sampling_percentage: '${env:P}'}").silent("S004");
        sampled("tail_sampling: {policies: '${file:p.yaml}'}").silent("S004");
        sampled("tail_sampling: {policies: [{name: e, type: '${env:T}'}]}").silent("S004");
    }
}
