//! Ports, protocols, needs; keys of core structs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Error;
use super::facts::{Facts, entries, list, strip_pair};

/// `runtime.jsonl`: one record a component.
pub fn runtime(facts: &Facts, canonical: &HashMap<String, String>) -> Result<BTreeMap<String, Value>, Error> {
    let mut records: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (key, value) in entries(&facts.runtime, "components") {
        let known = canonical.get(key).ok_or_else(|| format!("runtime facts of unknown {key}"))?;
        let record = records.entry(known.clone()).or_default();
        for what in ["placement", "order", "rbac", "src"] {
            if let Some(fact) = value.get(what) {
                record.insert(what.to_owned(), fact.clone());
            }
        }
        if let Some(protocol) = value["protocol"].as_str() {
            record.insert("protocol".to_owned(), json!(protocol));
        }
        if let Some(stateful) = value.get("stateful") {
            record.insert("scope".to_owned(), stateful["scope"].clone());
            if stateful["same_instance_required"] == json!(true) {
                record.insert("same_instance".to_owned(), json!(true));
            }
        }
        if let Some(storage) = value["storage"].as_str() {
            record.insert("storage".to_owned(), json!(storage));
        }
        let provides = match &value["provides"] {
            Value::String(one) => vec![json!(one)],
            Value::Array(all) => all.clone(),
            _ => Vec::new(),
        };
        if !provides.is_empty() {
            record.insert("provides".to_owned(), json!(provides));
        }
        let listens: Vec<Value> = list(value, "listens").iter().map(listen).collect();
        if !listens.is_empty() {
            record.insert("listens".to_owned(), json!(listens));
        }
        if let Some(defaults) = value["defaults"].as_object() {
            record.insert("defaults".to_owned(), Value::Object(defaults.clone()));
        }
    }
    let known = |key: &str| canonical.get(key).cloned().ok_or_else(|| format!("a correction of unknown {key}"));
    for (key, protocol) in entries(&facts.fix_protocols, "words") {
        records.entry(known(key)?).or_default().insert("protocol".to_owned(), protocol.clone());
    }
    let fix = &facts.fix_runtime;
    for what in ["required", "storage", "placement"] {
        for (key, value) in entries(fix, what) {
            records.entry(known(key)?).or_default().insert(what.to_owned(), value.clone());
        }
    }
    for key in list(fix, "reads_context").iter().filter_map(Value::as_str) {
        records.entry(known(key)?).or_default().insert("reads_context".to_owned(), json!(true));
    }
    for dropped in list(&fix["defaults_dropped"], "keys").iter().filter_map(Value::as_str) {
        let (key, path) = dropped.split_once('.').ok_or_else(|| format!("no path in {dropped}"))?;
        let defaults = records.get_mut(&known(key)?).and_then(|record| record.get_mut("defaults"));
        if let Some(defaults) = defaults.and_then(Value::as_object_mut) {
            defaults.shift_remove(path);
        }
    }
    for (key, values) in entries(fix, "defaults") {
        let record = records.entry(known(key)?).or_default();
        let defaults = record.entry("defaults").or_insert_with(|| json!({}));
        for (path, value) in values.as_object().into_iter().flatten() {
            defaults[path] = value.clone();
        }
    }
    Ok(records.into_iter().map(|(key, record)| (key, Value::Object(record))).collect())
}

/// One port: the host that changed with 0.104.0 becomes the word `gate`.
fn listen(value: &Value) -> Value {
    let host = match &value["host"] {
        Value::Array(_) => json!("gate"),
        other => other.clone(),
    };
    let mut row = json!({"setting": value["setting"], "port": value["port"], "transport": value["transport"]});
    for (from, to) in [("app", "app"), ("enabled", "when")] {
        if let Some(fact) = value.get(from) {
            row[to] = fact.clone();
        }
    }
    if !host.is_null() {
        row["host"] = host;
    }
    row
}

/// `core_settings.json`: keys of core structs with ranges of releases.
pub fn core_settings(facts: &Facts) -> Result<String, Error> {
    let structs: Vec<(&String, &Value)> = entries(&facts.core, "structs").collect();
    let mut out = String::from("{\n");
    for (at, (name, value)) in structs.iter().enumerate() {
        let whole = json!([strip_pair(&value["releases"])]);
        let keys: Map<String, Value> = entries(value, "keys")
            .map(|(key, ranges)| {
                let ranges = match ranges {
                    Value::Array(ranges) => ranges.iter().map(strip_pair).collect(),
                    _ => whole.clone(),
                };
                (key.clone(), ranges)
            })
            .collect();
        if keys.is_empty() {
            return Err(format!("no keys in {name}"));
        }
        let comma = if at + 1 < structs.len() { "," } else { "" };
        let _ = writeln!(out, " {}: {}{comma}", json!(name), Value::Object(keys));
    }
    out.push_str("}\n");
    Ok(out)
}
