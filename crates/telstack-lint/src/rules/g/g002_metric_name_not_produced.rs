use std::collections::BTreeSet;

use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::Node;

use crate::{
    Cx, Rule,
    facts::{AskedMetric, Producers, Verdict, asked_metrics},
    repair,
    words::{ticked, with_release},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "G002",
        name: "metric-name-not-produced",
        severity: Severity::Warning,
        summary: "A dashboard, an alert or a rule asks for a metric that nothing in the stack calls so.",
        why: "The panel stays empty; the alert never fires, which looks just like all being well. Names change with \
              releases: own metrics of collectors get `_total` and units, or lose them.",
        bad: "groups: [{name: pipeline, rules: [{alert: Lost, expr: 'rate(otelcol_exporter_send_failed_spans[5m]) > 0'}]}]
# while a collector 0.130.0 has `service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {}}}}]}}}`",
        good: "groups: [{name: pipeline, rules: [{alert: Lost, expr: 'rate(otelcol_exporter_send_failed_spans_total[5m]) > 0'}]}]
# while a collector 0.130.0 has `service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {}}}}]}}}`",
        silent: "Metrics of applications, of stores, and of components whose names are not certain: only the \
                 collector's own metrics since 0.105.0, those of `span_metrics` and of Tempo's generator, and the \
                 units of host and container metrics are known. A stack in which something may make such metrics that \
                 is not known: a collector of an unknown release, Alloy, a scrape by a collector; names that rules \
                 record; queries that do not parse.",
        sources: &[
            "https://opentelemetry.io/docs/collector/internal-telemetry/",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/13544",
            "https://github.com/open-telemetry/opentelemetry-operator/pull/5221",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    if !cx.system.from_files {
        return;
    }
    let Some(producers) = Producers::of(cx.system, cx.facts) else { return };
    let mut told = BTreeSet::new();
    for asked in asked_metrics(cx.system, |name| producers.knows(name)) {
        let Verdict::NotProduced { instead, because } = producers.judge(&asked.name) else { continue };
        // One name in ten panels is one mistake, in ten places.
        if told.insert((asked.name.clone(), asked.at.spans().to_vec())) {
            let finding = finding(cx, &asked, &instead, because.as_ref());
            cx.report(finding);
        }
    }
}

fn finding(cx: &Cx<'_>, asked: &AskedMetric, instead: &[String], because: Option<&(&Node, String)>) -> Diagnostic {
    let message = format!("{} asks for `{}`, which nothing here produces", asked.by, asked.name);
    let mut finding = cx.finding(message, &asked.at, "no such metric");
    if let Some((node, why)) = because {
        finding = with_release(finding, node).note(why.as_str());
    }
    match instead {
        [] => finding.help("ask for another one, or leave it out"),
        [one] => {
            let change = repair::word(&asked.query, &asked.name, one);
            let fix = change.map(|it| Fix::unsafe_(format!("ask for `{one}`"), it));
            repair::with(finding.help(format!("ask for `{one}`")), fix)
        }
        several => finding.help(format!("ask for one of {}", ticked(several))),
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{Distribution, product::Product};
    use telstack_system::{AlertRule, Dashboard, NodeId, Panel, Query, Recorded, Sourced, units::Period};

    use crate::test_support::Bench;

    const READERS: &str = "service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {}}}}]}}}";
    const SPANS: &str = "connectors: {span_metrics: {}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [span_metrics]}, \
                         metrics: {receivers: [span_metrics], exporters: [prometheus]}}}";

    /// A collector, Prometheus with an alert, and what the alert asks for.
    fn alert(version: &str, collector: &str, expr: &str) -> (Bench, NodeId) {
        let mut bench = Bench::new(expr);
        bench.system.from_files = true;
        bench.add_collector("otel", Distribution::Contrib, version, collector);
        let id = bench.add(Product::Prometheus, "3.5.0");
        let at = bench.at(expr);
        let rule = AlertRule {
            group: "g".into(),
            name: "Lost".into(),
            expr: Sourced::new(expr.to_owned(), at.clone()),
            hold: Period::from_secs(0),
            severity: String::new(),
            summary: String::new(),
            description: String::new(),
            origin: at,
        };
        bench.node(id).store_mut().and_then(|it| it.prometheus_mut()).expect("Prometheus").alerts.push(rule);
        (bench, id)
    }

    #[track_caller]
    fn finds(version: &str, collector: &str, expr: &str, name: &str) {
        alert(version, collector, expr).0.finds("G002", name);
    }

    #[track_caller]
    fn silent(version: &str, collector: &str, expr: &str) {
        alert(version, collector, expr).0.silent("G002");
    }

    #[test]
    fn suffixes_go_by_release_and_reader() {
        let (plain, suffixed) = ("otelcol_exporter_sent_spans", "otelcol_exporter_sent_spans_total");
        let rate = |name: &str| format!("rate({name}[5m]) > 0");
        finds("0.130.0", READERS, &rate(plain), plain);
        silent("0.130.0", READERS, &rate(suffixed));
        finds("0.130.0", "", &rate(suffixed), suffixed);
        silent("0.130.0", "", &rate(plain));
        finds("0.158.0", READERS, &rate(suffixed), suffixed);
        silent("0.158.0", READERS, &rate(plain));
        let units = READERS.replace("{}", "{without_units: true, without_type_suffix: false}");
        silent("0.130.0", &units, &rate(plain));
    }

    #[test]
    fn metrics_come_and_go() {
        let old = "otelcol_processor_refused_spans";
        finds("0.158.0", "", old, old);
        silent("0.150.0", "", old);
        finds("0.140.0", "", "otelcol_exporter_in_flight_requests", "otelcol_exporter_in_flight_requests");
        silent("0.158.0", "", "otelcol_exporter_in_flight_requests");
    }

    #[test]
    fn slips_are_found_and_what_components_make_is_not_judged() {
        finds("0.158.0", "", "otelcol_exporter_queue_sise / 2", "otelcol_exporter_queue_sise");
        silent("0.158.0", "", "otelcol_processor_tail_sampling_sampling_traces_on_memory");
        silent("0.158.0", "", "rate(http_requests_total[5m])");
    }

    #[test]
    fn metrics_about_spans() {
        finds("0.158.0", SPANS, "traces_spanmetrics_calls_total", "traces_spanmetrics_calls_total");
        silent("0.158.0", SPANS, "traces_span_metrics_calls_total");
        silent("0.158.0", SPANS, "rate(traces_span_metrics_duration_milliseconds_bucket[5m])");
        let seconds = SPANS.replace("span_metrics: {}", "span_metrics: {histogram: {unit: s}}");
        let name = "traces_span_metrics_duration_milliseconds_sum";
        finds("0.158.0", &seconds, name, name);
        silent("0.158.0", &SPANS.replace("span_metrics: {}", "span_metrics: {namespace: '${env:N}'}"), name);
        silent("0.158.0", "", "traces_spanmetrics_calls_total");
        let (mut bench, _) = alert("0.158.0", SPANS, "traces_spanmetrics_calls_total");
        bench.add(Product::Tempo, "2.8.0");
        bench.silent("G002");
    }

    #[test]
    fn units_of_hosts() {
        let host = "receivers: {host_metrics: {scrapers: {memory: {}}}}\n\
                    service: {pipelines: {metrics: {receivers: [host_metrics], exporters: [prometheus]}}}";
        finds("0.158.0", host, "system_memory_usage > 1", "system_memory_usage");
        silent("0.158.0", host, "system_memory_usage_bytes > 1");
        silent("0.158.0", "", "system_memory_usage > 1");
        silent(
            "0.158.0",
            &host.replace("[prometheus]", "[otlp_http]").replace("service:", "exporters: {otlp_http: {}}\nservice:"),
            "system_memory_usage > 1",
        );
    }

    #[test]
    fn silent_where_something_else_may_make_it() {
        let wrong = "otelcol_exporter_sent_spans_total";
        let (mut bench, _) = alert("0.158.0", "", wrong);
        bench.add_collector("other", Distribution::Contrib, "0.130.0", READERS);
        bench.silent("G002");
        let (mut bench, _) = alert("0.158.0", "", wrong);
        bench.first().version = None;
        bench.silent("G002");
        let (mut bench, id) = alert("0.158.0", "", wrong);
        bench.container(id).image.value.repository = "grafana/alloy".into();
        bench.silent("G002");
        let scrapes = "receivers: {prometheus: {}}\nservice: {pipelines: {metrics: {receivers: [prometheus], exporters: [prometheus]}}}";
        silent("0.158.0", scrapes, wrong);
        let (mut bench, id) = alert("0.158.0", "", wrong);
        let expr = Sourced::new("up".to_owned(), bench.at(wrong));
        let facet = bench.node(id).store_mut().and_then(|it| it.prometheus_mut()).expect("Prometheus");
        facet.recorded.push(Recorded { name: wrong.into(), expr });
        bench.silent("G002");
        let (mut bench, _) = alert("0.158.0", "", wrong);
        bench.system.from_files = false;
        bench.silent("G002");
    }

    #[test]
    fn panels_ask_too() {
        let query = "sum(rate(otelcol_exporter_sent_spans_total{job=\\\"$job\\\"}[$__rate_interval]))";
        let mut bench = Bench::new(query);
        bench.system.from_files = true;
        bench.add_collector("otel", Distribution::Contrib, "0.158.0", "");
        let id = bench.add(Product::Grafana, "13.0.1");
        let at = bench.at(query);
        let expr = Sourced::new(query.replace('\\', ""), at.clone());
        let panel = Panel {
            title: "sent".into(),
            description: String::new(),
            queries: vec![Query { expr, legend: String::new() }],
            unit: String::new(),
            origin: at.clone(),
        };
        let dashboard = Dashboard {
            uid: "a".into(),
            title: "Pipeline".into(),
            description: String::new(),
            data_sources: Vec::new(),
            types: std::collections::BTreeMap::default(),
            panels: vec![panel],
            inputs: Vec::new(),
            origin: at,
        };
        bench.node(id).viewer_mut().expect("Grafana").dashboards.push(dashboard);
        // Its text is escaped, so the whole of it is shown.
        bench.finds("G002", query);
    }
}
