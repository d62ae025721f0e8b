//! Collectors whose images name no release: what some releases refuse is a remark, what all refuse is wrong.

mod common;

use common::checked;
use telstack_diagnostics::Severity;

/// Code and severity of all that depends on the release.
fn of_release<const N: usize>(files: [(&str, &str); N]) -> Vec<(&'static str, Severity)> {
    let all = checked(files).diagnostics;
    let of = |code: &str| code.starts_with(['V', 'Y']) && code != "V007";
    all.iter().filter(|it| of(it.rule.code)).map(|it| (it.rule.code, it.severity)).collect()
}

fn config(exporter: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  {exporter}:\nservice:\n  pipelines:\n    traces:\n      \
         receivers: [otlp]\n      exporters: [{exporter}]\n"
    )
}

fn compose(tag: &str, exporter: &str) -> Vec<(&'static str, Severity)> {
    let compose = format!(
        "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib{tag}\n    command: [--config=/otel.yaml]\n    \
         volumes: ['./otel.yaml:/otel.yaml']\n"
    );
    of_release([("d/compose.yaml", &compose), ("d/otel.yaml", &config(exporter))])
}

#[test]
fn what_some_releases_refuse_is_a_remark() {
    for tag in ["", ":latest", ":nightly"] {
        assert_eq!(compose(tag, "logging"), [("V001", Severity::Info)], "{tag}");
        assert_eq!(compose(tag, "loging"), [("Y006", Severity::Error)], "{tag}");
        assert!(compose(tag, "debug").is_empty(), "{tag}");
    }
    assert_eq!(compose(":0.120.0", "logging"), [("V001", Severity::Error)]);
}

#[test]
fn what_somebody_chose_is_not_guessed() {
    let pinned = ":latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    for tag in [":${TAG}", pinned, "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"] {
        assert!(compose(tag, "logging").is_empty(), "{tag}");
        assert!(compose(tag, "loging").is_empty(), "{tag}");
    }
}

#[test]
fn in_a_cluster_too() {
    let manifests = |image: &str| {
        let config = config("logging").replace('\n', "\n    ");
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  c.yaml: |\n    {config}\n---\napiVersion: \
             apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  template:\n    spec:\n      containers:\n      - \
             name: otel\n        image: {image}\n        args: [--config=/conf/c.yaml]\n        volumeMounts: [{{name: v, \
             mountPath: /conf}}]\n      volumes: [{{name: v, configMap: {{name: c}}}}]\n"
        );
        of_release([("d/all.yaml", &text)])
    };
    assert_eq!(manifests("otel/opentelemetry-collector-contrib:latest"), [("V001", Severity::Info)]);
    assert!(manifests("acme/collector:latest").is_empty());
}
