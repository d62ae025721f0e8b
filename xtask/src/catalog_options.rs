//! Options of Loki, Tempo and Prometheus.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Error;
use super::facts::entries;

/// One row or several become a list of compact rows.
fn rows(value: &Value) -> Value {
    let one = |row: &Value| {
        let mut out = Map::new();
        for (from, to) in [("type", "t"), ("default", "d"), ("enum", "e"), ("since", "s"), ("until", "u"), ("ref", "g")]
        {
            if let Some(fact) = row.get(from) {
                out.insert(to.to_owned(), fact.clone());
            }
        }
        Value::Object(out)
    };
    match value {
        Value::Array(all) => all.iter().map(one).collect(),
        row => json!([one(row)]),
    }
}

fn insert(out: &mut BTreeMap<String, Value>, key: &str, value: Value) -> Result<(), Error> {
    match out.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(format!("the option {key} is there twice")),
    }
}

/// Loki and Tempo: flat paths, and groups that several paths share.
pub fn tree_options(product: &Value) -> Result<BTreeMap<String, Value>, Error> {
    let mut out = BTreeMap::new();
    for (path, value) in entries(product, "options") {
        insert(&mut out, path, rows(value))?;
    }
    for (group, options) in entries(product, "defs") {
        for (path, value) in options.as_object().into_iter().flatten() {
            insert(&mut out, &format!("#{group}/{path}"), rows(value))?;
        }
    }
    Ok(out)
}

/// Prometheus: blocks of its file, flags (`--name`) and feature words.
pub fn prometheus(product: &Value) -> Result<BTreeMap<String, Value>, Error> {
    let mut out = BTreeMap::new();
    let root = product["root"].as_str().unwrap_or("");
    for (block, options) in entries(product, "blocks") {
        for (key, value) in options.as_object().into_iter().flatten() {
            let path = if block == root { key.clone() } else { format!("#{block}/{key}") };
            insert(&mut out, &path, rows(value))?;
        }
    }
    for (flag, value) in entries(product, "flags") {
        insert(&mut out, &format!("--{flag}"), rows(value))?;
    }
    for (feature, value) in entries(product, "enable_feature") {
        // The state takes the place of the type.
        let states = match value {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        let states: Vec<Value> = states
            .into_iter()
            .map(|mut row| {
                row["type"] = row["state"].clone();
                row
            })
            .collect();
        insert(&mut out, &format!("--enable-feature={feature}"), rows(&json!(states)))?;
    }
    Ok(out)
}
