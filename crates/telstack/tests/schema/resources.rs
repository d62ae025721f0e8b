//! Custom resources, held against schemas of our own: the fields that are written, and nothing else. Kinds that
//! Kubernetes itself has are held against its own schemas, with kubernetes-validate.

use std::{collections::BTreeSet, fs};

use jsonschema::Validator;
use serde_json::Value;

use crate::support::{all_of_yaml, files_ending, root};

/// Each kind of which there is a schema: its API, its name, and the file.
const KINDS: [(&str, &str, &str); 4] = [
    ("opentelemetry.io/v1beta1", "OpenTelemetryCollector", "operator/collector"),
    ("opentelemetry.io/v1alpha1", "Instrumentation", "operator/instrumentation"),
    ("cert-manager.io/v1", "Issuer", "cert-manager/issuer"),
    ("cert-manager.io/v1", "Certificate", "cert-manager/certificate"),
];

/// Groups of the API that Kubernetes itself has, and kustomize's own.
const BUILT_IN: [&str; 7] =
    ["", "apps", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "kustomize.config.k8s.io"];

/// The schema of a kind.
pub(crate) fn schema_of(kind: &str) -> Validator {
    let (.., file) = KINDS.iter().find(|it| it.1 == kind).expect("a kind with a schema");
    let path = root().join(format!("crates/telstack/tests/schema/{file}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// What is wrong with a resource.
pub(crate) fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

/// Is that of a kind that an operator brings along?
fn is_custom(value: &Value) -> bool {
    let group = value["apiVersion"].as_str().map(|it| it.rsplit_once('/').map_or("", |(group, _)| group));
    value["kind"].is_string() && group.is_some_and(|it| !BUILT_IN.contains(&it))
}

/// The custom resources of all goldens, each with where it stands.
pub(crate) fn emitted() -> Vec<(String, Value)> {
    let golden = root().join("golden");
    let documents = files_ending(&golden, &["yaml", "yml"]).into_iter().flat_map(|path| {
        let text = fs::read_to_string(golden.join(&path)).expect("a file");
        let all = all_of_yaml(&text).unwrap_or_else(|| panic!("{path}: not YAML"));
        all.into_iter().map(move |it| (path.clone(), it))
    });
    documents.filter(|it| is_custom(&it.1)).collect()
}

/// The first of a kind that fits.
pub(crate) fn first(kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let mut found = emitted().into_iter().map(|it| it.1);
    found.find(|it| it["kind"] == kind && fits(it)).unwrap_or_else(|| panic!("no golden has such a {kind}"))
}

/// Says what is wrong with a resource once a value in it is another one.
pub(crate) fn changed(validator: &Validator, value: &Value, place: &str, wrong: Value) -> Vec<String> {
    let mut value = value.clone();
    let (parent, key) = place.rsplit_once('/').expect("a place");
    value.pointer_mut(parent).unwrap_or_else(|| panic!("{place}: not there"))[key] = wrong;
    complaints(validator, &value)
}

#[test]
fn each_custom_resource_is_as_its_schema_wants_it() {
    let mut seen = BTreeSet::new();
    for (path, value) in emitted() {
        let known = |it: &&(&str, &str, &str)| value["apiVersion"] == it.0 && value["kind"] == it.1;
        let (_, kind, _) = KINDS.iter().find(known).unwrap_or_else(|| {
            panic!("{path}: no schema of {} {}: write one, and name it in KINDS", value["apiVersion"], value["kind"])
        });
        let wrong = complaints(&schema_of(kind), &value);
        assert!(wrong.is_empty(), "{path}: {}", wrong.join("\n"));
        seen.insert(*kind);
    }
    let unseen: Vec<&str> = KINDS.iter().map(|it| it.1).filter(|it| !seen.contains(it)).collect();
    assert!(unseen.is_empty(), "no golden has {unseen:?}");
}

#[test]
fn what_cert_manager_does_not_know_is_refused() {
    let signed = |key: &'static str| move |it: &Value| it["spec"].get(key).is_some();
    let (ca, own) = (first("Issuer", signed("ca")), first("Issuer", signed("selfSigned")));
    let leaf = first("Certificate", signed("dnsNames"));
    let authority = first("Certificate", signed("isCA"));
    let broken: [(&Value, &str, Value); 13] = [
        (&ca, "/spec/ca/secret", "x".into()),
        (&ca, "/spec/selfSigned", Value::Object(serde_json::Map::new())),
        (&ca, "/apiVersion", "cert-manager.io/v1alpha2".into()),
        (&own, "/spec/selfSigned", Value::Null),
        (&leaf, "/spec/dnsName", "otlp.example.com".into()),
        (&leaf, "/spec/dnsNames", "otlp.example.com".into()),
        (&leaf, "/spec/dnsNames", Value::Array(Vec::new())),
        (&leaf, "/spec/usages", vec!["server-auth"].into()),
        (&leaf, "/spec/issuerRef/kind", "Cluster".into()),
        (&leaf, "/spec/secretName", "Gateway".into()),
        (&leaf, "/spec/privateKey/size", 128.into()),
        (&authority, "/spec/duration", "10y".into()),
        (&authority, "/spec/isCA", "true".into()),
    ];
    for (value, place, wrong) in broken {
        let validator = schema_of(value["kind"].as_str().expect("a kind"));
        assert!(complaints(&validator, value).is_empty(), "right before");
        assert!(!changed(&validator, value, place, wrong.clone()).is_empty(), "{place}: {wrong} is taken");
    }
}
