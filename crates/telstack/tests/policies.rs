//! Network policies, made of the edges of a stack: what they allow, and what is said when one is cut by hand.

mod support;

use std::fs;

use serde_json::Value;
use support::{all_of_yaml, files, root, stderr, telstack_in};

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
                let found = findings(folder.path());
                let ends = if word == "from" { (other.as_str(), node) } else { (node, other.as_str()) };
                let named = format!("a network policy keeps `{}` from `{}`", ends.0, ends.1);
                assert!(
                    matches!(&*found, [(code, message)] if code == "K008" && message.starts_with(&named)),
                    "{own}:{from}: {named}: {found:?}"
                );
                cuts += 1;
            }
        }
    }
    assert!(cuts >= 15, "{cuts}");
}

/// The policies that a stack compiles to, by name.
fn policies(stack: &str) -> Vec<(String, Value)> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), stack).expect("written");
    let run = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let out = folder.path().join("out");
    assert_eq!(findings(&out), [], "what is written is checked like any other");
    let objects = files(&out)
        .into_iter()
        .filter(|it| it.ends_with(".yaml"))
        .flat_map(|file| all_of_yaml(&fs::read_to_string(out.join(file)).expect("readable")).expect("YAML"));
    let policies = objects.filter(|it| it["kind"] == "NetworkPolicy");
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
