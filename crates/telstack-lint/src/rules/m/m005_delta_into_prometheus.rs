use telstack_catalog::{otelcol::Trait, product::Product};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Protocol, Purpose, Value};

use crate::{
    Cx, Rule,
    facts::{Follow, Link, Part, Place, reached},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M005",
        name: "delta-into-prometheus",
        severity: Severity::Error,
        summary: "Metrics that say what was added since last time are sent to Prometheus, which takes running totals.",
        why: "The exporter drops every such metric (`invalid temporality and type combination`), and Prometheus \
              refuses them over OTLP. Nothing arrives, while all other metrics of the pipeline do.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    connector "count"           // makes deltas
    pipeline "logs" { from "otlp"; to "count" "loki" }
    exporter "prometheus_remote_write" { endpoint "http://metrics.example:9090/api/v1/write" }
    pipeline "metrics" { from "count"; to "prometheus_remote_write" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    connector "count"
    pipeline "logs" { from "otlp"; to "count" "loki" }
    processor "delta_to_cumulative"
    exporter "prometheus_remote_write" { endpoint "http://metrics.example:9090/api/v1/write" }
    pipeline "metrics" { from "count"; through "delta_to_cumulative"; to "prometheus_remote_write" }
}"#,
        silent: "A processor on the way changes the temporality, filters, or is not known; a connector chooses where \
                 data goes; Prometheus is started with a feature that takes deltas. A warning where the receiver makes \
                 other metrics too (`statsd`). What applications send by themselves is not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/30435",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/37164",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/deltatocumulativeprocessor",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for part in &facts.parts {
        let Some(surely) = makes_deltas(part) else { continue };
        for start in Place::fed_by(part) {
            let goes_on = |place: &Place<'_>| {
                !place.may(facts, Trait::ChangesTemporality)
                    && !place.may(facts, Trait::Chooses)
                    && !place.processors(facts).any(|(_, part)| part.is_some_and(|it| sets(&it.component.settings)))
            };
            for place in reached(cx.system, facts, start, Follow::All, goes_on) {
                refused(cx, part, surely, start, place);
            }
        }
    }
}

/// Does it make delta metrics, and nothing else?
fn makes_deltas(part: &Part<'_>) -> Option<bool> {
    let (fact, _) = part.usable()?;
    let delta = fact.delta()?;
    let set = || part.component.text(delta.setting.as_deref()?).value();
    (delta.word.is_none() || set() == delta.word.as_deref()).then_some(delta.surely)
}

/// Does a statement of these settings change the temporality by hand?
fn sets(value: &Value) -> bool {
    match &value.kind {
        Kind::String(text) => text.contains("aggregation_temporality"),
        Kind::Seq(seq) => seq.items.iter().any(sets),
        Kind::Map(map) => map.iter().any(|entry| sets(&entry.value)),
        _ => false,
    }
}

fn refused<'a>(cx: &mut Cx<'a>, source: &Part<'a>, surely: bool, start: Place<'a>, place: Place<'a>) {
    let facts = cx.facts;
    for (reference, exporter) in place.exporters(facts) {
        let Some(exporter) = exporter else { continue };
        let by = if exporter.has(Trait::RefusesDelta) {
            format!("{} drops", exporter.title())
        } else {
            let dials = |link: &&Link<'_>| {
                link.from_id == place.id && link.dial.component.as_ref() == Some(&exporter.component.reference())
            };
            match facts.links.iter().filter(dials).find(|link| is_prometheus(link)) {
                Some(link) => format!("`{}` refuses", link.to.name),
                None => continue,
            }
        };
        let message = format!("{} makes delta metrics, which {by}", source.title());
        let fed = start.pipeline.receivers.iter().find(|it| it.id == source.component.id);
        let mut finding = cx
            .finding(message, &reference.origin, format!("{by} what is not cumulative"))
            .label(fed.and_then(|it| it.origin.span()), "makes deltas: what was added since last time");
        if !surely {
            finding = finding.severity(Severity::Warning).note("its gauges and summaries arrive");
        }
        finding = match exporter.helper(Trait::MakesCumulative) {
            Some(name) => finding.help(format!(
                "put the processor `{name}` into pipeline `{}`, in one collector only: it must see all of a series",
                place.pipeline.id()
            )),
            None => {
                finding.help("make them cumulative where they are made, or in a collector of the contrib distribution")
            }
        };
        if let Some(setting) = source.usable().and_then(|(fact, _)| fact.delta()?.setting.as_deref()) {
            finding =
                finding.help(format!("leave `{setting}` of `{}` out: by itself it is cumulative", source.component.id));
        }
        cx.report_once(finding);
    }
}

/// Does the link end at a Prometheus that takes OTLP, but no deltas?
fn is_prometheus(link: &Link<'_>) -> bool {
    let ours = link.purpose == Purpose::Telemetry
        && link.dial.protocol == Protocol::OTLP_HTTP
        && link.to.product() == Some(Product::Prometheus)
        && link.answer().is_some();
    let facet = link.to.store().and_then(|store| store.prometheus());
    ours && facet.is_some_and(|facet| !DELTA_FEATURES.iter().any(|word| facet.has_feature(word)))
}

/// Features of Prometheus that make it take deltas.
const DELTA_FEATURES: [&str; 2] = ["otlp-deltatocumulative", "otlp-native-delta-ingestion"];

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn counted(processors: &str, connector: &str, exporter: &str) -> Bench {
        let name = connector.split_once(':').map_or(connector, |(name, _)| name);
        let to = exporter.split_once(':').map_or(exporter, |(name, _)| name);
        Bench::collector(
            "0.158.0",
            &format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\n\
                 processors: {{delta_to_cumulative: , batch: , filter: , transform: {{metric_statements: \
                 ['set(metric.aggregation_temporality, 2)']}}}}\n\
                 connectors: {{{connector}, forward: }}\n\
                 exporters: {{{exporter}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}, \
                 metrics: {{receivers: [{name}], exporters: [forward]}}, \
                 metrics/out: {{receivers: [forward], processors: [{processors}], exporters: [{to}]}}}}}}"
            ),
        )
    }

    const WRITE: &str = "prometheusremotewrite: {endpoint: 'http://m/api/v1/write'}";

    #[test]
    fn fails_on_connectors_that_make_deltas() {
        assert_eq!(counted("batch", "count: ", WRITE).finds("M005", "prometheusremotewrite"), Severity::Error);
        let delta = "span_metrics: {aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA}";
        counted("", delta, WRITE).finds("M005", "prometheusremotewrite");
    }

    #[test]
    fn warns_of_a_receiver_that_makes_deltas_among_others() {
        let bench = Bench::collector(
            "0.140.0",
            &format!(
                "receivers: {{statsd: }}\nexporters: {{{WRITE}}}\n\
                 service: {{pipelines: {{metrics: {{receivers: [statsd], exporters: [prometheusremotewrite]}}}}}}"
            ),
        );
        assert_eq!(bench.finds("M005", "prometheusremotewrite"), Severity::Warning);
    }

    #[test]
    fn passes_when_made_cumulative() {
        counted("delta_to_cumulative", "count: ", WRITE).silent("M005");
        counted("", "span_metrics: {}", WRITE).silent("M005");
    }

    #[test]
    fn silent_when_something_may_keep_them_away() {
        for processor in ["filter", "transform", "unknown_to_us"] {
            counted(processor, "count: ", WRITE).silent("M005");
        }
        counted("", "count: ", "prometheus: {endpoint: '0.0.0.0:8889'}").silent("M005");
        counted("", "span_metrics: {aggregation_temporality: '${env:T}'}", WRITE).silent("M005");
    }
}
