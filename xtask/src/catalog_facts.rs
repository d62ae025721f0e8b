//! Reading of the facts and of our corrections.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Error;

/// A release version as three numbers.
pub type V = (u32, u32, u32);

/// Reads `v0.158.0` or `0.158.0`.
pub fn version(text: &str) -> Result<V, Error> {
    let bad = || format!("not a version: {text}");
    let mut parts = text.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let mut next = || parts.next().and_then(Result::ok).ok_or_else(bad);
    Ok((next()?, next()?, next()?))
}

/// Writes `0.158.0`.
pub fn text(version: V) -> String {
    format!("{}.{}.{}", version.0, version.1, version.2)
}

/// `v0.158.0` to `0.158.0`.
pub fn strip(text: &str) -> String {
    text.trim_start_matches('v').to_owned()
}

/// A `[since, until]` pair without the `v`s.
pub fn strip_pair(pair: &Value) -> Value {
    match pair.as_array() {
        Some(ends) => {
            ends.iter().map(|end| end.as_str().map_or(Value::Null, |end| Value::String(strip(end)))).collect()
        }
        None => Value::Null,
    }
}

/// Everything read.
pub struct Facts {
    folder: PathBuf,
    pub components: Vec<Value>,
    pub shared: Value,
    pub meta: Value,
    pub overlay: Value,
    pub core: Value,
    pub distributions: Value,
    pub events: Vec<Value>,
    pub gone: Vec<Value>,
    pub runtime: Value,
    pub fix_components: Value,
    pub fix_dates: Value,
    pub fix_protocols: Value,
    pub fix_runtime: Value,
    pub fix_settings: Value,
    pub fix_trees: Value,
    /// Sampled versions, ascending.
    pub samples: Vec<V>,
}

impl Facts {
    /// Reads the facts folder (with `otelcol` and `backends` in it) and the corrections folder.
    pub fn load(folder: &Path, corrections: &Path) -> Result<Self, Error> {
        let otelcol = folder.join("otelcol");
        let meta = json(&otelcol.join("meta.json"))?;
        let events = json(&otelcol.join("events.json"))?;
        let lines = read(&otelcol.join("components.jsonl"))?;
        let components = lines
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|error| format!("components.jsonl: {error}")))
            .collect::<Result<Vec<Value>, _>>()?;
        let samples = list(&meta, "samples").iter().map(|v| version(v.as_str().unwrap_or("")));
        Ok(Self {
            samples: samples.collect::<Result<_, _>>()?,
            folder: folder.to_owned(),
            components,
            shared: json(&otelcol.join("shared.json"))?,
            overlay: json(&otelcol.join("overlay.json"))?,
            core: json(&otelcol.join("core_settings.json"))?,
            distributions: json(&otelcol.join("distributions.json"))?,
            events: list(&events, "events").to_vec(),
            gone: list(&events, "settings_gone_between_samples").to_vec(),
            runtime: json(&otelcol.join("runtime.json"))?,
            fix_components: json(&corrections.join("components.json"))?,
            fix_dates: json(&corrections.join("dates.json"))?,
            fix_protocols: json(&corrections.join("protocols.json"))?,
            fix_runtime: json(&corrections.join("runtime.json"))?,
            fix_settings: json(&corrections.join("settings.json"))?,
            fix_trees: json(&corrections.join("trees.json"))?,
            meta,
        })
    }

    /// The facts of a store, `backends/NAME.json`.
    pub fn backend(&self, name: &str) -> Result<Value, Error> {
        json(&self.folder.join("backends").join(format!("{name}.json")))
    }
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Result<Value, Error> {
    serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// The list under a key; empty when there is none.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The text under a key; empty when there is none.
pub fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// The entries of the object under a key.
pub fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}
