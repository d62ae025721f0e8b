//! What collectors of a cluster are given for a task: presets, mounts, and a leader among several.

use std::path::Path;

use telstack_diagnostics::Severity;
use telstack_workspace::{Compiled, MemoryFiles, compile};

/// A stack in Kubernetes of one collector, with what stands on its line and in its block.
fn stack(release: &str, line: &str, block: &str) -> Compiled {
    compiled(&format!(
        "stack \"s\" {{\n platform \"kubernetes\" {{ namespace \"obs\" }}\n versions {{ otelcol \"{release}\" }}\n \
         collector \"agent\" {line} {{\n resources cpu=\"100m..500m\" memory=\"256MiB..512MiB\"\n exporter \"debug\"\n \
         {block}\n }}\n}}\n"
    ))
}

fn compiled(text: &str) -> Compiled {
    compile(&MemoryFiles::new([("s.stack.kdl", text)]), Path::new("s.stack.kdl")).expect("readable")
}

/// The codes of errors and warnings.
fn found(compiled: &Compiled) -> Vec<&'static str> {
    let counts = compiled.diagnostics.iter().filter(|it| it.severity >= Severity::Warning);
    counts.map(|it| it.rule.code).collect()
}

/// The manifests of the collector, where nothing is wrong.
fn manifests(compiled: &Compiled) -> String {
    let wrong: Vec<_> = compiled.diagnostics.iter().filter(|it| it.severity >= Severity::Warning).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let file = compiled.artefacts.iter().find(|it| it.path == "obs/agent.yaml");
    file.map(|it| it.written.text.clone()).expect("the collector's file")
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` in\n{text}");
    }
}

fn lacks(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "no `{part}` in\n{text}");
    }
}

const AGENT: &str = "mode=\"daemonset\"";
const LOGS: &str = "pipeline \"logs\" { from \"file_log\"; to \"debug\" }";

#[test]
fn pod_logs_are_read_once_and_not_their_own() {
    let text = manifests(&stack("0.158.0", AGENT, &format!("receiver \"file_log\" preset=\"pod-logs\"\n{LOGS}")));
    has(
        &text,
        &[
            "include: [/var/log/pods/*/*/*.log]",
            "exclude: [/var/log/pods/obs_agent-*/agent/*.log]",
            "include_file_path: true",
            "type: container",
            "storage: file_storage",
            "path: /var/log/pods\n",
            "path: /var/lib/s/agent-data",
            "extensions: [health_check, file_storage]",
            "runAsUser: 0",
        ],
    );
}

#[test]
fn what_the_stack_writes_beside_a_preset_wins() {
    let block = "mount \"/var/log\"\nextension \"file_storage/mine\" directory=\"/var/lib/mine\"\nreceiver \"file_log\" \
                 preset=\"pod-logs\" {\n start_at \"end\"\n exclude \"/var/log/pods/kube-system_*/*/*.log\"\n storage \
                 \"file_storage/mine\"\n retry_on_failure { max_elapsed_time \"1m\" }\n }\n";
    let text = manifests(&stack("0.158.0", AGENT, &format!("{block}{LOGS}")));
    has(
        &text,
        &[
            "start_at: end",
            "exclude: [/var/log/pods/kube-system_*/*/*.log]",
            "storage: file_storage/mine",
            "max_elapsed_time: 1m",
            "enabled: true",
            "path: /var/log\n",
        ],
    );
    lacks(&text, &["beginning", "extensions: [health_check, file_storage]", "path: /var/log/pods\n"]);
    // What is read elsewhere needs no mount of the pods' files.
    let block = "mount \"/srv\"\nreceiver \"file_log\" preset=\"pod-logs\" include=\"/srv/*.log\"\n";
    lacks(&manifests(&stack("0.158.0", AGENT, &format!("{block}{LOGS}"))), &["path: /var/log/pods\n"]);
}

#[test]
fn presets_that_fit_nowhere_are_reported() {
    let logs = |preset: &str| format!("receiver \"file_log\" preset={preset}\n{LOGS}");
    assert_eq!(found(&stack("0.158.0", AGENT, &logs("\"pod_logs\""))), ["Z004"]);
    assert_eq!(found(&stack("0.158.0", AGENT, &logs("5"))), ["Z004"]);
    // No agent on each machine.
    assert_eq!(found(&stack("0.158.0", "replicas=1", &logs("\"pod-logs\""))), ["Z004"]);
    assert_eq!(found(&stack("0.98.0", AGENT, &logs("\"pod-logs\"").replace("file_log", "filelog"))), ["Z004"]);
    let compose = "stack \"s\" {\n platform \"compose\"\n collector \"agent\" {\n receiver \"file_log\" \
                   preset=\"pod-logs\"\n exporter \"debug\"\n pipeline \"logs\" { from \"file_log\"; to \"debug\" }\n }\n}\n";
    assert!(found(&compiled(compose)).contains(&"Z004"));
    let exporter = "receiver \"otlp\"\nexporter \"debug/b\" preset=\"pod-logs\"\npipeline \"logs\" { from \"otlp\"; to \
                    \"debug/b\" }";
    assert_eq!(found(&stack("0.158.0", AGENT, exporter)), ["Z004"]);
}

#[test]
fn hosts_are_measured_and_not_containers() {
    let metrics = "pipeline \"metrics\" { from \"host_metrics\"; to \"debug\" }";
    let text = manifests(&stack("0.158.0", AGENT, &format!("receiver \"host_metrics\"\n{metrics}")));
    has(&text, &["root_path: /hostfs", "mountPropagation: HostToContainer", "filesystem:", "runAsNonRoot: true"]);
    lacks(&text, &["hostNetwork", "network:"]);
    let block =
        "mount \"/\" to=\"/host\"\nreceiver \"host_metrics\" { root_path \"/host\"; scrapers { network; cpu } }\n";
    let text = manifests(&stack("0.158.0", AGENT, &format!("{block}{metrics}")));
    has(&text, &["root_path: /host\n", "hostNetwork: true", "dnsPolicy: ClusterFirstWithHostNet"]);
    lacks(&text, &["/hostfs", "filesystem:"]);
}

#[test]
fn one_of_several_looks_at_the_cluster() {
    let cluster = "receiver \"k8s_cluster\"\npipeline \"metrics\" { from \"k8s_cluster\"; to \"debug\" }";
    for line in [AGENT, "replicas=2", "replicas=\"2..5\""] {
        let text = manifests(&stack("0.158.0", line, cluster));
        has(
            &text,
            &[
                "k8s_leader_elector: k8s_leader_elector",
                "lease_name: agent",
                "lease_namespace: obs",
                "resources: [leases]",
                "kind: Role\n",
            ],
        );
    }
    lacks(&manifests(&stack("0.158.0", "replicas=1", cluster)), &["k8s_leader_elector", "leases"]);
    // No release before 0.126.0 can choose, and `k8s_events` not before 0.137.0.
    let early = stack("0.120.0", AGENT, cluster);
    assert!(early.has(Severity::Error));
    assert_eq!(found(&early), ["K002"]);
    let events = "receiver \"k8s_events\"\npipeline \"logs\" { from \"k8s_events\"; to \"debug\" }";
    assert_eq!(found(&stack("0.136.0", AGENT, events)), ["K002"]);
    has(&manifests(&stack("0.137.0", AGENT, events)), &["k8s_leader_elector: k8s_leader_elector"]);
}

#[test]
fn pods_are_known_by_what_data_says_of_them() {
    let metrics = "receiver \"kubelet_stats\"\nprocessor \"k8s_attributes\"\npipeline \"metrics\" { from \
                   \"kubelet_stats\"; to \"debug\" }";
    has(&manifests(&stack("0.158.0", AGENT, metrics)), &["pod_association:", "name: k8s.pod.uid"]);
    let traces = "receiver \"otlp\"\nprocessor \"k8s_attributes\"\npipeline \"traces\" { from \"otlp\"; to \"debug\" }";
    lacks(&manifests(&stack("0.158.0", AGENT, traces)), &["pod_association:"]);
}

#[test]
fn personal_data_is_masked_on_any_platform() {
    let block = "receiver \"otlp\"\nprocessor \"redaction\" preset=\"pii\" { summary \"debug\" }\npipeline \"traces\" \
                 \"metrics\" \"logs\" { from \"otlp\"; to \"debug\" }";
    let text = manifests(&stack("0.158.0", "replicas=1", block));
    has(
        &text,
        &["allow_all_keys: true", "blocked_values:", "summary: debug", "processors: [memory_limiter, redaction]"],
    );
    lacks(&text, &["summary: silent"]);
    let compose = "stack \"s\" {\n platform \"compose\"\n versions { otelcol \"0.158.0\" distribution=\"k8s\" }\n \
                   collector \"agent\" {\n receiver \"otlp\"\n processor \"redaction\" preset=\"pii\"\n exporter \
                   \"debug\"\n pipeline \"logs\" { from \"otlp\"; to \"debug\" }\n }\n}\n";
    let compiled = compiled(compose);
    assert_eq!(found(&compiled), [] as [&str; 0]);
    let text = &compiled.artefacts.iter().find(|it| it.path == "configs/agent.yaml").expect("a file").written.text;
    has(text, &["summary: silent"]);
    // Bodies of logs are looked at since 0.126.0.
    assert_eq!(found(&stack("0.125.0", "replicas=1", block)), ["Z004"]);
}
