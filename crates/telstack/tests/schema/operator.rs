//! The resources of the OpenTelemetry operator, held against schemas of our own: the fields that are written, and
//! nothing else.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::{files_ending, json_of_yaml, root};

/// The schema of a resource.
fn resource(name: &str) -> Validator {
    let path = root().join(format!("crates/telstack/tests/schema/operator/{name}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// The documents of a kind in all goldens, each with where it stands.
fn emitted(kind: &str) -> Vec<(String, Value)> {
    let golden = root().join("golden");
    let mut found = Vec::new();
    for path in files_ending(&golden, &["yaml"]) {
        let text = fs::read_to_string(golden.join(&path)).expect("a file");
        for document in text.split("\n---\n").filter(|it| it.lines().any(|line| line == format!("kind: {kind}"))) {
            found.push((path.clone(), json_of_yaml(document).unwrap_or_else(|| panic!("{path}: not YAML"))));
        }
    }
    found
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

#[test]
fn emitted_resources_are_as_the_operator_wants_them() {
    for (name, kind) in [("collector", "OpenTelemetryCollector"), ("instrumentation", "Instrumentation")] {
        let (validator, found) = (resource(name), emitted(kind));
        assert!(!found.is_empty(), "a golden has a {kind}");
        for (path, value) in found {
            let wrong = complaints(&validator, &value);
            assert!(wrong.is_empty(), "{path}: {}", wrong.join("\n"));
        }
    }
}

/// What a change of an emitted collector is refused for.
#[test]
fn what_the_operator_does_not_know_is_refused() {
    let validator = resource("collector");
    let found = emitted("OpenTelemetryCollector");
    let of_mode = |mode: &str| &found.iter().find(|(_, it)| it["spec"]["mode"] == mode).expect("one of them").1;
    let broken: [(&str, &str, Value); 9] = [
        ("daemonset", "/spec/replicas", 2.into()),
        ("daemonset", "/spec/mode", "daemon".into()),
        ("daemonset", "/spec/serviceAccountName", "node".into()),
        ("daemonset", "/spec/config", "receivers: {}".into()),
        ("daemonset", "/spec/config/receivers/otlp", Value::Null),
        ("daemonset", "/spec/config/service/pipelines/traces/receivers", Value::Array(Vec::new())),
        ("statefulset", "/spec/mode", "deployment".into()),
        ("statefulset", "/spec/replicas", "2".into()),
        ("statefulset", "/apiVersion", "opentelemetry.io/v1alpha1".into()),
    ];
    for (mode, place, wrong) in broken {
        let mut value = of_mode(mode).clone();
        let (parent, key) = place.rsplit_once('/').expect("a place");
        value.pointer_mut(parent).expect("there")[key] = wrong;
        assert!(!complaints(&validator, &value).is_empty(), "{mode}: {place} is taken");
    }
}
