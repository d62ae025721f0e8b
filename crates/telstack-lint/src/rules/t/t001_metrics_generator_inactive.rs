use telstack_catalog::product::Product;
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Node, Purpose, Store};

use crate::{Cx, Rule, facts::Producers, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "T001",
        name: "metrics-generator-inactive",
        severity: Severity::Warning,
        summary: "Tempo is set up to make metrics of spans, but no processor of it is switched on, or they go nowhere, \
                  or Grafana looks for them and nothing makes any.",
        why: "The block `metrics_generator` alone does nothing: each tenant has no processors until `overrides` give \
              it some. The service graph in Grafana stays empty, and nothing is logged.",
        bad: r"metrics_generator:
  storage:
    path: /var/tempo/generator
    remote_write:
      - url: http://prometheus:9090/api/v1/write",
        good: r"metrics_generator:
  storage:
    path: /var/tempo/generator
    remote_write:
      - url: http://prometheus:9090/api/v1/write
overrides:
  defaults:
    metrics_generator:
      processors: [service-graphs, span-metrics]",
        silent: "A service graph that Grafana looks for may come from a collector (`service_graph`), or from what is not \
                 known. Overrides per tenant are in a file of their own, or are set over the API; the block is empty, \
                 or says no `storage.path`.",
        sources: &[
            "https://grafana.com/docs/tempo/latest/metrics-from-traces/metrics-generator/",
            "https://github.com/grafana/tempo/issues/4835",
        ],
    },
    check,
};

/// The setting that switches processors on, and both of them.
const PROCESSORS: &str = "overrides.defaults.metrics_generator.processors";
const ALL: &str = "[service-graphs, span-metrics]";
/// The role of the file that it is set in.
const CONFIG: &str = "config";

/// Where a data source names the one that a map of services is looked for in, and the connector that draws one.
const SERVICE_MAP: &str = "serviceMap.datasourceUid";
const SERVICE_GRAPH: &str = "service_graph";

fn check(cx: &mut Cx<'_>) {
    unfed_maps(cx);
    for (_, node) in cx.system.nodes() {
        let Some(generator) = node.store().and_then(|store| store.tempo()?.generator.as_ref()) else { continue };
        let message = match (generator.active, generator.has_target) {
            (Some(false), true) => {
                format!("`{}` is to make metrics of spans, and no processor is switched on", node.name)
            }
            (Some(false), false) if generator.has_storage => format!(
                "`{}` has a place for metrics of spans, but no processor is switched on, and no target named",
                node.name
            ),
            (Some(true), false) => format!("`{}` makes metrics of spans, and sends them nowhere", node.name),
            _ => continue,
        };
        let finding = cx.finding(message, &generator.origin, "makes nothing that anybody sees");
        let finding = match generator.active {
            Some(false) => finding.help(format!("name the processors: `{PROCESSORS}: {ALL}`")),
            _ => finding,
        };
        let finding = if generator.has_target {
            finding
        } else {
            finding.help("name a target: `metrics_generator.storage.remote_write`")
        };
        let known = node.version().is_some_and(|version| Product::Tempo.option(version, PROCESSORS).is_some());
        let change = repair::set_in_file(node, CONFIG, PROCESSORS, ALL).filter(|_| known && generator.has_target);
        cx.report(repair::with(finding, change.map(|it| Fix::unsafe_("switch both processors on", it))));
    }
}

/// Data sources that show a map of services which nothing here draws.
fn unfed_maps(cx: &mut Cx<'_>) {
    let tempo = |node: &Node| node.product() == Some(Product::Tempo);
    // A collector may draw it too, and so may what is not known.
    let idle = |node: &Node| node.store().is_some_and(Store::makes_no_metrics);
    let draws = |node: &Node| tempo(node) && !(makes_nothing(node) || idle(node) || sends_nowhere(node));
    let collector = cx.facts.parts.iter().any(|part| part.usable().is_none() || part.is(SERVICE_GRAPH));
    let open = cx.system.collectors().any(|(.., it)| !it.gaps.sections.is_empty() || it.gaps.pipelines);
    let known = cx.system.from_files && Producers::of(cx.system, cx.facts).is_some();
    if !known || collector || open || cx.system.nodes().any(|(_, node)| draws(node)) {
        return;
    }
    let facts = cx.facts;
    for (_, node) in cx.system.nodes() {
        for source in node.viewer().iter().flat_map(|it| &it.data_sources) {
            let Some(map) = source.json_data.at(SERVICE_MAP) else { continue };
            let viewer = node.viewer().map(|it| it.data_sources.as_slice()).unwrap_or_default();
            let reached = |uid: &str| {
                let asked = viewer.iter().find(|it| it.uid == uid || it.name == uid)?;
                let query = |purpose| purpose == Purpose::Query;
                facts.links.iter().find(|it| query(it.purpose) && it.dial.origin == asked.url.origin)
            };
            let shown = map.as_str().and_then(reached).is_some_and(|it| it.to.product() == Some(Product::Prometheus));
            let Some(link) = reached(&source.uid).filter(|it| shown && makes_nothing(it.to)) else { continue };
            let message = format!(
                "the service graph of data source `{}` stays empty: `{}` makes no metrics of spans",
                source.name, link.to.name
            );
            let finding = cx.finding(message, &map.mark, "looked for here");
            let finding = finding.label(link.to.span(), "its configuration has no `metrics_generator`");
            let help = format!("let it make them: `metrics_generator.storage.remote_write`, and `{PROCESSORS}: {ALL}`");
            cx.report(finding.help(help).help("or let a collector do so: the connector `service_graph`"));
        }
    }
}

/// Does a Tempo make metrics of spans that go nowhere?
fn sends_nowhere(node: &Node) -> bool {
    let generator = node.store().and_then(|store| store.tempo()?.generator.as_ref());
    generator.is_some_and(|it| !it.has_target)
}

/// Is it a Tempo whose configuration is known, and says nothing of metrics?
fn makes_nothing(node: &Node) -> bool {
    let facet = node.store().and_then(|store| store.tempo());
    let read = node.written.iter().any(|it| it.role == CONFIG && it.document.at("overrides").is_none());
    facet.is_some_and(|it| it.generator.is_none()) && read
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Applicability;
    use telstack_system::MetricsGenerator;

    use crate::test_support::Bench;

    fn tempo(active: Option<bool>, has_target: bool) -> Bench {
        let mut bench = Bench::new("generator");
        let id = bench.add(Product::Tempo, "2.10.8");
        let origin = bench.at("generator");
        let facet = bench.node(id).store_mut().and_then(|it| it.tempo_mut()).expect("tempo");
        facet.generator = Some(MetricsGenerator { has_target, has_storage: false, active, origin });
        bench
    }

    #[test]
    fn warns_without_processors_and_without_a_target() {
        tempo(Some(false), true).finds("T001", "generator");
        tempo(Some(true), false).finds("T001", "generator");
    }

    #[test]
    fn passes_with_both() {
        tempo(Some(true), true).silent("T001");
    }

    #[test]
    fn silent_when_another_file_may_say_so_and_when_nothing_was_meant() {
        tempo(None, true).silent("T001");
        tempo(Some(false), false).silent("T001");
    }

    #[test]
    fn warns_of_a_place_that_nothing_is_put_in() {
        let compose = "services:\n  tempo:\n    image: grafana/tempo:2.8.0\n    command: [-config.file=/t.yaml]\n    volumes: \
                       ['./t.yaml:/t.yaml', './o.yaml:/o.yaml']\n";
        let bench = |block: &str, overrides: &str| {
            let config = format!("server: {{http_listen_port: 3200}}\nmetrics_generator: {block}\n{overrides}");
            Bench::project(&[("compose.yaml", compose), ("t.yaml", &config)])
        };
        let place = "{storage: {path: /var/tempo/g}}";
        bench(place, "").finds("T001", place);
        let helps = bench(place, "").helps("T001");
        assert!(helps.len() == 2 && helps[0].contains("processors") && helps[1].contains("remote_write"), "{helps:?}");
        // Another file may say so, or nothing was meant.
        bench(place, "overrides: {per_tenant_override_config: /o.yaml}\n").silent("T001");
        bench("{ring: {kvstore: {store: memberlist}}}", "").silent("T001");
        bench("{}", "").silent("T001");
    }

    #[test]
    fn warns_of_a_map_that_nothing_draws() {
        let grafana = |tempo: &str, collector: &str, map: &str, more: &str| {
            let compose = format!(
                "services:\n  tempo:\n    image: grafana/tempo:2.8.2\n    command: [-config.file=/t.yml]\n    volumes: \
                 ['./t.yml:/t.yml']\n  prom:\n    image: prom/prometheus:v3.5.0\n  grafana:\n    image: \
                 grafana/grafana:12.1.0\n    volumes: ['./d.yml:/etc/grafana/provisioning/datasources/d.yml']\n  otel:\n    \
                 image: otel/opentelemetry-collector-contrib:0.150.0\n    volumes: \
                 ['./o.yml:/etc/otelcol-contrib/config.yaml']\n{more}"
            );
            let data = format!(
                "datasources:\n  - {{name: P, type: prometheus, uid: p, url: 'http://prom:9090'}}\n  - {{name: E, type: \
                 prometheus, uid: e, url: 'http://elsewhere:9090'}}\n  - {{name: T, type: tempo, uid: t, url: \
                 'http://tempo:3200', jsonData: {{serviceMap: {{datasourceUid: {map}}}}}}}\n"
            );
            let config = format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nconnectors: {{{collector}: }}\nexporters: {{debug: \
                 }}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug, {collector}]}}, metrics: \
                 {{receivers: [{collector}], exporters: [debug]}}}}}}\n"
            );
            let tempo = format!("server: {{http_listen_port: 3200}}\n{tempo}");
            Bench::project(&[("compose.yaml", &compose), ("d.yml", &data), ("o.yml", &config), ("t.yml", &tempo)])
        };
        grafana("", "count", "p", "").finds("T001", "p");
        // Drawn by a collector, by Tempo, or by nobody knows whom.
        grafana("", "service_graph", "p", "").silent("T001");
        grafana("", "count", "e", "").silent("T001");
        grafana("", "count", "p", "  alloy: {image: 'grafana/alloy:v1.10.0'}\n").silent("T001");
        grafana("overrides: {defaults: {metrics_generator: {processors: [service-graphs]}}}\n", "count", "p", "")
            .silent("T001");
    }

    #[test]
    fn processors_can_be_switched_on() {
        let compose = "services:\n  tempo:\n    image: grafana/tempo:2.8.0\n    command: [-config.file=/t.yaml]\n    volumes: \
                       ['./t.yaml:/t.yaml']\n";
        let config = |overrides: &str| {
            format!(
                "metrics_generator:\n  storage:\n    path: /g\n    remote_write: [{{url: 'http://m:9090/api/v1/write'}}] # there\n\
                 {overrides}"
            )
        };
        let bench = Bench::project(&[("compose.yaml", compose), ("t.yaml", &config(""))]);
        let after =
            "overrides:\n  defaults:\n    metrics_generator:\n      processors: [service-graphs, span-metrics]\n";
        assert_eq!(bench.fixed("T001", &config(after)), Applicability::Unsafe);
    }
}
