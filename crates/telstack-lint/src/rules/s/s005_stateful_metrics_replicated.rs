use telstack_catalog::{ComponentKind, Signal, otelcol::Trait};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Map;
use telstack_system::{Container, Origin, Pipeline, Protocol, Value};

use crate::{
    Cx, Rule,
    facts::{Part, Place, several, spread_over},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S005",
        name: "stateful-metrics-replicated",
        severity: Severity::Warning,
        summary: "Several replicas count for themselves, and write their counts to the same series.",
        why: "Each replica has seen some of the spans and adds up those. All of them write their sums under the same \
              labels: the store refuses what comes out of order, or keeps now one sum and now the other. A counter \
              that falls looks like a restart, and rates come out far too high.",
        bad: r"kind: Deployment
spec: {replicas: 3}
…
connectors:
  span_metrics: {}
exporters:
  prometheus_remote_write: {endpoint: http://prometheus:9090/api/v1/write}",
        good: r#"kind: Deployment
spec: {replicas: 3}
…
connectors:
  span_metrics: {}
exporters:
  prometheus_remote_write:
    endpoint: http://prometheus:9090/api/v1/write
    external_labels: {collector: "${env:POD_NAME}"}"#,
        silent: "One replica runs, or it is not known how many; the exporter adds labels, or a processor between may; \
                 the release or a feature gate tells replicas apart (`collector.instance.id`, by default since \
                 0.152.0); a `load_balancing` exporter sends here; the metrics go by another way than remote write.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector#known-limitation-the-single-writer-principle",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/23663",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/32043",
        ],
    },
    check,
};

/// Labels that an exporter adds to all it writes.
const LABELS: &str = "external_labels";

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for part in facts.parts.iter().filter(|part| part.runs()) {
        let counts = part.has(Trait::MeasuresSpans) || part.has(Trait::MakesCumulative);
        let Some(instances) = several(part.node).filter(|_| counts && !is_told_apart(part)) else { continue };
        if !spread_over(cx.system, facts, part.id).is_empty() {
            continue;
        }
        let places: Vec<Place<'_>> = match part.component.kind {
            ComponentKind::Connector => Place::fed_by(part).collect(),
            _ => Place::all(cx.system).filter(|it| it.id == part.id && passes(it.pipeline, part)).collect(),
        };
        let metrics = places.into_iter().filter(|it| it.pipeline.signal == Signal::Metrics && !it.pipeline.open);
        let writer = metrics.filter(|it| !may_label(cx, *it)).find_map(|it| writer(cx, it));
        let Some(exporter) = writer else { continue };
        let words = instances.words();
        let message =
            format!("{} counts for itself in each replica, and all of them write the same series", part.title());
        let mut finding = cx
            .finding(message, &part.component.origin, "sees some of the data")
            .label(instances.several().and_then(Origin::span), format!("`{}` runs {words}", part.node.name))
            .label(exporter.component.origin.span(), "writes without a label that tells the replicas apart")
            .help(format!("add one: `{LABELS}: {{collector: ${{env:POD_NAME}}}}` in {}", exporter.title()));
        if let Some(gate) = part.usable().and_then(|(fact, _)| fact.told_apart()) {
            finding = finding.help(format!("or let each say which it is: `--feature-gates={}`", gate.gate));
        }
        cx.report(finding.help("or run one"));
    }
}

/// Do its series differ from those of another replica?
fn is_told_apart(part: &Part<'_>) -> bool {
    let Some((fact, version)) = part.usable() else { return true };
    let Some(feature) = fact.told_apart() else { return false };
    let words = |it: &Container| it.command.iter().any(|word| word.value.contains(&feature.gate));
    feature.by_default(version) || part.node.container.as_ref().is_some_and(words)
}

fn passes(pipeline: &Pipeline, part: &Part<'_>) -> bool {
    pipeline.processors.iter().any(|it| it.id == part.component.id)
}

/// May a processor of a pipeline add something that tells replicas apart?
fn may_label(cx: &Cx<'_>, place: Place<'_>) -> bool {
    [Trait::Rewrites, Trait::DetectsResources].into_iter().any(|it| place.may(cx.facts, it))
}

/// The exporter of a pipeline that writes series as they are.
fn writer<'a, 'b>(cx: &Cx<'a>, place: Place<'a>) -> Option<&'b Part<'a>>
where
    'a: 'b,
{
    let mut exporters = place.exporters(cx.facts).filter_map(|(_, part)| part);
    exporters.find(|part| {
        let writes = part.usable().is_some_and(|(fact, _)| fact.protocol() == Some(Protocol::REMOTE_WRITE.0));
        writes && part.component.setting(LABELS).is_none_or(is_empty)
    })
}

fn is_empty(labels: &Value) -> bool {
    labels.as_map().is_some_and(Map::is_empty)
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Sourced};

    use crate::test_support::Bench;

    fn metrics(version: &str, replicas: u64, writer: &str, processor: &str) -> Bench {
        let mut bench = Bench::new("replicas");
        let yaml = format!(
            "connectors: {{spanmetrics: {{}}}}\nprocessors: {{{processor}: {{}}}}\n\
             exporters: {{prometheusremotewrite: {{endpoint: 'http://p:9090/api/v1/write'{writer}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [spanmetrics]}}, metrics: {{receivers: \
             [spanmetrics], processors: [{processor}], exporters: [prometheusremotewrite]}}}}}}"
        );
        let id = bench.add_collector("gateway", Distribution::Contrib, version, &yaml);
        let origin = bench.at("replicas");
        bench.container(id).replicas = Known::Value(Sourced::new(replicas, origin));
        bench
    }

    #[test]
    fn warns_of_one_series_from_several() {
        assert_eq!(metrics("0.140.0", 3, "", "batch").finds("S005", "spanmetrics"), Severity::Warning);
    }

    #[test]
    fn passes_where_they_are_told_apart() {
        metrics("0.140.0", 1, "", "batch").silent("S005");
        metrics("0.140.0", 3, ", external_labels: {pod: '${env:POD}'}", "batch").silent("S005");
        metrics("0.152.0", 3, "", "batch").silent("S005");
    }

    #[test]
    fn silent_where_a_processor_may_label_them() {
        metrics("0.140.0", 3, "", "resource").silent("S005");
    }
}
