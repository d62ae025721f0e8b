//! What stands around a gateway in a cluster: who leads to it, who watches it, what makes it start anew.

mod common;

use common::{changed, of_rules};

const ALL: &str = "d/all.yaml";

/// A gateway behind a Service, with what `around` adds; what is said of it by one rule.
fn said(code: &str, change: &[(&str, &str)], around: &str) -> Vec<String> {
    let text = changed(&format!("{GATEWAY}{around}"), change);
    of_rules([(ALL, &text)], &[code])
}

const GATEWAY: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: gateway, namespace: obs}
data:
  config.yaml: |
    receivers:
      otlp:
        protocols:
          http: {endpoint: "0.0.0.0:4318"}
    exporters:
      debug: {}
    service:
      pipelines:
        traces: {receivers: [otlp], exporters: [debug]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: obs}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      containers:
      - name: otel
        image: otel/opentelemetry-collector-contrib:0.158.0
        args: [--config=/conf/config.yaml]
        ports: [{name: http, containerPort: 4318}]
        volumeMounts: [{name: conf, mountPath: /conf}]
      volumes: [{name: conf, configMap: {name: gateway}}]
---
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: obs, labels: {app: gateway, part: traces}}
spec:
  selector: {app: gateway}
  ports: [{name: otlp, port: 4318, targetPort: http}]
"#;

const INGRESS: &str = r"---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: otlp, namespace: obs}
spec:
  ingressClassName: nginx
  rules:
  - host: otlp.vendor.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: gateway, port: {number: 4318}}}}
";

#[test]
fn an_ingress_that_lets_everybody_in() {
    let x003 = |change: &[(&str, &str)]| said("X003", change, INGRESS);
    assert_eq!(x003(&[]), ["X003 warning otlp.vendor.com"]);
    assert_eq!(x003(&[("port: {number: 4318}", "port: {name: otlp}")]), ["X003 warning otlp.vendor.com"]);
    let rewrites = "{name: otlp, namespace: obs, annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}}";
    assert_eq!(x003(&[("{name: otlp, namespace: obs}", rewrites)]), ["X003 warning otlp.vendor.com"]);
}

#[test]
fn an_ingress_that_may_be_guarded() {
    let x003 = |from: &str, to: &str| said("X003", &[(from, to)], INGRESS);
    let class = "ingressClassName: nginx";
    assert_eq!(x003(class, "tls: [{hosts: [otlp.vendor.com], secretName: a}]"), [""; 0]);
    assert_eq!(x003(class, "ingressClassName: nginx-internal"), [""; 0]);
    let asks = "{name: otlp, namespace: obs, annotations: {nginx.ingress.kubernetes.io/auth-url: 'https://a'}}";
    assert_eq!(x003("{name: otlp, namespace: obs}", asks), [""; 0]);
    assert_eq!(x003("\"0.0.0.0:4318\"", "\"0.0.0.0:4318\", auth: {authenticator: basicauth}"), [""; 0]);
    assert_eq!(x003("otlp.vendor.com", "otlp.hub.internal"), [""; 0]);
    assert_eq!(x003("service: {name: gateway", "service: {name: shop"), [""; 0]);
}

/// A monitor with that selector and port; `name` is what the name of a Service or a workload is without `obs`.
fn monitor(kind: &str, selects: &str, port: &str, within: &str) -> String {
    let endpoints = if kind == "PodMonitor" { "podMetricsEndpoints" } else { "endpoints" };
    format!(
        "---\napiVersion: monitoring.coreos.com/v1\nkind: {kind}\nmetadata: {{name: watch, namespace: obs}}\nspec:\n  \
         {within}\n  selector: {{matchLabels: {{{selects}}}}}\n  {endpoints}: [{{port: {port}}}]\n"
    )
}

#[test]
fn monitors_that_scrape_nothing() {
    let k006 = |change: &[(&str, &str)], kind: &str, selects: &str, port: &str| {
        said("K006", change, &monitor(kind, selects, port, ""))
    };
    assert_eq!(k006(&[], "ServiceMonitor", "app: gateway", "metrics"), ["K006 error metrics"]);
    assert_eq!(k006(&[], "ServiceMonitor", "app: gatway", "otlp"), ["K006 error {matchLabels: {app: gatway}}"]);
    assert_eq!(k006(&[], "PodMonitor", "app: gateway", "otlp"), ["K006 error otlp"]);
    assert_eq!(k006(&[], "PodMonitor", "app: gatway", "http"), ["K006 error {matchLabels: {app: gatway}}"]);
    // The classic: what the Service selects is not what it is.
    let bare = [(", labels: {app: gateway, part: traces}", "")];
    assert_eq!(k006(&bare, "ServiceMonitor", "app: gateway", "otlp"), ["K006 error {matchLabels: {app: gateway}}"]);
}

#[test]
fn monitors_that_scrape_or_mean_what_is_elsewhere() {
    let k006 =
        |kind: &str, selects: &str, port: &str, within: &str| said("K006", &[], &monitor(kind, selects, port, within));
    assert_eq!(k006("ServiceMonitor", "app: gateway", "otlp", ""), [""; 0]);
    assert_eq!(k006("PodMonitor", "app: gateway", "http", ""), [""; 0]);
    for within in ["namespaceSelector: {any: true}", "namespaceSelector: {matchNames: [obs]}"] {
        assert_eq!(k006("ServiceMonitor", "app: gateway", "otlp", within), [""; 0]);
        assert_eq!(k006("ServiceMonitor", "app: gateway", "metrics", within), ["K006 error metrics"]);
    }
    assert_eq!(k006("ServiceMonitor", "app: postgres", "metrics", ""), [""; 0]);
    assert_eq!(k006("ServiceMonitor", "app: gatway", "otlp", "namespaceSelector: {matchNames: [shop]}"), [""; 0]);
    let text = monitor("ServiceMonitor", "app: gateway", "metrics", "").replace(", namespace: obs", "");
    assert_eq!(said("K006", &[], &text), [""; 0]);
    let made = "---\napiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: x, namespace: obs}\nspec: {}\n";
    let text = format!("{}{made}", monitor("ServiceMonitor", "app: gateway", "metrics", ""));
    assert_eq!(said("K006", &[], &text), [""; 0]);
}

#[test]
fn a_configuration_that_changes_unnoticed() {
    let k009 = |change: &[(&str, &str)]| said("K009", change, "");
    assert_eq!(k009(&[]), ["K009 info {name: conf, mountPath: /conf}"]);
    // Two containers of one pod are one workload.
    let twice = "      - name: second\n        image: otel/opentelemetry-collector-contrib:0.158.0\n        args: \
                 [--config=/conf/config.yaml]\n        volumeMounts: [{name: conf, mountPath: /conf}]\n      volumes:";
    assert_eq!(k009(&[("      volumes:", twice)]).len(), 1);
}

#[test]
fn a_configuration_whose_changes_are_noticed() {
    let k009 = |from: &str, to: &str| said("K009", &[(from, to)], "");
    let template = "metadata: {labels: {app: gateway}}";
    let with = "metadata: {labels: {app: gateway}, annotations: {checksum/config: 1f2e}}";
    assert_eq!(k009(template, with), [""; 0]);
    let workload = "kind: Deployment\nmetadata: {name: gateway, namespace: obs";
    let reloaded = format!("{workload}, annotations: {{reloader.stakater.com/auto: 'true'}}");
    assert_eq!(k009(workload, &reloaded), [""; 0]);
    let sidecar = "      - name: watch\n        image: ghcr.io/jimmidyson/configmap-reload:v0.13.0\n      volumes:";
    assert_eq!(k009("      volumes:", sidecar), [""; 0]);
    assert_eq!(k009("kind: ConfigMap\n", "kind: ConfigMap\nimmutable: true\n"), [""; 0]);
    assert_eq!(said("K009", &[("configMap: {name: gateway}", "configMap: {name: other}")], ""), [""; 0]);
    let hashed = [
        ("kind: ConfigMap\nmetadata: {name: gateway", "kind: ConfigMap\nmetadata: {name: gateway-5b9c7d8f6m"),
        ("configMap: {name: gateway}", "configMap: {name: gateway-5b9c7d8f6m}"),
    ];
    assert_eq!(said("K009", &hashed, ""), [""; 0]);
    assert_eq!(k009("otel/opentelemetry-collector-contrib:0.158.0", "acme/gateway:1"), [""; 0]);
    let job = [("apiVersion: apps/v1\nkind: Deployment", "apiVersion: batch/v1\nkind: Job")];
    assert_eq!(said("K009", &job, ""), [""; 0]);
}
