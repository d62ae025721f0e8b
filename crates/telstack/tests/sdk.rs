//! `telstack sdk-env`: what programs are told, and that they are told it in an order that Kubernetes can fill in.

mod support;

use std::fs;

use support::{stderr, stdout, telstack, telstack_in};

const STACK: &str = "stacks/k3s-operator.stack.kdl";

#[test]
fn variables_are_defined_before_they_are_used() {
    let output = telstack(&["sdk-env", "shop", STACK]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let value = support::json_of_yaml(&text).expect("YAML");
    let mut known: Vec<&str> = Vec::new();
    for variable in value["env"].as_array().expect("a list") {
        for reference in variable["value"].as_str().unwrap_or_default().split("$(").skip(1) {
            let name = reference.split_once(')').expect("a name").0;
            assert!(known.contains(&name), "{name} is not there yet:\n{text}");
        }
        known.push(variable["name"].as_str().expect("a name"));
    }
    assert!(known.contains(&"OTEL_RESOURCE_ATTRIBUTES") && known.contains(&"K8S_POD_NAME"), "{text}");
    assert!(text.contains("value: http://node-collector.monitoring:4318\n"), "{text}");
}

#[test]
fn whoever_sends_to_a_collector_is_told_its_address() {
    let output = telstack(&["sdk-env", "otel-collector", "stacks/single-node.stack.kdl", "--format", "dotenv"]);
    let lines: Vec<String> = stdout(&output).lines().filter(|it| !it.starts_with('#')).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "OTEL_SERVICE_NAME=my-service",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318",
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        ]
    );
}

#[test]
fn a_token_is_a_reference_and_the_protocol_the_one_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let stack = r#"stack "shop" {
        platform "kubernetes"
        collector "gateway" { receiver "otlp"; exporter "debug"; pipeline "traces" { from "otlp"; to "debug" } }
        workload "app" namespace="dev" { to "gateway" protocol="otlp-grpc" token=(secret)"gateway/token" }
    }"#;
    fs::write(folder.path().join("s.stack.kdl"), stack).expect("writable");
    // The only stack of the folder.
    let text = stdout(&telstack_in(folder.path(), &["sdk-env", "app"]));
    for part in [
        "http://gateway.shop:4317",
        "value: grpc\n",
        "name: gateway\n        key: token",
        "value: Authorization=Bearer%20$(GATEWAY_TOKEN)",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}

#[test]
fn who_takes_nothing_is_said() {
    for (node, said) in [("loki", "takes no OTLP from them"), ("gatway", "did you mean `gateway`?")] {
        let output = telstack(&["sdk-env", node, STACK]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn a_patch_is_for_a_container_and_is_in_no_kustomization() {
    for (word, container) in [("patch", "app"), ("patch container=\"web\"", "web")] {
        let folder = tempfile::tempdir().expect("a folder");
        let stack = format!(
            "stack \"shop\" {{\n platform \"kubernetes\"\n collector \"gateway\" {{ resources memory=\"256MiB\"; receiver \"otlp\"; exporter \"debug\"; \
             pipeline \"traces\" {{ from \"otlp\"; to \"debug\" }} }}\n workload \"app\" namespace=\"dev\" {{ to \"gateway\" token=(secret)\"gateway/token\"; \
             {word} }}\n}}"
        );
        fs::write(folder.path().join("s.stack.kdl"), stack).expect("writable");
        let run = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        let out = folder.path().join("out");
        let read = |file: &str| fs::read_to_string(out.join(file)).unwrap_or_else(|_| panic!("{file} is there"));
        let file = "dev/app-otel-env.patch.yaml";
        let patch = support::json_of_yaml(&read(file)).expect("YAML");
        let of = &patch["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(of["name"], container);
        let told = support::json_of_yaml(&stdout(&telstack_in(folder.path(), &["sdk-env", "app", "s.stack.kdl"])));
        assert_eq!(of["env"], told.expect("YAML")["env"]);
        let command = format!("kubectl patch deployment app --namespace dev --patch-file {file}\n");
        assert!(read("NOTES.md").contains(&command), "{}", read("NOTES.md"));
        for file in support::files_ending(&out, &["kustomization.yaml"]) {
            assert!(!read(&file).contains("patch"), "{file}");
        }
        // What is read back has no Deployment of that name.
        let check = telstack_in(folder.path(), &["check", "--fail-on", "warning", "out"]);
        assert_eq!(check.status.code(), Some(0), "{}{}", stdout(&check), stderr(&check));
    }
}
