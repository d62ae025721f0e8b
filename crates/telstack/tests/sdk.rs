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
