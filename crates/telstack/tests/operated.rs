//! What the operator makes of collectors beside their pods: target allocators, and sidecars in the pods of others.

mod support;

use std::{fs, path::Path};

use serde_json::{Value, json};
use support::{all_of_yaml, files_ending, stderr, stdout, telstack_in};

fn compile(stack: &str) -> (tempfile::TempDir, std::process::Output) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), stack).expect("written");
    let run = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    (folder, run)
}

/// The objects that a stack compiles to.
fn objects(stack: &str) -> Vec<Value> {
    let (folder, run) = compile(stack);
    assert_eq!(run.status.code(), Some(0), "{}{}", stdout(&run), stderr(&run));
    objects_in(&folder.path().join("out"))
}

fn objects_in(out: &Path) -> Vec<Value> {
    let files = files_ending(out, &["yaml"]).into_iter();
    files.flat_map(|file| all_of_yaml(&fs::read_to_string(out.join(file)).expect("readable")).expect("YAML")).collect()
}

fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is = |it: &&Value| it["kind"] == kind && it["metadata"]["name"] == name;
    objects.iter().find(is).unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// A stack whose collector scrapes.
fn scraper(platform: &str, head: &str, inner: &str) -> String {
    format!(
        "stack \"s\" {{\n platform \"kubernetes\" {{ namespace \"obs\"; {platform} }}\n collector \"c\" {head} {{\n resources \
         cpu=\"100m..1\" memory=\"512MiB\"; exporter \"debug\"\n {inner}\n pipeline \"metrics\" {{ to \"debug\" }}\n }}\n}}"
    )
}

const OPERATOR: &str = "via \"operator\"; network-policies default=\"deny\"";

#[test]
fn the_allocator_looks_for_targets_and_the_collector_does_not() {
    let all = objects(&scraper(
        OPERATOR,
        "replicas=3",
        "target-allocator; scrape \"annotated-pods\"; scrape \"app\" port=80",
    ));
    let spec = &object(&all, "OpenTelemetryCollector", "c")["spec"];
    assert_eq!(spec["mode"], "statefulset");
    assert_eq!(
        spec["targetAllocator"],
        json!({"enabled": true, "serviceAccount": "c-targetallocator", "allocationStrategy": "consistent-hashing"})
    );
    let receivers = spec["config"]["receivers"].as_object().expect("receivers");
    assert_eq!(receivers.keys().collect::<Vec<_>>(), ["prometheus"]);
    let jobs = receivers["prometheus"]["config"]["scrape_configs"].as_array().expect("jobs");
    let names: Vec<&Value> = jobs.iter().map(|it| &it["job_name"]).collect();
    assert_eq!(names, ["annotated-pods", "app"]);
    assert_eq!(spec["config"]["service"]["pipelines"]["metrics"]["receivers"], json!(["prometheus"]));
    // The collector asks the API for nothing.
    assert!(spec.get("serviceAccount").is_none(), "{spec}");
    let accounts: Vec<&Value> = all.iter().filter(|it| it["kind"] == "ServiceAccount").collect();
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    let binding = object(&all, "ClusterRoleBinding", "obs-c-targetallocator");
    assert_eq!(binding["subjects"][0]["name"], "c-targetallocator");
    let role = object(&all, "ClusterRole", "obs-c-targetallocator")["rules"].to_string();
    assert!(role.contains("\"pods\"") && !role.contains("endpointslices"), "{role}");
    let own = object(&all, "Role", "c-targetallocator")["rules"].to_string();
    assert!(own.contains("endpointslices"), "{own}");
    let policy = &object(&all, "NetworkPolicy", "c-targetallocator")["spec"];
    assert_eq!(policy["ingress"][0]["ports"], json!([{"port": 8080}]));
    assert_eq!(policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"], "opentelemetry-targetallocator");
}

#[test]
fn on_each_machine_each_pod_gets_what_is_there() {
    let all = objects(&scraper(OPERATOR, "mode=\"daemonset\"", "target-allocator; scrape \"annotated-pods\""));
    let spec = &object(&all, "OpenTelemetryCollector", "c")["spec"];
    assert_eq!(spec["targetAllocator"]["allocationStrategy"], "per-node");
    // The allocator is on one machine: the name of that would find the targets of one only.
    assert!(!spec.to_string().contains("K8S_NODE_NAME"), "{spec}");
}

#[test]
fn what_finds_targets_of_nobody_may_watch_the_collectors_only() {
    let stack = scraper(OPERATOR, "replicas=2", "target-allocator; scrape \"grafana\"");
    let inner = stack.trim_end().strip_suffix('}').expect("a block");
    let stack = format!("{inner} grafana {{ resources memory=\"256MiB\" }}\n}}");
    let all = objects(&stack);
    let rules = &object(&all, "Role", "c-targetallocator")["rules"];
    assert_eq!(rules, &json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}]));
}

#[test]
fn without_an_allocator_several_that_scrape_are_found() {
    for (line, found) in [("target-allocator", false), ("", true)] {
        let stack = scraper(
            "via \"operator\"",
            "mode=\"statefulset\" replicas=2",
            &format!("{line}; scrape \"annotated-pods\""),
        );
        let (folder, run) = compile(&stack.replace("\n ;", "\n "));
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        let check = stdout(&telstack_in(folder.path(), &["check", "--format", "json", "out"]));
        assert_eq!(check.contains("\"M003\""), found, "{check}");
    }
}

#[test]
fn where_there_can_be_none_it_is_said() {
    let cases = [
        (scraper("", "", "target-allocator; scrape \"annotated-pods\""), "only the OpenTelemetry operator starts"),
        (
            scraper(OPERATOR, "mode=\"deployment\"", "target-allocator; scrape \"annotated-pods\""),
            "pods of a StatefulSet or a DaemonSet only",
        ),
        (
            scraper(OPERATOR, "", "target-allocator; receiver \"otlp\"").replace("{ to", "{ from \"otlp\"; to"),
            "nothing for the target allocator to share out",
        ),
        (
            scraper(OPERATOR, "", "target-allocator; scrape \"app\" port=1; scrape \"app\" port=2"),
            "`app` is scraped twice",
        ),
    ];
    for (stack, said) in cases {
        let (_, run) = compile(&stack);
        let text = stderr(&run) + &stdout(&run);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(run.status.code(), Some(1), "{text}");
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// A sidecar beside a program of another namespace, and a gateway that it sends to.
const SIDECAR: &str = r#"stack "s" {
    platform "kubernetes" { namespace "obs"; via "operator"; network-policies }
    collector "beside" mode="sidecar" {
        resources cpu="50m..200m" memory="64MiB..128MiB"
        receiver "otlp"
        scrape "app" port=8080
        pipeline "traces" { from "otlp"; to "gateway" }
        pipeline "metrics" { from "otlp" "prometheus/app"; to "gateway" }
    }
    collector "gateway" {
        resources cpu="100m..1" memory="512MiB"
        receiver "otlp"; exporter "debug"
        pipeline "traces" "metrics" { from "otlp"; to "debug" }
    }
    workload "shop" namespace="dev" { to "beside" }
    prometheus { resources memory="512MiB" }
}"#;

#[test]
fn a_sidecar_is_for_the_programs_of_its_pod() {
    let all = objects(SIDECAR);
    let spec = &object(&all, "OpenTelemetryCollector", "beside")["spec"];
    assert_eq!(spec["mode"], "sidecar");
    for absent in ["replicas", "tolerations", "serviceAccount", "volumeClaimTemplates"] {
        assert!(spec.get(absent).is_none(), "{absent}: {spec}");
    }
    let config = &spec["config"];
    assert_eq!(config["receivers"]["otlp"]["protocols"]["http"]["endpoint"], "localhost:4318");
    assert_eq!(
        config["receivers"]["prometheus/app"]["config"]["scrape_configs"][0]["static_configs"][0]["targets"],
        json!(["localhost:8080"])
    );
    // The kubelet asks from outside.
    assert_eq!(config["extensions"]["health_check"]["endpoint"], "0.0.0.0:13133");
    // The pods are in another namespace than the gateway.
    assert!(config["exporters"].to_string().contains("gateway-collector.obs:4317"), "{}", config["exporters"]);
    let about = |it: &Value| it["metadata"]["name"].as_str().is_some_and(|it| it.starts_with("beside"));
    let kinds: Vec<&Value> = all.iter().filter(|it| about(it)).map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["OpenTelemetryCollector"]);
    let gateway = &object(&all, "NetworkPolicy", "gateway")["spec"]["ingress"];
    let peer = json!({
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"sidecar.opentelemetry.io/injected": "obs.beside"}}
    });
    assert!(gateway.as_array().expect("rules").iter().any(|it| it["from"] == json!([peer])), "{gateway}");
    let store = all.iter().filter(|it| it["kind"] == "ConfigMap").map(Value::to_string).collect::<String>();
    assert!(!store.contains("beside"), "nobody scrapes it: {store}");
}

#[test]
fn programs_beside_a_sidecar_are_told_so() {
    let (folder, run) = compile(SIDECAR);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let notes = fs::read_to_string(folder.path().join("out/NOTES.md")).expect("notes");
    assert!(notes.contains("`sidecar.opentelemetry.io/inject: beside`"), "{notes}");
    assert!(notes.contains("kubectl patch deployment shop --namespace dev --patch"), "{notes}");
    assert!(notes.contains(r#"{"sidecar.opentelemetry.io/inject": "obs/beside"}"#), "{notes}");
    for name in ["shop", "beside"] {
        let env = stdout(&telstack_in(folder.path(), &["sdk-env", name]));
        assert!(env.contains("value: http://localhost:4318\n"), "{name}: {env}");
    }
    let smoke = fs::read_to_string(folder.path().join("out/smoke-test.sh")).expect("a script");
    assert!(!smoke.contains("beside"), "{smoke}");
}

#[test]
fn what_a_sidecar_cannot_be_is_said() {
    let cases = [
        (SIDECAR.replace("via \"operator\"; ", ""), "write `platform \"kubernetes\" { via \"operator\" }`"),
        (SIDECAR.replace("via \"operator\"; ", ""), "`mode=\"daemonset\"`"),
        (SIDECAR.replace("mode=\"sidecar\"", "mode=\"sidecar\" replicas=2"), "`replicas` has no meaning for a sidecar"),
        (
            SIDECAR.replace("receiver \"otlp\"\n", "receiver \"otlp\"; durable\n"),
            "`durable` has no meaning for a sidecar",
        ),
        (SIDECAR.replace("to \"debug\"", "to \"beside\""), "nothing of the stack reaches `beside`"),
        (SIDECAR.replace(" port=8080", ""), "needs the port of the program in its pod"),
    ];
    for (stack, said) in cases {
        let (_, run) = compile(&stack);
        let text = stderr(&run) + &stdout(&run);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(run.status.code(), Some(1), "{said}: {text}");
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// A stack with a node of that name.
type Stack = Box<dyn Fn(&str) -> String>;

/// At the limit, and one beyond it.
#[test]
fn names_that_follow_are_as_long_as_kubernetes_takes_them() {
    let collector = |platform: &str, props: &str, more: &str| {
        let (platform, props, more) = (platform.to_owned(), props.to_owned(), more.to_owned());
        move |name: &str| {
            format!(
                "stack \"s\" {{\n platform \"kubernetes\" {{ {platform} }}\n collector \"{name}\" {props} {{ resources memory=\"256MiB\"; \
                 receiver \"otlp\"; exporter \"debug\"; pipeline \"traces\" {{ from \"otlp\"; to \"debug\" }}; {more} }}\n}}"
            )
        }
    };
    let exposed = "expose \"load-balancer\" host=\"a.example.com\"";
    let cases: [(Stack, usize, &str); 5] = [
        // 63 without `-collector-monitoring`, `-exposed`, and nothing.
        (
            Box::new(collector("via \"operator\"", "", "")),
            42,
            "-collector-monitoring`: 64 characters, and Kubernetes takes 63",
        ),
        (Box::new(collector("", "", exposed)), 55, "-exposed`: 64 characters, and Kubernetes takes 63"),
        (Box::new(collector("", "mode=\"statefulset\"", "")), 52, "has 53 characters, and Kubernetes takes 52"),
        // The label of the operator has the namespace in it, and a point.
        (
            Box::new(collector(
                "via \"operator\"; namespace \"a-namespace-of-35-characters-in-all\"",
                "mode=\"sidecar\"",
                "",
            )),
            27,
            "`: 64 characters, and Kubernetes takes 63",
        ),
        (
            Box::new(collector("via \"operator\"", "mode=\"statefulset\"", "")),
            42,
            "-collector`: 53 characters, and Kubernetes takes 52",
        ),
    ];
    for (stack, most, said) in cases {
        let (_, run) = compile(&stack(&"n".repeat(most)));
        assert_eq!(run.status.code(), Some(0), "{most}: {}{}", stderr(&run), stdout(&run));
        let (_, run) = compile(&stack(&"n".repeat(most + 1)));
        let text = stderr(&run) + &stdout(&run);
        assert_eq!(run.status.code(), Some(1), "{most}: {text}");
        assert!(text.contains("C021") && text.contains(said), "{most}: {text}");
        assert!(text.contains(&format!("a name of at most {most} characters")), "{text}");
    }
}
