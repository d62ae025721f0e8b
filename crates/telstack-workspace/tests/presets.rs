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

/// A stack with a scraper, a kube-state-metrics and a Prometheus, and the file of one of its nodes.
fn scraping(line: &str, block: &str, rest: &str, file: &str) -> String {
    let text = format!(
        "stack \"s\" {{\n platform \"kubernetes\" {{ namespace \"obs\" }}\n collector \"agent\" {line} {{\n resources \
         cpu=\"100m..500m\" memory=\"256MiB..512MiB\"\n exporter \"debug\"\n {block}\n pipeline \"metrics\" {{ to \
         \"debug\" }}\n }}\n {rest}\n}}\n"
    );
    let compiled = compiled(&text);
    assert_eq!(found(&compiled), [] as [&str; 0], "{text}");
    let file = compiled.artefacts.iter().find(|it| it.path == file);
    file.map(|it| it.written.text.clone()).expect("a file")
}

#[test]
fn nodes_of_the_stack_are_scraped_by_name_and_several_pods_one_by_one() {
    let text = scraping(
        "replicas=1",
        "scrape \"kube-state-metrics\" interval=\"30s\"",
        "kube-state-metrics",
        "obs/agent.yaml",
    );
    has(
        &text,
        &["targets: [kube-state-metrics:8080]", "scrape_interval: 30s", "receivers: [prometheus/kube-state-metrics]"],
    );
    lacks(&text, &["kubernetes_sd_configs", "kind: Role"]);
    let other = "collector \"gateway\" replicas=2 { receiver \"otlp\"; exporter \"debug\"; resources \
                 memory=\"256MiB..512MiB\" cpu=\"1..2\"; pipeline \"traces\" { from \"otlp\"; to \"debug\" } }";
    let text = scraping("replicas=1", "scrape \"gateway\"", other, "obs/agent.yaml");
    has(
        &text,
        &[
            "label: app.kubernetes.io/instance=gateway,app.kubernetes.io/name=otelcol",
            "regex: \"8888\"",
            "kind: Role\n",
            "resources: [pods]",
        ],
    );
    lacks(&text, &["kind: ClusterRole"]);
}

#[test]
fn kube_state_metrics_may_look_and_nothing_else() {
    let text =
        scraping("replicas=1", "scrape \"kube-state-metrics\"", "kube-state-metrics", "obs/kube-state-metrics.yaml");
    has(
        &text,
        &[
            "image: registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0",
            "kind: ClusterRole\n",
            "runAsUser: 65534",
            "path: /readyz",
            "readOnlyRootFilesystem: true",
        ],
    );
    lacks(&text, &["create", "update", "delete"]);
    // Who is told to scrape it does so, and Prometheus need not.
    let alone = scraping(
        "replicas=1",
        "scrape \"kube-state-metrics\"",
        "kube-state-metrics\nprometheus",
        "obs/prometheus.yaml",
    );
    lacks(&alone, &["kube-state-metrics"]);
    let other = "collector \"b\" { receiver \"otlp\"; exporter \"debug\"; resources memory=\"256MiB..512MiB\" \
                 cpu=\"1..2\"; pipeline \"traces\" { from \"otlp\"; to \"debug\" } }";
    let text = scraping(
        "replicas=1",
        "scrape \"b\"",
        &format!("kube-state-metrics\nprometheus\n{other}"),
        "obs/prometheus.yaml",
    );
    has(&text, &["targets: [kube-state-metrics:8080]"]);
}

#[test]
fn what_others_run_is_found_by_the_api() {
    let text = scraping(AGENT, "scrape \"annotated-pods\"", "", "obs/agent.yaml");
    has(
        &text,
        &[
            "field: \"spec.nodeName=${env:K8S_NODE_NAME}\"",
            "name: K8S_NODE_NAME",
            "replacement: $$1:$$2",
            "kind: ClusterRole\n",
            "resources: [pods]",
        ],
    );
    let service = "scrape \"dcgm-exporter\" namespace=\"gpu-operator\" port=9400 path=\"/gpu\"";
    let text = scraping("replicas=1", service, "", "obs/agent.yaml");
    has(
        &text,
        &[
            "role: endpointslice",
            "names: [gpu-operator]",
            "label: kubernetes.io/service-name=dcgm-exporter",
            "metrics_path: /gpu",
            "name: obs-agent\n  namespace: gpu-operator",
            "resources: [endpointslices]",
        ],
    );
    lacks(&text, &["K8S_NODE_NAME", "kind: ClusterRole"]);
    let text = scraping(AGENT, service, "", "obs/agent.yaml");
    has(&text, &["__meta_kubernetes_pod_node_name", "regex: ${env:K8S_NODE_NAME}", "name: K8S_NODE_NAME"]);
}

#[test]
fn prometheus_asks_each_pod_of_several() {
    let gateway = |replicas: &str| {
        format!(
            "stack \"s\" {{\n platform \"kubernetes\" {{ namespace \"obs\" }}\n collector \"gateway\" {replicas} {{\n \
             resources cpu=\"1..2\" memory=\"256MiB..512MiB\"\n receiver \"otlp\"\n exporter \"debug\"\n pipeline \
             \"traces\" {{ from \"otlp\"; to \"debug\" }}\n }}\n prometheus\n alertmanager {{ webhook \
             \"http://pager.example.com\" }}\n}}\n"
        )
    };
    let file = |text: &str| {
        let compiled = compiled(text);
        assert_eq!(found(&compiled), [] as [&str; 0]);
        let file = compiled.artefacts.iter().find(|it| it.path == "obs/prometheus.yaml");
        file.map(|it| it.written.text.clone()).expect("a file")
    };
    for several in ["replicas=2", "replicas=\"2..5\"", AGENT] {
        let text = file(&gateway(several));
        has(&text, &["job_name: gateway", "app.kubernetes.io/instance=gateway", "kind: Role\n", "resources: [pods]"]);
        lacks(&text, &["gateway:8888", "kind: ClusterRole"]);
    }
    let text = file(&gateway("replicas=1"));
    has(&text, &["targets: [gateway:8888]"]);
    lacks(&text, &["kind: Role\n", "kubernetes_sd_configs"]);
}

#[test]
fn targets_that_nobody_can_find_are_reported() {
    let scrape = |what: &str, pipeline: &str| {
        found(&stack("0.158.0", "replicas=1", &format!("receiver \"otlp\"\nscrape {what}\n{pipeline}")))
    };
    let metrics = "pipeline \"metrics\" { to \"debug\" }";
    let both = "pipeline \"metrics\" { to \"debug\" }\npipeline \"traces\" { from \"otlp\"; to \"debug\" }";
    assert_eq!(scrape("\"nobody\"", both), ["Z006"]);
    assert_eq!(scrape("\"kube-state-metrics\"", both), ["Z006"]);
    assert_eq!(scrape("\"agent\"", both), ["Z010"]);
    assert_eq!(scrape("\"nobody\" port=9400", both), [] as [&str; 0]);
    assert_eq!(scrape("\"nobody\" port=94000", both), ["Z004"]);
    // What is scraped are metrics.
    assert_eq!(scrape("\"nobody\" port=9400", &format!("{metrics}\npipeline \"traces\" {{ to \"debug\" }}")), ["Z003"]);
    // Without anything that is scraped, a pipeline says where its data comes from.
    assert_eq!(found(&stack("0.158.0", "replicas=1", &format!("receiver \"otlp\"\n{metrics}"))), ["Z003"]);
    let compose = "stack \"s\" {\n platform \"compose\"\n kube-state-metrics\n loki\n}\n";
    assert_eq!(found(&compiled(compose)), ["Z004"]);
    let compose = "stack \"s\" {\n platform \"compose\"\n collector \"c\" {\n scrape \"annotated-pods\"\n exporter \
                   \"debug\"\n pipeline \"metrics\" { to \"debug\" }\n }\n}\n";
    assert_eq!(found(&compiled(compose)), ["Z006"]);
}

#[test]
fn encrypted_nodes_and_those_of_other_namespaces_are_scraped_too() {
    let compose = "stack \"s\" {\n platform \"compose\"\n collector \"c\" {\n scrape \"loki\"\n exporter \"debug\"\n pipeline \
                   \"metrics\" { to \"debug\" }\n }\n loki { tls cert=\"./l.pem\" key=\"./l-key.pem\" ca=\"./ca.pem\" }\n}\n";
    let compiled = compiled(compose);
    assert_eq!(found(&compiled), [] as [&str; 0]);
    let file = compiled.artefacts.iter().find(|it| it.path == "configs/c.yaml").expect("a file");
    has(&file.written.text, &["scheme: https", "ca_file: ", "targets: [loki:3100]"]);
    let text = scraping(
        "replicas=1",
        "scrape \"loki\"",
        "loki namespace=\"logs\" { resources memory=\"1GiB..2GiB\" }",
        "obs/agent.yaml",
    );
    has(&text, &["targets: [loki.logs:3100]"]);
    let other = "collector \"gateway\" namespace=\"edge\" replicas=2 { receiver \"otlp\"; exporter \"debug\"; resources \
                 memory=\"256MiB..512MiB\" cpu=\"1..2\"; pipeline \"traces\" { from \"otlp\"; to \"debug\" } }";
    let text = scraping("replicas=1", "scrape \"gateway\"", other, "obs/agent.yaml");
    has(&text, &["names: [edge]", "name: obs-agent\n  namespace: edge"]);
}

#[test]
fn policies_let_those_ask_the_api_who_do() {
    let text = |replicas: u64| {
        format!(
            "stack \"s\" {{\n platform \"kubernetes\" {{ namespace \"obs\"; network-policies }}\n collector \"gateway\" \
             replicas={replicas} {{\n resources cpu=\"1..2\" memory=\"256MiB..512MiB\"\n receiver \"otlp\"\n exporter \
             \"debug\"\n pipeline \"traces\" {{ from \"otlp\"; to \"debug\" }}\n }}\n prometheus\n kube-state-metrics\n \
             alertmanager {{ webhook \"http://pager.example.com\" }}\n}}\n"
        )
    };
    let policy = |compiled: &Compiled, node: &str| {
        assert_eq!(found(compiled), [] as [&str; 0]);
        let texts = compiled.artefacts.iter().map(|it| it.written.text.as_str());
        let name = format!("\n  name: {node}\n");
        let is_its = |it: &&str| it.contains("kind: NetworkPolicy") && it.contains(&name);
        texts.flat_map(|it| it.split("---\n")).filter(is_its).collect::<String>()
    };
    let several = compiled(&text(2));
    for node in ["prometheus", "kube-state-metrics"] {
        has(&policy(&several, node), &["port: 6443"]);
    }
    let one = compiled(&text(1));
    lacks(&policy(&one, "prometheus"), &["port: 6443"]);
}
