//! Options of Loki, Tempo, Mimir and Prometheus.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Error;
use super::facts::entries;

/// The last minor of Tempo that takes flat overrides by itself.
const LEGACY_OVERRIDES_UNTIL: &str = "2.10";

/// What was read before a release (`3.1-dev`) counts for it.
fn release(key: &str, fact: &Value) -> Value {
    let before = fact.as_str().filter(|_| matches!(key, "s" | "u")).and_then(|it| it.strip_suffix("-dev"));
    before.map_or_else(|| fact.clone(), |it| json!(it))
}

/// One row or several become a list of compact rows.
fn rows(value: &Value) -> Value {
    let one = |row: &Value| {
        let mut out = Map::new();
        for (from, to) in [("type", "t"), ("default", "d"), ("enum", "e"), ("since", "s"), ("until", "u"), ("ref", "g")]
        {
            if let Some(fact) = row.get(from) {
                out.insert(to.to_owned(), release(to, fact));
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

/// Loki, Tempo and Mimir: flat paths, and groups that several paths share.
pub fn tree_options(product: &Value) -> Result<BTreeMap<String, Value>, Error> {
    let mut out = BTreeMap::new();
    for (path, value) in entries(product, "options") {
        insert(&mut out, path, rows(value))?;
    }
    // Tempo's overrides in their older form. 3.0 takes them only when it is told to.
    for (key, value) in entries(product, "legacy_overrides_keys") {
        let mut row = value.clone();
        if row["since"] != json!("3.0") {
            row["until"] = json!(LEGACY_OVERRIDES_UNTIL);
        }
        insert(&mut out, &format!("overrides.{key}"), rows(&row))?;
    }
    for (group, options) in entries(product, "defs") {
        for (path, value) in options.as_object().into_iter().flatten() {
            insert(&mut out, &format!("#{group}/{path}"), rows(value))?;
        }
    }
    Ok(out)
}

/// How deep groups lie in each other.
const DEPTH: usize = 6;

/// Loki, Tempo and Mimir: the setting that a flag goes before. A flag that sets a list adds to it, and one that has
/// several settings is none of ours.
pub fn tree_flags(product: &Value) -> BTreeMap<String, Value> {
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let options = product["options"].as_object().cloned().unwrap_or_default();
    collect(product, &options, ("", ""), DEPTH, &mut settings);
    let one = |(flag, paths): (String, Vec<String>)| match paths.as_slice() {
        [path] => Some((flag, json!(path))),
        _ => None,
    };
    settings.into_iter().filter_map(one).collect()
}

/// The flags of a group below a path; those that start with `~` go on from a prefix.
fn collect(
    product: &Value,
    options: &Map<String, Value>,
    (above, prefix): (&str, &str),
    depth: usize,
    out: &mut BTreeMap<String, Vec<String>>,
) {
    for (path, value) in options {
        let path = if above.is_empty() { path.clone() } else { format!("{above}.{path}") };
        // Which of them is meant is not for a flag to say.
        if path.contains(['[', '<']) {
            continue;
        }
        let rows = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        for row in rows {
            let text = |key: &str| row[key].as_str().unwrap_or_default();
            let flag = match text("flag").strip_prefix('~') {
                Some(_) if prefix.is_empty() => String::new(),
                Some(end) => format!("{prefix}.{}", end.trim_start_matches('.')),
                None => text("flag").to_owned(),
            };
            if !flag.is_empty() && !text("type").starts_with("list") && !text("type").starts_with("map") {
                let paths = out.entry(flag).or_default();
                if !paths.contains(&path) {
                    paths.push(path.clone());
                }
            }
            let group = product["defs"][text("ref")].as_object().filter(|_| depth > 0);
            if let Some(group) = group {
                collect(product, group, (&path, text("flag_prefix")), depth - 1, out);
            }
        }
    }
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
