use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Bind, Container, Network, Node, NodeId, Origin, Purpose};

use crate::{
    Cx, Rule,
    facts::Arrival,
    rules::{
        g::g003_datasource_url_unreachable::is_alone,
        n::{
            n001_loopback_bind_in_container as loopback, n002_protocol_port_mismatch as stranger,
            n003_no_listener_on_peer_port as nobody,
        },
    },
    words::{bind_all, served},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M004",
        name: "scrape-target-not-listening",
        severity: Severity::Error,
        summary: "Something is to be scraped that does not answer scrapes on that port, or answers only itself.",
        why: "The target stays down: `connection refused`, and every graph of it is empty. A collector's own metrics \
              are on `localhost:8888` unless it is told otherwise, and the port of a `prometheus` exporter is the one \
              of its endpoint.",
        bad: r"scrape_configs:
  - job_name: collector
    static_configs:
      - targets: [collector:8889]
# and in the collector: exporters: {prometheus: {endpoint: localhost:8889}}",
        good: r"scrape_configs:
  - job_name: collector
    static_configs:
      - targets: [collector:8889]
# and in the collector: exporters: {prometheus: {endpoint: 0.0.0.0:8889}}",
        silent: "The target is not part of what is checked, or what it listens on is not known; targets that are found \
                 at run time, or that `relabel_configs` may change; `localhost` where something else may be on it: \
                 the network of the host or of another service, a pod of several containers.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-operator/issues/3897",
            "https://github.com/open-telemetry/opentelemetry-demo/pull/1934",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    nobody::report(cx, |purpose| purpose == Purpose::Scrape);
    stranger::report(cx, |purpose| purpose == Purpose::Scrape);
    for link in cx.facts.links.iter().filter(|it| it.purpose == Purpose::Scrape && !it.inside) {
        let Arrival::Answer(listener) = link.arrival else { continue };
        if listener.bind != Bind::Loopback || !loopback::only_scraped(cx, link.to_id, listener) {
            continue;
        }
        let message = format!(
            "{} scrapes `{}`, and {} listens only inside its own container",
            link.dialer(),
            link.address(),
            served(link.to, listener)
        );
        let finding = cx
            .finding(message, &link.dial.origin, "refused")
            .label(listener.origin.span(), format!("binds loopback, port {}", listener.port))
            .help(bind_all(link.to, listener));
        cx.report(finding);
    }
    for (id, node) in cx.system.nodes() {
        at_home(cx, id, node);
    }
}

/// What a Prometheus looks for in its own container, where nothing but itself listens.
fn at_home(cx: &mut Cx<'_>, id: NodeId, node: &Node) {
    let Some(facet) = node.store().and_then(|it| it.prometheus()) else { return };
    let alone = |it: &&Container| it.network == Network::Own && !it.gaps.files && is_alone(cx, node, it);
    let Some(container) = node.container.as_ref().filter(alone).filter(|it| it.runs()) else { return };
    // Whose network some are in is not known.
    let joins = |it: &Node| it.container.as_ref().is_some_and(|it| matches!(it.network, Network::Other(_)));
    let mut others = cx.system.nodes().filter(|(other, _)| *other != id);
    let shares = others.any(|(other, it)| joins(it) || cx.system.share_localhost(id, other));
    if !cx.system.from_files || node.listeners.is_empty() || shares {
        return;
    }
    let own = if container.pod.is_some() { "pod" } else { "container" };
    let mut told: Vec<&Origin> = Vec::new();
    for (purpose, dial) in &facet.dials_home {
        let elsewhere = container.hosts.iter().any(|it| it.value == dial.host);
        if elsewhere || node.listeners.iter().any(|it| it.port == dial.port) || told.contains(&&dial.origin) {
            continue;
        }
        told.push(&dial.origin);
        let (what, address) = (if *purpose == Purpose::Alert { "sends alerts to" } else { "scrapes" }, &dial.host);
        let message = format!(
            "`{}` {what} `{address}:{}`, which is its own {own}, where nothing listens on that port",
            node.name, dial.port
        );
        let mut finding = cx.finding(message, &dial.origin, format!("`{address}` is the {own} of Prometheus itself"));
        let mut others = cx.system.nodes().map(|(_, it)| it).filter(|it| {
            it.container.is_some() && it.listeners.iter().any(|it| it.port == dial.port && it.bind != Bind::Loopback)
        });
        let itself = node.listeners.first().filter(|_| *purpose == Purpose::Scrape && dial.port == usual(node));
        finding = match (itself, others.next(), others.next()) {
            (Some(itself), ..) => finding.help(format!("scrape itself where it listens: `{address}:{}`", itself.port)),
            (None, Some(one), None) => {
                let finding = finding.label(one.span(), format!("{} listens on {}", one.title(), dial.port));
                match container.pod {
                    Some(_) => finding.help("dial the Service of it by its name: `NAME.NAMESPACE`"),
                    None => finding.help(format!("dial `{}:{}`", one.name, dial.port)),
                }
            }
            _ if container.pod.is_some() => finding.help("dial a Service by its name: `NAME.NAMESPACE`"),
            _ => finding.help("dial the name of a service, or `host.docker.internal` for a program of the host"),
        };
        cx.report(finding);
    }
}

/// The port that a product listens on unless told otherwise; 0 where none is known.
fn usual(node: &Node) -> u16 {
    let version = node.version().zip(node.product());
    version.and_then(|(version, product)| product.endpoints(version).first().map(|it| it.port)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    const COMPOSE: &str = "services:\n  collector:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    command: \
                           [--config=/otel.yaml]\n    volumes: ['./otel.yaml:/otel.yaml']\n  prometheus:\n    image: \
                           prom/prometheus:v3.5.0\n    volumes: ['./prometheus.yml:/etc/prometheus/prometheus.yml']\n";

    fn scraped(endpoint: &str, target: &str, more: &str) -> Bench {
        let otel = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'}}}}}}}}\n\
             exporters: {{prometheus: {{endpoint: '{endpoint}'}}}}\n\
             service: {{pipelines: {{metrics: {{receivers: [otlp], exporters: [prometheus]}}}}}}\n"
        );
        let prometheus =
            format!("scrape_configs: [{{job_name: a, {more}static_configs: [{{targets: ['{target}']}}]}}]\n");
        Bench::project(&[("compose.yaml", COMPOSE), ("otel.yaml", &otel), ("prometheus.yml", &prometheus)])
    }

    /// The same where a file lists the targets.
    fn listed(name: &str, targets: &str) -> Bench {
        let compose = COMPOSE.replace("prometheus.yml']", "prometheus.yml', './targets:/etc/prometheus/targets']");
        let otel = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\n\
                    exporters: {prometheus: {endpoint: '0.0.0.0:8889'}}\n\
                    service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}\n";
        let prometheus =
            "scrape_configs: [{job_name: a, file_sd_configs: [{files: ['targets/*.json', targets/b.yml]}]}]\n";
        Bench::project(&[
            ("compose.yaml", &compose),
            ("otel.yaml", otel),
            ("prometheus.yml", prometheus),
            (&format!("targets/{name}"), targets),
        ])
    }

    #[test]
    fn targets_that_a_file_lists() {
        let bench = listed("a.json", r#"[{"targets": ["collector:9999"], "labels": {"env": "prod"}}]"#);
        assert_eq!(bench.finds("M004", r#""collector:9999""#), Severity::Error);
        listed("b.yml", "- targets:\n  - collector:9999\n").finds("M004", "collector:9999");
        listed("a.json", r#"[{"targets": ["collector:8889"]}]"#).silent("M004");
        // Nobody reads that one.
        listed("c.yml", "- targets:\n  - collector:9999\n").silent("M004");
        // Its labels say where it is.
        listed("b.yml", "- targets: [collector:9999]\n  labels: {__address__: 'collector:8889'}\n").silent("M004");
        listed("b.yml", "nothing: yet\n").silent("M004");
    }

    #[test]
    fn fails_where_nothing_answers() {
        let bench = scraped("0.0.0.0:8889", "collector:9999", "");
        assert_eq!(bench.finds("M004", "'collector:9999'"), Severity::Error);
        bench.silent("N003");
        // Its own metrics are for itself.
        let bench = scraped("0.0.0.0:8889", "collector:8888", "");
        bench.finds("M004", "'collector:8888'");
        bench.silent("N001");
    }

    #[test]
    fn fails_where_only_the_container_itself_is_answered() {
        let bench = scraped("localhost:8889", "collector:8889", "");
        assert_eq!(bench.finds("M004", "'collector:8889'"), Severity::Error);
        bench.silent("N001");
    }

    #[test]
    fn fails_where_something_else_is_spoken() {
        let bench = scraped("0.0.0.0:8889", "collector:4317", "");
        bench.finds("M004", "'collector:4317'");
        bench.silent("N002");
    }

    #[test]
    fn says_where_metrics_are_switched_off() {
        let metrics = |level: &str, port: u16| {
            let otel = format!(
                "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'}}}}}}}}\n\
                 exporters: {{prometheus: {{endpoint: '0.0.0.0:8888'}}}}\nservice:\n  telemetry: {{metrics: {{level: \
                 {level}}}}}\n  pipelines: {{metrics: {{receivers: [otlp], exporters: [prometheus]}}}}\n"
            )
            .replace("8888", &port.to_string());
            let prometheus = "scrape_configs: [{job_name: a, static_configs: [{targets: ['collector:8888']}]}]\n";
            Bench::project(&[("compose.yaml", COMPOSE), ("otel.yaml", &otel), ("prometheus.yml", prometheus)])
        };
        let off = metrics("none", 8889);
        off.finds("M004", "'collector:8888'");
        off.leaves("M004");
        let helps = off.helps("M004");
        assert!(
            helps.len() == 1 && helps[0].contains("leave `level` out") && helps[0].contains("readers"),
            "{helps:?}"
        );
        // The port is free then for something else.
        for code in ["M004", "N008"] {
            metrics("none", 8888).silent(code);
        }
        metrics("basic", 8888).finds("N008", "otel/opentelemetry-collector-contrib:0.140.0");
        assert!(metrics("basic", 8889).helps("M004")[0].contains("service.telemetry.metrics.readers"));
    }

    #[test]
    fn passes_where_it_answers() {
        scraped("0.0.0.0:8889", "collector:8889", "").silent("M004");
    }

    #[test]
    fn silent_for_others_and_for_what_may_be_changed() {
        scraped("0.0.0.0:8889", "elsewhere:9999", "").silent("M004");
        scraped(
            "0.0.0.0:8889",
            "collector:9999",
            "relabel_configs: [{target_label: __address__, replacement: 'x:1'}], ",
        )
        .silent("M004");
    }

    #[test]
    fn services_that_the_operator_makes() {
        let scraped = |target: &str| {
            Bench::manifests(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: p, namespace: obs}}\ndata:\n  prometheus.yml: |\n    \
                 scrape_configs: [{{job_name: gw, static_configs: [{{targets: ['{target}:8888']}}]}}]\n---\napiVersion: \
                 apps/v1\nkind: Deployment\nmetadata: {{name: p, namespace: obs}}\nspec:\n  template:\n    spec:\n      \
                 containers:\n      - name: p\n        image: prom/prometheus:v3.5.0\n        volumeMounts: [{{name: c, mountPath: \
                 /etc/prometheus}}]\n      volumes: [{{name: c, configMap: {{name: p}}}}]\n---\napiVersion: \
                 opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {{name: gw, namespace: obs}}\nspec:\n  image: \
                 otel/opentelemetry-collector-contrib:0.140.1\n  config:\n    receivers: {{otlp: {{protocols: {{grpc: \
                 {{endpoint: '0.0.0.0:4317'}}}}}}}}\n    exporters: {{debug: {{}}}}\n    service: {{pipelines: {{traces: {{receivers: \
                 [otlp], exporters: [debug]}}}}}}\n"
            ))
        };
        let bench = scraped("gw-collector");
        bench.finds("M004", "'gw-collector:8888'");
        assert!(bench.helps("M004")[0].contains("gw-collector-monitoring:8888"), "{:?}", bench.helps("M004"));
        scraped("gw-collector-monitoring").silent("M004");
        scraped("gw-collector-headless").silent("M004");
    }

    const ALERTS: &str = "alertmanager:9093";

    #[test]
    fn fails_where_it_looks_for_others_at_home() {
        let home = |target: &str, service: &str, alerts: &str| {
            let compose = format!("{COMPOSE}{service}  alertmanager:\n    image: prom/alertmanager:v0.28.0\n");
            let otel = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\n\
                        exporters: {prometheus: {endpoint: '0.0.0.0:8889'}}\n\
                        service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}\n";
            let prometheus = format!(
                "scrape_configs: [{{job_name: a, static_configs: [{{targets: ['{target}']}}]}}]\nalerting: \
                 {{alertmanagers: [{{static_configs: [{{targets: ['{alerts}']}}]}}]}}\n"
            );
            Bench::project(&[("compose.yaml", &compose), ("otel.yaml", otel), ("prometheus.yml", &prometheus)])
        };
        assert_eq!(home("localhost:8889", "", ALERTS).finds("M004", "'localhost:8889'"), Severity::Error);
        assert!(home("localhost:8889", "", ALERTS).helps("M004")[0].contains("`collector:8889`"));
        home("localhost:9090", "", "127.0.0.1:9093").finds("M004", "'127.0.0.1:9093'");
        let moved = "    command: ['--config.file=/etc/prometheus/prometheus.yml', '--web.listen-address=:9091']\n";
        let helps = home("localhost:9090", moved, ALERTS).helps("M004");
        assert!(helps.iter().any(|it| it.contains("`localhost:9091`")), "{helps:?}");
        // Itself, and others that have its `localhost`.
        home("localhost:9090", "", ALERTS).silent("M004");
        home("localhost:9091", moved, ALERTS).silent("M004");
        home("localhost:9100", "    network_mode: host\n", "localhost:9093").silent("M004");
        home("localhost:9100", "    network_mode: 'service:collector'\n", ALERTS).silent("M004");
        let beside = "  node:\n    image: prom/node-exporter\n    network_mode: 'service:prometheus'\n";
        home("localhost:9100", beside, ALERTS).silent("M004");
        home("localhost:9100", "    extra_hosts: ['localhost:host-gateway']\n", ALERTS).silent("M004");
    }
}
