//! Rules that need the deployment, on files as people write them: what the readers find, the rules see.

mod support;

use std::fs;

use support::telstack_in;

const FILES: [(&str, &str); 5] = [
    (
        "docker-compose.yml",
        r#"services:
  gateway:
    image: otel/opentelemetry-collector-contrib:0.158.0
    command: ["--config=/etc/otelcol-contrib/config.yaml"]
    volumes: ["./otel.yaml:/etc/otelcol-contrib/config.yaml:ro", "queue:/queue"]
    deploy: {replicas: 3}
  loki:
    image: grafana/loki:3.7.6
    command: ["-config.file=/etc/loki/loki.yaml"]
    volumes: ["./loki.yaml:/etc/loki/loki.yaml:ro"]
  tempo:
    image: grafana/tempo:2.10.8
    command: ["-config.file=/etc/tempo.yaml"]
    volumes: ["./tempo.yaml:/etc/tempo.yaml:ro"]
    deploy: {replicas: 2}
  prometheus:
    image: prom/prometheus:v3.14.0
    command: ["--config.file=/etc/prometheus/prometheus.yml"]
    volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]
volumes: {queue: {}}
"#,
    ),
    (
        "otel.yaml",
        r#"receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
extensions: {file_storage: {directory: /queue}}
exporters:
  otlp_http/loki: {endpoint: "http://loki:3100/otlp", sending_queue: {storage: file_storage}}
  otlp_http/prom: {endpoint: "http://prometheus:9090/api/v1/otlp", sending_queue: {storage: file_storage}, retry_on_failure: {max_elapsed_time: 0s}}
  prometheus: {endpoint: "0.0.0.0:8889"}
service:
  extensions: [file_storage]
  pipelines:
    logs: {receivers: [otlp], exporters: [otlp_http/loki]}
    metrics: {receivers: [otlp], exporters: [otlp_http/prom, prometheus]}
"#,
    ),
    (
        "loki.yaml",
        r"auth_enabled: true
common: {path_prefix: /loki, replication_factor: 3, ring: {kvstore: {store: inmemory}}}
schema_config: {configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: i_, period: 24h}}]}
",
    ),
    (
        "tempo.yaml",
        r#"storage: {trace: {backend: local, local: {path: /var/tempo}}}
metrics_generator: {storage: {path: /var/tempo/g, remote_write: [{url: "http://prometheus:9090/api/v1/write"}]}}
"#,
    ),
    (
        "prometheus.yml",
        r#"scrape_configs: [{job_name: gw, static_configs: [{targets: ["gateway:8889"]}]}]
"#,
    ),
];

/// The codes of what is found, each once, in order.
fn codes(files: &[(&str, String)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let run = telstack_in(folder.path(), &["check", "--format", "json", "."]);
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let found = report["diagnostics"].as_array().expect("a list");
    let mut codes: Vec<String> = found.iter().filter_map(|it| Some(it["code"].as_str()?.to_owned())).collect();
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn what_files_say_of_a_deployment_is_judged() {
    let files = FILES.map(|(name, text)| (name, text.to_owned()));
    let found = codes(&files);
    for code in ["D005", "D010", "L004", "L005", "L006", "M002", "M010", "T001", "T002"] {
        assert!(found.iter().any(|it| it == code), "{code} is not among {found:?}");
    }
}

#[test]
fn what_is_put_right_is_not_found() {
    let right = [
        ("deploy: {replicas: 3}", ""),
        ("deploy: {replicas: 2}", ""),
        ("auth_enabled: true", "auth_enabled: false"),
        ("replication_factor: 3", "replication_factor: 1"),
        ("{storage: file_storage}}\n", "{storage: file_storage}, retry_on_failure: {max_elapsed_time: 0s}}\n"),
        ("prometheus.yml\"]", "prometheus.yml\", \"--web.enable-otlp-receiver\"]"),
        ("scrape_configs:", "storage: {tsdb: {out_of_order_time_window: 30m}}\nscrape_configs:"),
        (
            "metrics_generator:",
            "overrides: {defaults: {metrics_generator: {processors: [service-graphs]}}}\nmetrics_generator:",
        ),
    ];
    let put_right = |text: &str| right.iter().fold(text.to_owned(), |text, (wrong, right)| text.replace(wrong, right));
    let found = codes(&FILES.map(|(name, text)| (name, put_right(text))));
    for code in ["D005", "D010", "L004", "L005", "L006", "M002", "M010", "T001", "T002"] {
        assert!(found.iter().all(|it| it != code), "{code} is among {found:?}");
    }
}
