//! Allowed words of settings, from our corrections.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Error;
use super::facts::{Facts, V, list, version, word};

/// Gives texts their allowed words where they have none; the first row that fits decides. Tells which rows
/// fitted, also on a tree that has the words already.
pub fn apply(facts: &Facts, names: &[String], sample: V, tree: &mut Value) -> Result<BTreeSet<usize>, Error> {
    let mut rows = Vec::new();
    for (number, row) in list(&facts.fix_settings, "enums").iter().enumerate() {
        let components = list(row, "components");
        let covered = components.is_empty() || components.iter().any(|c| names.iter().any(|name| c == name));
        let bound = |key: &str| row.get(key).map(|_| version(word(row, key))).transpose();
        let early = bound("from")?.is_some_and(|from| sample < from);
        let late = bound("to")?.is_some_and(|to| to < sample);
        if covered && !early && !late {
            rows.push((number, row));
        }
    }
    let mut met = BTreeSet::new();
    walk(tree, "", &rows, &mut met);
    Ok(met)
}

/// Fails when a row never fits: a misspelt key, say.
pub fn all_met(facts: &Facts, met: &BTreeSet<usize>) -> Result<(), Error> {
    let mut rows = list(&facts.fix_settings, "enums").iter().enumerate();
    match rows.find(|(number, _)| !met.contains(number)) {
        Some((_, row)) => Err(format!("the correction of {} fits nothing: {}", word(row, "key"), row["enum"])),
        None => Ok(()),
    }
}

fn walk(node: &mut Value, path: &str, rows: &[(usize, &Value)], met: &mut BTreeSet<usize>) {
    let Some(children) = node.get_mut("children").and_then(Value::as_object_mut) else { return };
    let keys: Vec<String> = children.keys().cloned().collect();
    for key in &keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let row = rows.iter().find(|(_, row)| fits(row, &path, children));
        let Some(child) = children.get_mut(key) else { continue };
        if let (Some((number, row)), Some(object)) = (row, child.as_object_mut())
            && object.get("type") == Some(&json!("string"))
            && *object.entry("enum").or_insert_with(|| row["enum"].clone()) == row["enum"]
        {
            met.insert(*number);
        }
        walk(child, &path, rows, met);
    }
}

/// Does the path end in the row's key, with the right keys beside it?
fn fits(row: &Value, path: &str, siblings: &Map<String, Value>) -> bool {
    let start = path.strip_suffix(word(row, "key"));
    let beside = list(row, "beside").iter().filter_map(Value::as_str);
    start.is_some_and(|start| start.is_empty() || start.ends_with('.'))
        && beside.into_iter().all(|key| siblings.contains_key(key))
}
