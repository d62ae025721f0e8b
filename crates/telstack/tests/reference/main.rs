//! Three published guides, whose files somebody wrote by hand: what is wrong with them is found, and nothing else is
//! called an error. The guides are not ours to hand on:
//!
//! ```sh
//! TELSTACK_GUIDES=FOLDER cargo test -p telstack --test reference -- --ignored
//! ```

mod extract;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeSet, path::Path};

use extract::{Guide, write};
use serde_json::Value;
use support::{stdout, telstack_in};

/// A finding that must be there.
struct Wanted {
    code: &'static str,
    /// What the text at its place starts with.
    at: &'static str,
    /// What the line of some other label holds; empty where there is but one end.
    other_end: &'static str,
}

const fn wanted(code: &'static str, at: &'static str, other_end: &'static str) -> Wanted {
    Wanted { code, at, other_end }
}

/// What is found in a folder.
struct Report {
    folder: std::path::PathBuf,
    findings: Vec<Value>,
}

fn check(folder: &Path, args: &[&str]) -> Report {
    let all: Vec<&str> = ["check", ".", "--format", "json"].into_iter().chain(args.iter().copied()).collect();
    let output = telstack_in(folder, &all);
    let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
    let findings = report["diagnostics"].as_array().expect("findings").clone();
    Report { folder: folder.to_owned(), findings }
}

impl Report {
    /// The rest of the line that a label is at.
    fn text(&self, label: &Value) -> String {
        let path = self.folder.join(label["file"].as_str().unwrap_or_default());
        let number = |key: &str| usize::try_from(label[key].as_u64().unwrap_or(1)).expect("small");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().nth(number("line") - 1).unwrap_or_default();
        line.chars().skip(number("column") - 1).collect()
    }

    fn holds(&self, wanted: &Wanted) -> bool {
        self.findings.iter().any(|it| {
            let labels = it["labels"].as_array().cloned().unwrap_or_default();
            let is = |label: &Value, primary: bool| label["primary"] == primary;
            it["code"] == wanted.code
                && labels.iter().any(|label| is(label, true) && self.text(label).starts_with(wanted.at))
                && (wanted.other_end.is_empty()
                    || labels.iter().any(|label| is(label, false) && self.text(label).contains(wanted.other_end)))
        })
    }

    /// Everything that is wanted is there, and these are all codes of errors.
    #[track_caller]
    fn must(&self, wanted: &[Wanted], errors: &[&str]) {
        let shown = |it: &Value| {
            let end = |label: &Value| format!("\n      {}: {}", label["file"], self.text(label));
            let ends: String = it["labels"].as_array().into_iter().flatten().map(end).collect();
            format!("  {} {} {}{ends}", it["severity"], it["code"], it["message"])
        };
        let all = || self.findings.iter().map(shown).collect::<Vec<_>>().join("\n");
        for it in wanted {
            assert!(self.holds(it), "{} at `{}` with `{}` is missing from\n{}", it.code, it.at, it.other_end, all());
        }
        let found: BTreeSet<&str> =
            self.findings.iter().filter(|it| it["severity"] == "error").filter_map(|it| it["code"].as_str()).collect();
        assert_eq!(found, errors.iter().copied().collect(), "codes of errors in\n{}", all());
    }
}

fn guide(title: &str) -> Guide {
    let folder = std::env::var_os("TELSTACK_GUIDES").expect("TELSTACK_GUIDES names the folder of the guides");
    Guide::titled(Path::new(&folder), title)
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Compose, HAProxy, Kafka and everything behind them, on one host.
#[test]
#[ignore = "needs the guides"]
fn a_scalable_stack() {
    let guide = guide("Scalable OpenTelemetry Stack");
    let folder = scratch();
    guide.create_files(folder.path());
    let report = check(folder.path(), &[]);
    report.must(
        &[
            wanted("D007", "sending_queue", "prometheusremotewrite:"),
            wanted("C001", "test: [\"CMD\", \"wget\"", "otel/opentelemetry-collector-contrib:0.91.0"),
            wanted("H002", "check inter 5s", "0.0.0.0:4318"),
            wanted("Q001", "kafka/traces", "tail_sampling"),
            wanted("G001", "jaeger", ""),
            wanted("X002", "", ""),
        ],
        &["D007", "G001", "H002", "Y001"],
    );
    // An upgrade takes away what was deprecated then.
    let report = check(folder.path(), &["--otelcol-version", "newest"]);
    for (code, at) in [("V001", "loki"), ("V004", "address")] {
        assert!(report.holds(&wanted(code, at, "")), "{code} at {at}");
    }
}

/// A DaemonSet that the guide writes in Scala, with the collector's configuration as text.
#[test]
#[ignore = "needs the guides"]
fn a_daemon_set() {
    let guide = guide("Implementation Plan: OpenTelemetry Collector DaemonSet");
    let code = guide.block_with("generateOtelConfig(exporterConfig");
    let part = |from: &str, to: &str| {
        let (_, rest) = code.split_once(from).unwrap_or_else(|| panic!("no `{from}`"));
        rest.split_once(to).unwrap_or_else(|| panic!("no `{to}`")).0.to_owned()
    };
    // What the string of the program becomes for the local stack.
    let exporter = part("exporters += s\"\"\"  # Console", "\"\"\"");
    let exporter = format!("  # Console{}", exporter.replace("${config.loggingVerbosity}", "detailed"));
    let config = part("  s\"\"\"", "\"\"\"\n").replace("$exportersList", "logging").replace("$exporters", &exporter);
    let config = config.replace("$$", "$");
    let folder = scratch();
    let indented = config.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
    write(&folder.path().join("collector.yaml"), &format!("{DAEMON_SET}{indented}\n"));
    check(folder.path(), &[]).must(
        &[
            wanted("K001", "13133", "traces:"),
            wanted("K002", "k8s_cluster", "otel-collector"),
            wanted("D001", "512", "512Mi"),
            wanted("V002", "logging", "opentelemetry-collector-k8s:0.95.0"),
            wanted("V008", "otel/opentelemetry-collector-k8s:0.95.0", ""),
        ],
        &["D001", "K001", "K003", "V002", "V008"],
    );
}

/// What the program makes of its arguments.
const DAEMON_SET: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata: {name: otel-collector, namespace: zio-lucene}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: otel-collector}
rules:
  - apiGroups: [""]
    resources: [nodes, nodes/stats, nodes/metrics, services, endpoints, pods, namespaces, events]
    verbs: [get, list, watch]
  - apiGroups: [apps]
    resources: [replicasets, deployments, daemonsets, statefulsets]
    verbs: [get, list, watch]
  - {apiGroups: [batch], resources: [jobs, cronjobs], verbs: [get, list, watch]}
  - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: otel-collector}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: otel-collector}
subjects: [{kind: ServiceAccount, name: otel-collector, namespace: zio-lucene}]
---
apiVersion: v1
kind: Service
metadata: {name: otel-collector, namespace: zio-lucene}
spec:
  selector: {app: otel-collector}
  ports:
    - {name: otlp-grpc, port: 4317, targetPort: 4317}
    - {name: otlp-http, port: 4318, targetPort: 4318}
    - {name: metrics, port: 8888, targetPort: 8888}
    - {name: health, port: 13133, targetPort: 13133}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: otel-collector, namespace: zio-lucene}
spec:
  selector: {matchLabels: {app: otel-collector}}
  template:
    metadata: {labels: {app: otel-collector}}
    spec:
      serviceAccountName: otel-collector
      hostNetwork: true
      dnsPolicy: ClusterFirstWithHostNet
      containers:
        - name: otel-collector
          image: otel/opentelemetry-collector-k8s:0.95.0
          command: [/otelcol-k8s]
          args: [--config=/conf/otel-collector-config.yaml]
          ports: [{containerPort: 4317}, {containerPort: 4318}, {containerPort: 8888}, {containerPort: 13133}]
          env:
            - name: K8S_NODE_NAME
              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
            - name: K8S_POD_IP
              valueFrom: {fieldRef: {fieldPath: status.podIP}}
          resources:
            limits: {memory: 512Mi, cpu: 500m}
            requests: {memory: 256Mi, cpu: 200m}
          volumeMounts: [{name: otel-collector-config, mountPath: /conf}]
          livenessProbe:
            httpGet: {path: /, port: 13133}
            initialDelaySeconds: 30
          readinessProbe:
            httpGet: {path: /, port: 13133}
            initialDelaySeconds: 10
      volumes:
        - name: otel-collector-config
          configMap: {name: otel-collector-config}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: otel-collector-config, namespace: zio-lucene}
data:
  otel-collector-config.yaml: |
"#;

/// A hub and an edge, as manifests that are applied from the shell.
#[test]
#[ignore = "needs the guides"]
fn a_hub_and_its_edges() {
    let guide = guide("Federated Observability on Linode Kubernetes Engine");
    let variables = [("CLUSTER_ID", "hub"), ("EDGE_CLUSTER_NAME", "my-edge-us-east"), ("GATEWAY_IP", "172.233.160.10")];
    let folder = scratch();
    for (at, here) in guide.here_documents(&variables).into_iter().enumerate() {
        let cluster = ["HUB", "EDGE"].into_iter().find(|name| here.command.contains(name));
        if let Some(cluster) = cluster.filter(|_| here.command.contains("apply -f -")) {
            write(&folder.path().join(cluster).join(format!("{at:02}.yaml")), &here.text);
        }
    }
    write(&folder.path().join("HUB/policy.yaml"), &guide.block_with("kind: NetworkPolicy"));
    write(&folder.path().join("HUB/hpa.yaml"), &guide.block_with("kind: HorizontalPodAutoscaler"));
    check(&folder.path().join("HUB"), &[]).must(
        &[
            wanted("D003", "/var/otel/queue", "name: queue-storage"),
            wanted("G001", "prometheus", ""),
            wanted("T001", "registry", ""),
            wanted("X002", "admin", ""),
            wanted("X003", "", "0.0.0.0:4317"),
            wanted("K008", "http://", "allow-gateway-to-monitoring"),
        ],
        &["G001", "K008"],
    );
    check(&folder.path().join("EDGE"), &[]).must(&[wanted("X003", "172.233.160.10:4317", "")], &[]);
    let report = check(&folder.path().join("HUB"), &["--otelcol-version", "newest"]);
    for (code, at) in [("V001", "loki"), ("V004", "address")] {
        assert!(report.holds(&wanted(code, at, "")), "{code} at {at}");
    }
}
