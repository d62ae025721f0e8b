//! What a stack becomes in Kubernetes beside its configurations: network policies, made of its edges, and what is said
//! when one is cut by hand; volumes, taints, Services of StatefulSets.

mod support;

use std::fs;

use serde_json::Value;
use support::{all_of_yaml, files, files_ending, root, stderr, telstack_in};

/// The codes and messages that `check` finds in a folder.
fn findings(folder: &std::path::Path) -> Vec<(String, String)> {
    let run = telstack_in(folder, &["check", "--format", "json", "."]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let found = report["diagnostics"].as_array().expect("a list").iter();
    found
        .map(|it| (it["code"].as_str().unwrap_or_default().into(), it["message"].as_str().unwrap_or_default().into()))
        .collect()
}

/// Where the rules of a policy start in a file that let one node in or out, and the name of that node.
fn rules(lines: &[&str], word: &str) -> Vec<(usize, usize, String)> {
    let starts = |line: &str| line.starts_with("    - ") || !line.starts_with("    ");
    let at = lines.iter().enumerate().filter(|(_, line)| line.trim_end() == format!("    - {word}:"));
    at.filter_map(|(at, _)| {
        let end = (at + 1..lines.len()).find(|at| starts(lines[*at])).unwrap_or(lines.len());
        let name = lines[at..end].iter().find_map(|it| it.trim().strip_prefix("app.kubernetes.io/instance: "))?;
        Some((at, end, name.to_owned()))
    })
    .collect()
}

#[test]
fn a_rule_that_is_cut_is_missed_and_its_edge_named() {
    let golden = root().join("golden/cluster-gateway");
    let all = files(&golden);
    let before = findings(&golden);
    assert!(before.iter().all(|(code, _)| code != "K008"), "{before:?}");
    let mut cuts = 0;
    // Grafana lets everybody in.
    for node in ["agent", "gateway", "prometheus", "loki", "tempo"] {
        let own = format!("observability/{node}.yaml");
        let text = fs::read_to_string(golden.join(&own)).expect("readable");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for word in ["from", "to"] {
            for (from, to, other) in rules(&lines, word) {
                let folder = tempfile::tempdir().expect("a folder");
                for file in &all {
                    let path = folder.path().join(file);
                    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                    fs::copy(golden.join(file), path).expect("copied");
                }
                let cut: String = lines[..from].iter().chain(&lines[to..]).copied().collect();
                fs::write(folder.path().join(&own), cut).expect("written");
                let mut found = findings(folder.path());
                found.retain(|it| !before.contains(it));
                let ends = if word == "from" { (other.as_str(), node) } else { (node, other.as_str()) };
                let named = format!("a network policy keeps `{}` from `{}`", ends.0, ends.1);
                // Pods that Prometheus finds by the API are no address that could be followed.
                if ends.0 == "prometheus" && ["agent", "gateway"].contains(&ends.1) {
                    assert_eq!(found, [], "{own}:{from}");
                    continue;
                }
                assert!(
                    matches!(&*found, [(code, message)] if code == "K008" && message.starts_with(&named)),
                    "{own}:{from}: {named}: {found:?}"
                );
                cuts += 1;
            }
        }
    }
    assert!(cuts >= 10, "{cuts}");
}

/// The objects that a stack compiles to.
fn objects(stack: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), stack).expect("written");
    let run = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let out = folder.path().join("out");
    let found: Vec<_> =
        findings(&out).into_iter().filter(|(code, _)| code.starts_with('K') && code != "K013").collect();
    assert_eq!(found, [], "what is written is checked like any other");
    let files = files_ending(&out, &["yaml"]).into_iter();
    files.flat_map(|file| all_of_yaml(&fs::read_to_string(out.join(file)).expect("readable")).expect("YAML")).collect()
}

/// The policies among them, by name.
fn policies(stack: &str) -> Vec<(String, Value)> {
    let policies = objects(stack).into_iter().filter(|it| it["kind"] == "NetworkPolicy");
    policies.map(|it| (it["metadata"]["name"].as_str().unwrap_or_default().to_owned(), it["spec"].clone())).collect()
}

fn of(inner: &str) -> Vec<(String, Value)> {
    policies(&format!("stack \"s\" {{\n platform \"kubernetes\" {{ network-policies }}\n{inner}\n}}"))
}

fn egress(spec: &Value) -> String {
    spec["egress"].to_string()
}

const TO_DEBUG: &str =
    "resources memory=\"512MiB\"; exporter \"debug\"; pipeline \"metrics\" { from \"r\"; to \"debug\" }";

#[test]
fn nothing_is_limited_unasked() {
    let stack = format!(
        "stack \"s\" {{\n platform \"kubernetes\"\n collector \"c\" {{ receiver \"otlp\"; {} }}\n}}",
        TO_DEBUG.replace("\"r\"", "\"otlp\"")
    );
    assert_eq!(policies(&stack), []);
}

#[test]
fn nobody_but_applications_are_let_in_and_nothing_out() {
    let found = of(&format!("collector \"c\" {{ receiver \"otlp\"; {} }}", TO_DEBUG.replace("\"r\"", "\"otlp\"")));
    let [(name, spec)] = &*found else { panic!("{found:?}") };
    assert_eq!(name, "c");
    let doors = serde_json::json!([{"from": [{"namespaceSelector": {}}], "ports": [{"port": 4317}, {"port": 4318}]}]);
    assert_eq!(spec["ingress"], doors);
    assert_eq!(spec["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
    assert!(spec.get("egress").is_none(), "{spec}");
}

#[test]
fn what_is_outside_is_reached_by_its_port() {
    let to = |endpoint: &str| {
        let found = of(&format!(
            "collector \"c\" {{ resources memory=\"512MiB\"; receiver \"otlp\"; pipeline \"traces\" {{ from \"otlp\"; to \"far\" }} }}\n\
             external \"far\" {{ otlp endpoint=\"{endpoint}\" }}"
        ));
        egress(&found[0].1)
    };
    let far = to("https://otlp.example.com");
    assert!(far.contains("0.0.0.0/0") && far.contains("::/0") && far.contains("443"), "{far}");
    let near = to("http://10.1.2.3:4318");
    assert!(near.contains("10.1.2.3/32") && near.contains("4318") && !near.contains("0.0.0.0/0"), "{near}");
    // Which port its pods have, nobody here knows.
    let inside = to("http://tempo.tracing.svc.cluster.local:4318");
    assert!(inside.contains("\"kubernetes.io/metadata.name\":\"tracing\"") && !inside.contains("4318"), "{inside}");
}

#[test]
fn everything_is_let_out_where_it_cannot_be_told_whom_a_node_dials() {
    let open = |receiver: &str, rest: &str| {
        let id = receiver.split('"').nth(1).unwrap_or_default().to_owned();
        let found = of(&format!(
            "collector \"c\" {{ {receiver}; {} {rest} }}",
            TO_DEBUG.replace("\"r\"", &format!("\"{id}\""))
        ));
        found[0].1["egress"] == serde_json::json!([{}])
    };
    let job = |how: &str| {
        format!("receiver \"prometheus\" {{ config {{ scrape_configs {{ - job_name=\"j\" {{ {how} }} }} }} }}")
    };
    assert!(open(&job("kubernetes_sd_configs { - role=\"node\" }"), ""));
    assert!(!open(&job("static_configs { - { targets \"db.example.com:9187\" } }"), ""));
    assert!(!open("receiver \"host_metrics\" { scrapers { memory } }", ""));
}

#[test]
fn nodes_of_other_namespaces_are_named_with_them() {
    let found = of(
        "collector \"c\" { resources memory=\"512MiB\"; receiver \"otlp\"; pipeline \"logs\" { from \"otlp\"; to \"loki\" } }\n\
                    loki \"loki\" namespace=\"stores\"",
    );
    let spec = |name: &str| &found.iter().find(|it| it.0 == name).unwrap_or_else(|| panic!("{found:?}")).1;
    let stores = "\"kubernetes.io/metadata.name\":\"stores\"";
    assert!(egress(spec("c")).contains(stores), "{}", spec("c"));
    assert!(spec("loki")["ingress"].to_string().contains("\"kubernetes.io/metadata.name\":\"s\""), "{}", spec("loki"));
}

#[test]
fn the_rest_of_a_namespace_is_denied_on_request() {
    let found = policies(
        "stack \"s\" { platform \"kubernetes\" { network-policies default=\"deny\" }\nloki \"default-deny\" }",
    );
    let names: Vec<&str> = found.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let all = found.iter().find(|it| it.0 == "default-deny-all").unwrap_or_else(|| panic!("{names:?}"));
    assert_eq!(all.1, serde_json::json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
}

/// The object of that kind and name.
fn one<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

#[test]
fn volumes_have_the_size_and_the_class_that_the_stack_says() {
    let all = objects(
        r#"stack "s" {
            platform "kubernetes" { storage-class "usual" }
            prometheus "metrics" { size "40GiB" }
            loki "logs" { volume size="70GiB" storage-class="fast" }
            tempo "traces"
            collector "gw" {
                resources memory="512MiB"
                receiver "otlp"
                pipeline "logs" { from "otlp"; to "logs" }
                durable size="5GiB"
            }
        }"#,
    );
    for (name, size, class) in
        [("metrics", "50Gi", "usual"), ("logs", "70Gi", "fast"), ("traces", "10Gi", "usual"), ("gw", "5Gi", "usual")]
    {
        let spec = &one(&all, "StatefulSet", name)["spec"];
        let claim = &spec["volumeClaimTemplates"][0]["spec"];
        assert_eq!(claim["storageClassName"], class, "{name}");
        assert_eq!(claim["resources"]["requests"]["storage"], size, "{name}");
        // Its pods are named by a Service without an address, and others dial the usual one.
        assert_eq!(spec["serviceName"], format!("{name}-headless"));
        assert_eq!(one(&all, "Service", &format!("{name}-headless"))["spec"]["clusterIP"], "None");
        assert!(one(&all, "Service", name)["spec"].get("clusterIP").is_none());
    }
}

#[test]
fn agents_are_on_tainted_nodes_too_unless_told_otherwise() {
    let tolerations = |words: &str| {
        let stack = format!(
            "stack \"s\" {{ platform \"kubernetes\"\ncollector \"c\" {words} {{ receiver \"otlp\"; {} }} }}",
            TO_DEBUG.replace("\"r\"", "\"otlp\"")
        );
        let all = objects(&stack);
        let workload = all.iter().find(|it| it["spec"]["template"].is_object()).expect("a workload");
        workload["spec"]["template"]["spec"]["tolerations"].clone()
    };
    let every = serde_json::json!([{"operator": "Exists"}]);
    assert_eq!(tolerations("mode=\"daemonset\""), every);
    assert_eq!(tolerations("mode=\"daemonset\" tolerations=\"none\""), Value::Null);
    assert_eq!(tolerations("mode=\"deployment\""), Value::Null);
    assert_eq!(tolerations("mode=\"deployment\" tolerations=\"all\""), every);
}

#[test]
fn who_is_exposed_is_open_at_that_door_only() {
    let found = of(
        "collector \"c\" { expose \"load-balancer\" host=\"otlp.example.com\"; resources memory=\"512MiB\"; receiver \"otlp\"; \
                    pipeline \"logs\" { from \"otlp\"; to \"loki\" } }\nloki",
    );
    let spec = &found.iter().find(|it| it.0 == "c").unwrap_or_else(|| panic!("{found:?}")).1;
    let rules = spec["ingress"].as_array().expect("rules");
    let open: Vec<&Value> = rules.iter().filter(|it| it.get("from").is_none()).collect();
    let [door] = &*open else { panic!("{spec}") };
    let doors = door["ports"].to_string();
    assert!(!doors.contains(":4317") && door["ports"].as_array().is_some_and(|it| it.len() == 1), "{doors}");
    // Applications come to the usual ones, from inside.
    let inside: Vec<&Value> = rules.iter().filter(|it| it["from"][0].get("namespaceSelector").is_some()).collect();
    assert_eq!(inside.len(), 1, "{spec}");
    assert_eq!(inside[0]["ports"], serde_json::json!([{"port": 4317}, {"port": 4318}]));
}

#[test]
fn who_looks_for_pods_may_ask_for_them() {
    let found = of(
        "prometheus\ncollector \"c\" replicas=2 { resources memory=\"512MiB\"; receiver \"otlp\"; pipeline \"metrics\" { from \"otlp\"; \
                    to \"prometheus\" } }\nkube-state-metrics",
    );
    for name in ["prometheus", "kube-state-metrics"] {
        let spec = &found.iter().find(|it| it.0 == name).unwrap_or_else(|| panic!("{name}: {found:?}")).1;
        let egress = egress(spec);
        assert!(egress.contains("6443") && egress != "[{}]", "{name}: {egress}");
    }
}

#[test]
fn a_variable_named_like_a_field_of_the_pod_is_that_field() {
    let all = objects(
        r#"stack "s" {
            platform "kubernetes"
            collector "c" mode="daemonset" {
                resources memory="512MiB"
                receiver "otlp"
                receiver "kubelet_stats" endpoint="https://${env:K8S_NODE_IP}:10250"
                processor "resource" { attributes { - key="region" value="${env:REGION}" action="insert" } }
                exporter "debug"
                pipeline "metrics" { from "otlp" "kubelet_stats"; to "debug" }
            }
        }"#,
    );
    let container = &one(&all, "DaemonSet", "c")["spec"]["template"]["spec"]["containers"][0];
    let variable = |name: &str| {
        let found = container["env"].as_array().and_then(|it| it.iter().find(|it| it["name"] == name));
        found.unwrap_or_else(|| panic!("no {name}"))["valueFrom"].clone()
    };
    assert_eq!(variable("K8S_NODE_IP"), serde_json::json!({"fieldRef": {"fieldPath": "status.hostIP"}}));
    // Whoever reads any other name keeps it in a Secret.
    assert_eq!(variable("REGION"), serde_json::json!({"secretKeyRef": {"name": "s", "key": "REGION"}}));
}
