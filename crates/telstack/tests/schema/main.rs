//! The JSON Schemas: valid, up to date, and in agreement with the language and with collectors.

mod collector;
mod diagnostics;
mod operator;
mod resources;
mod stack;
#[path = "../readback/stacks.rs"]
mod stacks;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, path::Path, process::Command};

use jsonschema::Validator;
use serde_json::Value;
use support::{json_of_yaml, root, stderr, stdout, telstack};
use telstack_workspace::{Assumed, Described, schema};

fn parsed(described: Described) -> Value {
    serde_json::from_str(&schema(described)).expect("JSON")
}

fn validator(described: Described) -> Validator {
    jsonschema::validator_for(&parsed(described)).expect("a schema")
}

fn otelcol(version: &str, distribution: &str) -> Described {
    Described::Collector(Assumed::new(Some(version), Some(distribution)).expect("a release"))
}

/// What a schema says of a YAML text: places and complaints.
fn complaints(validator: &Validator, text: &str) -> Vec<(String, String)> {
    let value = json_of_yaml(text).unwrap_or_else(|| panic!("not YAML:\n{text}"));
    let said = |error: jsonschema::ValidationError<'_>| (error.instance_path().to_string(), error.to_string());
    validator.iter_errors(&value).map(said).collect()
}

/// Runs the validator that users have.
fn check_jsonschema(folder: &Path, args: &[&str]) -> (bool, String) {
    let output = Command::new("check-jsonschema")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("check-jsonschema is needed ({error}): run scripts/tools.sh"));
    (output.status.success(), stdout(&output) + &stderr(&output))
}

#[test]
fn published_schemas_are_what_the_command_prints() {
    for name in ["stack", "diagnostics", "settings"] {
        let output = telstack(&["schema", name]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let published = fs::read_to_string(root().join(format!("schemas/{name}.schema.json"))).expect("published");
        assert!(stdout(&output) == published, "schemas/{name}.schema.json: run `cargo xtask gen`");
    }
    let one = telstack(&["schema", "otelcol", "--version", "0.91.0", "--distribution", "core"]);
    let two = telstack(&["schema", "otelcol", "--distribution", "core", "--version", "v0.91.0"]);
    assert_eq!(one.status.code(), Some(0), "{}", stderr(&one));
    assert!(one.stdout == two.stdout, "the same bytes every time");
    assert!(stdout(&one).contains("\"title\": \"otelcol 0.91.0\""));
}

#[test]
fn what_cannot_be_described_is_said() {
    let cases = [
        (&["schema", "stack", "--version", "0.158.0"][..], "belong to `telstack schema otelcol`"),
        (&["schema", "otelcol", "--version", "0.76.0"], "the nearest is"),
        (&["schema", "otelcol", "--distribution", "contirb"], "did you mean `contrib`?"),
        (&["schema", "otelcol", "--distribution", "alloy"], "there is core, contrib"),
        (&["schema", "otelcol", "--version", "0.80.0", "--distribution", "k8s"], "its first release is 0.98.0"),
        (&["schema", "otelcol", "--version", "new"], "no collector release `new` is known"),
        (&["schema", "stak"], "invalid value"),
    ];
    for (args, words) in cases {
        let output = telstack(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(stdout(&output), "", "{args:?}");
        let text = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{args:?}: {text}");
    }
}

#[test]
fn all_are_valid_schemas() {
    let folder = tempfile::tempdir().expect("a folder");
    let described = [
        Described::Stack,
        Described::Diagnostics,
        Described::Settings,
        otelcol("0.70.0", "core"),
        otelcol("0.104.0", "contrib"),
        Described::Collector(Assumed::new(None, None).expect("the newest")),
    ];
    let mut args = vec!["--check-metaschema".to_owned()];
    for (at, described) in described.into_iter().enumerate() {
        let value = parsed(described);
        assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema");
        if let Err(error) = jsonschema::meta::validate(&value) {
            panic!("{described:?}: {error}");
        }
        assert_eq!(dangling(&value), Vec::<String>::new(), "{described:?}");
        assert_eq!(unused(&value), Vec::<String>::new(), "{described:?}");
        args.push(format!("{at}.json"));
        fs::write(folder.path().join(format!("{at}.json")), schema(described)).expect("writable");
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (valid, said) = check_jsonschema(folder.path(), &args);
    assert!(valid, "{said}");
}

/// Every `$ref` of a schema.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

fn dangling(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    references(schema, &mut found);
    found.retain(|it| it.strip_prefix('#').is_none_or(|pointer| schema.pointer(pointer).is_none()));
    found
}

fn unused(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    references(schema, &mut found);
    let names = schema["$defs"].as_object().into_iter().flat_map(|defs| defs.keys());
    // The types of a release are few, and are all there.
    names.filter(|it| !it.starts_with("type.") && !found.contains(&format!("#/$defs/{it}"))).cloned().collect()
}

#[test]
fn the_schema_of_the_newest_collector_is_of_a_sensible_size() {
    let start = std::time::Instant::now();
    let text = schema(Described::Collector(Assumed::new(None, None).expect("the newest")));
    println!("{} bytes in {:?}", text.len(), start.elapsed());
    assert!((200_000..2_000_000).contains(&text.len()), "{} bytes", text.len());
    let stack = schema(Described::Stack);
    assert!(stack.len() < 200_000, "{} bytes", stack.len());
}
