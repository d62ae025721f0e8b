//! Mistakes with resources of the OpenTelemetry operator, which the schema of its API must find.

use serde_json::{Value, json};

use crate::resources::{changed, complaints, first, schema_of};

/// What a change of an emitted collector is refused for.
#[test]
fn what_the_operator_does_not_know_is_refused() {
    let validator = schema_of("OpenTelemetryCollector");
    let of_mode = |mode: &'static str| first("OpenTelemetryCollector", move |it| it["spec"]["mode"] == mode);
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
        assert!(!changed(&validator, &of_mode(mode), place, wrong).is_empty(), "{mode}: {place} is taken");
    }
}

/// What its webhook refuses of a target allocator, and what it takes.
#[test]
fn what_the_operator_does_not_share_out_is_refused() {
    let validator = schema_of("OpenTelemetryCollector");
    let with = |mode: &str, strategy: &str, receiver: &str| {
        let mut value = first("OpenTelemetryCollector", |it| it["spec"]["mode"] == "daemonset");
        value["spec"]["mode"] = mode.into();
        value["spec"]["targetAllocator"] = json!({"enabled": true, "allocationStrategy": strategy});
        value["spec"]["config"]["receivers"][receiver] = json!({"config": {"scrape_configs": [{"job_name": "a"}]}});
        complaints(&validator, &value).is_empty()
    };
    assert!(with("statefulset", "consistent-hashing", "prometheus") && with("daemonset", "per-node", "prometheus"));
    assert!(!with("deployment", "consistent-hashing", "prometheus"));
    assert!(!with("daemonset", "consistent-hashing", "prometheus"));
    assert!(!with("statefulset", "per-node", "prometheus"));
    assert!(!with("statefulset", "consistent-hashing", "prometheus/app"));
}
