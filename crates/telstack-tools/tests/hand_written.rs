//! Folders as people keep them: other spellings than telstack's own, folders mounted whole, parts missing.

use telstack_catalog::{Version, product::Product};
use telstack_diagnostics::{Diagnostics, SourceMap};
use telstack_system::{
    EnvValue, Known, MountSource, Node, NodeKind, Purpose, SecretRef, System, Tls, link,
    units::{Bytes, Period},
};
use telstack_tools::{SourceFile, read};

/// What is read, and the codes and messages of what is wrong.
fn folder(files: &[(&str, &str)]) -> (System, Vec<String>) {
    let mut sources = SourceMap::default();
    let ids: Vec<_> = files.iter().map(|(path, text)| sources.add(*path, *text)).collect();
    let given = files.iter().zip(ids);
    let given: Vec<SourceFile<'_>> = given.map(|((path, text), file)| SourceFile { path, file, text }).collect();
    let mut out = Diagnostics::default();
    let system = read(&given, &mut out).expect("a compose file");
    (system, out.iter().map(|it| format!("{} {}", it.rule.code, it.message)).collect())
}

fn clean(files: &[(&str, &str)]) -> System {
    let (system, wrong) = folder(files);
    assert!(wrong.is_empty(), "{wrong:?}");
    system
}

fn node<'a>(system: &'a System, name: &str) -> &'a Node {
    system.node(system.find(name).expect(name))
}

/// `from to host:port/path tls` of each edge of a purpose.
fn edges(system: &System, purpose: Purpose) -> Vec<String> {
    let mut found = Vec::new();
    for (_, from, edge, to) in system.edges().filter(|(_, _, edge, _)| edge.purpose == purpose) {
        let dial = edge.dial.as_ref().expect("read edges dial");
        let tls = if dial.tls == Known::Value(Tls::Off) { "plain" } else { "tls" };
        let (from, to) = (&system.node(from).name, &system.node(to).name);
        found.push(format!("{from} {to} {}:{}{} {tls}", dial.host, dial.port, dial.path));
    }
    found
}

const COMPOSE: &str = r#"
name: shop
x-logging: &logging
  driver: json-file
services:
  app:
    build: .
    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318"}
    depends_on: [collector]
  db:
    image: postgres:16
  collector:
    image: ${OTEL_IMAGE:-otel/opentelemetry-collector-contrib}:${OTEL_TAG}
    container_name: otel
    command: --config /etc/otel/config.yml --feature-gates=x
    environment:
      - TOKEN=${TOKEN:?needed}
      - SITE=eu
      - HANDED_ON
    env_file: collector.env
    volumes:
      - ./otel:/etc/otel
      - type: bind
        source: /var/log
        target: /logs
        read_only: true
    ports: ["4317-4318:4317-4318", "127.0.0.1:8888:8888/tcp", 55679, {target: 8125, published: "8125", protocol: udp}]
    mem_limit: 512m
    cpus: 0.5
    logging: *logging
  prom:
    image: quay.io/prometheus/prometheus:v2.53.0
    networks: {back: {aliases: [prometheus]}}
    command:
      - --config.file=/etc/prometheus/prometheus.yml
      - --web.listen-address=:9191
      - --storage.tsdb.retention.time=15d
      - --storage.tsdb.retention.size=10GB
      - --enable-feature=otlp-write-receiver
      - --enable-feature=exemplar-storage
    volumes: ["./prometheus:/etc/prometheus:ro", "prom:/prometheus"]
    deploy: {resources: {limits: {memory: 1.5g}}}
    healthcheck: {test: wget -q http://localhost:9191, start_period: 1m30s}
  loki:
    image: grafana/loki:latest
    configs: [{source: loki, target: /etc/loki/local-config.yaml}]
    depends_on: {db: {condition: service_healthy}}
  grafana:
    image: grafana/grafana-oss:11.2.0
    volumes: ["./provisioning:/etc/grafana/provisioning", "./boards:/boards"]
    environment: {GF_SECURITY_ADMIN_PASSWORD: admin, GF_SERVER_HTTP_PORT: 3001}
volumes: {prom: }
configs: {loki: {file: ./loki.yaml}}
"#;

const COLLECTOR: &str = "
receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}, http: }}}
exporters:
  otlphttp/prom: {endpoint: 'http://prometheus:9191/api/v1/otlp'}
  loki: {endpoint: 'http://loki:3100/loki/api/v1/push'}
  otlp: {endpoint: '${env:GATEWAY}:4317'}
  prometheus: {endpoint: 'otel:8889'}
  otlphttp: {endpoint: 'https://otlp.example.com', headers: {x-scope-orgid: acme}}
service:
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlphttp/prom, otlphttp, prometheus]}
    logs: {receivers: [otlp], exporters: [loki, otlp]}
";

const PROMETHEUS: &str = "
global: {scrape_interval: 30s}
rule_files: [rules/*.yml]
alerting:
  alertmanagers: [{scheme: https, path_prefix: /am, static_configs: [{targets: ['alerts.example.com:9093']}]}]
scrape_configs:
  - {job_name: self, static_configs: [{targets: ['localhost:9191']}]}
  - {job_name: many, static_configs: [{targets: ['otel:8888', 'db:9187']}, {targets: ['loki:3100']}]}
  - {job_name: found, docker_sd_configs: [{host: 'unix:///var/run/docker.sock'}]}
";

const RULES: &str = "
groups:
  - {name: g, rules: [{record: x, expr: up}, {alert: Down, expr: up == 0, for: 5m, labels: {severity: page}}]}
";

const LOKI: &str = "
auth_enabled: false
server: {http_listen_port: 3100}
limits_config: {retention_period: 744h}
ruler: {alertmanager_url: 'http://alerts.example.com:9093'}
";

const SOURCES: &str = "
apiVersion: 1
datasources:
  - {name: Prometheus, type: prometheus, url: 'http://prom:9191', isDefault: true}
  - name: Loki
    uid: l
    type: loki
    url: $LOKI_URL
    jsonData: {derivedFields: [{url: '$${__value.raw}', datasourceUid: t}]}
";

const BOARD: &str = r#"{"uid": "u", "title": "T", "panels": [{"type": "row", "panels": [
    {"title": "P", "datasource": {"uid": "l"}, "targets": [{"expr": "up", "datasource": {"uid": "p"}}]}]}]}"#;

const FILES: [(&str, &str); 10] = [
    ("docker-compose.yml", COMPOSE),
    (".env", "OTEL_TAG=0.120.0\n# comment\nUNUSED='x'\n"),
    ("collector.env", "LEVEL=debug\n"),
    ("otel/config.yml", COLLECTOR),
    ("prometheus/prometheus.yml", PROMETHEUS),
    ("prometheus/rules/a.yml", RULES),
    ("loki.yaml", LOKI),
    ("provisioning/datasources/all.yml", SOURCES),
    ("provisioning/dashboards/p.yml", "providers: [{name: a, type: file, options: {path: /boards}}]\n"),
    ("boards/sub/a.json", BOARD),
];

#[test]
fn images_variables_and_spellings() {
    let system = clean(&FILES);
    assert_eq!(system.name, "shop");
    let collector = node(&system, "collector");
    assert_eq!(collector.version(), Some(Version::new(0, 120, 0)));
    let container = collector.container.as_ref().expect("a container");
    assert_eq!(container.resources.memory.as_ref().map(|it| it.value), Some(Bytes::from_mib(512)));
    let env = |name: &str| container.env.iter().find(|it| it.name == name).map(|it| it.value.clone());
    assert_eq!(env("TOKEN"), Some(EnvValue::Required(SecretRef::Env("TOKEN".to_owned()))));
    assert_eq!(env("HANDED_ON"), Some(EnvValue::Required(SecretRef::Env("HANDED_ON".to_owned()))));
    assert_eq!(env("LEVEL"), Some(EnvValue::Literal("debug".to_owned())));
    let ports: Vec<(u16, u16)> = container.published.iter().map(|it| (it.host_port, it.container_port)).collect();
    assert_eq!(ports, [(4317, 4317), (4318, 4318), (8888, 8888), (8125, 8125)]);
    assert!(container.mounts.iter().any(|it| it.source == MountSource::Bind("/var/log".to_owned()) && it.read_only));
    // Things that nobody knows are there, and nothing is known of them.
    let (db, app) = (node(&system, "db"), node(&system, "app"));
    assert!(matches!(db.kind, NodeKind::External(_)) && db.container.is_some());
    assert!(app.container.as_ref().is_some_and(|it| it.gaps.files && it.gaps.env) && app.listeners.is_empty());
    // `latest` is no release.
    let loki = node(&system, "loki");
    assert_eq!((loki.product(), loki.version()), (Some(Product::Loki), None));
    assert_eq!(node(&system, "grafana").product(), Some(Product::Grafana));
}

#[test]
fn what_is_dialled_is_followed() {
    let system = clean(&FILES);
    // An address that run time decides leads nowhere, and one that is listened on is not dialled.
    assert_eq!(
        edges(&system, Purpose::Telemetry),
        [
            "collector prom prometheus:9191/api/v1/otlp plain",
            "collector loki loki:3100/loki/api/v1/push plain",
            "collector otlp.example.com otlp.example.com:443 tls",
            "app collector otel:4318 plain",
        ]
    );
    let scrapes = [
        "prom collector otel:8888/metrics plain",
        "prom db db:9187/metrics plain",
        "prom loki loki:3100/metrics plain",
    ];
    assert_eq!(edges(&system, Purpose::Scrape), scrapes);
    assert_eq!(edges(&system, Purpose::Query), ["grafana prom prom:9191 plain"]);
    let alerts = [
        "prom alerts.example.com alerts.example.com:9093/am tls",
        "loki alerts.example.com alerts.example.com:9093 plain",
    ];
    assert_eq!(edges(&system, Purpose::Alert), alerts);
    let tenant = system.edges().find_map(|(_, _, edge, _)| edge.dial.as_ref()?.tenant.clone());
    assert_eq!(tenant.as_deref(), Some("acme"));
}

#[test]
fn what_stores_say() {
    let system = clean(&FILES);
    let prom = node(&system, "prom");
    let store = prom.store().expect("a store");
    let facet = store.prometheus().expect("Prometheus");
    assert_eq!(store.size.as_ref().map(|it| it.value), Some(Bytes::from_mib(10 << 10)));
    assert_eq!(facet.jobs.iter().map(|job| job.targets.len()).collect::<Vec<_>>(), [1, 3, 0]);
    assert_eq!((facet.alerts.len(), facet.alerts[0].severity.as_str()), (1, "page"));
    assert!(prom.listeners.iter().all(|it| it.port == 9191));
    let open = |name: &str| prom.listeners.iter().any(|it| it.name == name);
    assert!(open("otlp-http"), "one of two lists of features has the word");
    assert!(!open("remote-write"), "nothing switches it on");
    let health = prom.container.as_ref().and_then(|it| it.health.as_ref()).expect("a check");
    assert!(health.shell && health.start_period == Period::from_secs(90));
    let loki = node(&system, "loki").store().expect("a store");
    assert_eq!(loki.retention.as_ref().map(|it| it.value), Period::parse("31d"));
    assert!(!loki.tells_tenants_apart());
}

#[test]
fn what_grafana_is_given() {
    let system = clean(&FILES);
    let grafana = node(&system, "grafana");
    let viewer = grafana.viewer().expect("Grafana");
    let password = viewer.admin_password.as_ref().map(|it| it.value.clone());
    assert_eq!(password, Some(SecretRef::Literal("admin".to_owned())));
    let loki = &viewer.data_sources[1];
    assert_eq!(loki.links.iter().map(|it| it.value.as_str()).collect::<Vec<_>>(), ["t"]);
    let field = loki.json_data.at("derivedFields").and_then(|it| it.as_seq()?.first());
    assert_eq!(field.and_then(|it| it.at("url")?.as_str()), Some("${__value.raw}"));
    let board = &viewer.dashboards[0];
    assert_eq!((board.panels.len(), board.data_sources.len()), (1, 2));
    assert!(grafana.listeners.iter().all(|it| it.port == 3001));
}

#[test]
fn places_are_those_of_the_files() {
    let system = clean(&FILES);
    for (_, node) in system.nodes() {
        assert!(node.origin.is_written(), "{}", node.name);
        assert!(node.listeners.iter().all(|it| it.origin.span().is_some()), "{}", node.name);
    }
    for (_, _, edge, _) in system.edges() {
        assert!(edge.dial.as_ref().is_some_and(|dial| dial.origin.is_written()));
    }
    assert!(system.from_files && link::telemetry(&system).is_empty(), "every exporter has its edge");
}

#[test]
fn what_was_not_given_is_not_known() {
    let there = |(path, _): &(&str, &str)| !path.contains("otel/") && *path != "loki.yaml";
    let some: Vec<(&str, &str)> = FILES.iter().copied().filter(there).collect();
    let system = clean(&some);
    assert!(!system.complete);
    let collector = node(&system, "collector");
    assert!(collector.collector().is_some_and(telstack_system::Collector::has_open_pipelines));
    assert!(collector.listeners.is_empty() && node(&system, "loki").listeners.is_empty());
    // The others are known as before.
    assert!(!node(&system, "prom").listeners.is_empty());
}

#[test]
fn a_broken_file_costs_itself_only() {
    let mut files = FILES.to_vec();
    files[4].1 = "global: [\n";
    let (system, wrong) = folder(&files);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(!system.complete && !edges(&system, Purpose::Telemetry).is_empty());
    for text in ["", "- a\n", "services: 5\n", "services: {a: 1}\n", "services: {a: {image: [x]}}\n", "a: b: c\n"] {
        let (system, _) = folder(&[("compose.yaml", text)]);
        assert!(system.nodes().all(|(_, node)| node.container.is_none()), "{text}");
    }
}

#[test]
fn a_service_that_only_gives_volumes_away_is_part_of_the_other() {
    let text = |command: &str| {
        format!(
            "services:\n  init: {{image: busybox, command: {command}, volumes: ['data:/mnt/data']}}\n  \
             jaeger: {{image: 'jaegertracing/jaeger:2.20.0', volumes: ['data:/badger'], \
             depends_on: {{init: {{condition: service_completed_successfully}}}}}}\n"
        )
    };
    let system = clean(&[("compose.yml", &text("chown -R 10001 /mnt/data/x"))]);
    assert_eq!(system.nodes().count(), 1);
    let container = node(&system, "jaeger").container.as_ref().expect("a container");
    assert_eq!(container.owned_paths.iter().map(|it| it.value.as_str()).collect::<Vec<_>>(), ["/badger/x"]);
    assert!(container.depends_on.is_empty());
    // It does something else, or for something that is no volume.
    for command in ["mkdir /mnt/data", "chown -R 10001 /elsewhere"] {
        assert_eq!(clean(&[("compose.yml", &text(command))]).nodes().count(), 2, "{command}");
    }
}

#[test]
fn jaeger_runs_what_its_service_names() {
    const CONFIG: &str = "
receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}, zipkin: {}}
extensions: {jaeger_query: {}, jaeger_storage: {backends: {m: {memory: {max_traces: 5}}}}}
service: {extensions: [jaeger_query], pipelines: {traces: {receivers: [otlp], exporters: [x]}}}
";
    const COMPOSE: &str = "
services:
  j: {image: 'jaegertracing/jaeger:2.20.0', command: ['--config', '/c.yaml'], volumes: ['./c.yaml:/c.yaml']}
";
    let system = clean(&[("compose.yml", COMPOSE), ("c.yaml", CONFIG)]);
    let names: Vec<&str> = node(&system, "j").listeners.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["otlp-grpc", "query", "ui", "query-grpc", "metrics"]);
}
