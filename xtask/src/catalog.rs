//! `cargo xtask catalog`: rebuilds the catalog's data from a folder of facts.

#[path = "catalog_components.rs"]
mod components;
#[path = "catalog_enums.rs"]
mod enums;
#[path = "catalog_facts.rs"]
mod facts;
#[path = "catalog_options.rs"]
mod options;
#[path = "catalog_runtime.rs"]
mod runtime;
#[path = "catalog_show.rs"]
mod show;
#[path = "catalog_trees.rs"]
mod trees;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
pub use show::show;

/// Anything that stops the work, in words.
pub type Error = String;

/// Where the catalog crate is, from the root of the project.
const CRATE: &str = "crates/telstack-catalog";

/// Rebuilds the data (or, with `check`, compares it with what is committed) and verifies it.
pub fn run(facts: &Path, check: bool) -> Result<(), Error> {
    let root = project_root()?;
    let facts = facts::Facts::load(facts, &root.join(CRATE).join("corrections"))?;
    let built = components::build(&facts)?;
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    files.insert("otelcol/releases.json", components::releases(&facts)?);
    files.insert("otelcol/names.jsonl", lines(&built.names));
    files.insert("otelcol/components.jsonl", lines(&built.components));
    files.insert("otelcol/trees.jsonl", lines(&built.trees));
    files.insert("otelcol/core_settings.json", runtime::core_settings(&facts)?);
    files.insert("otelcol/runtime.jsonl", lines(&runtime::runtime(&facts, &built.canonical)?));
    for (settings, flags, product) in [
        ("loki_options.jsonl", "loki_flags.jsonl", "loki"),
        ("tempo_options.jsonl", "tempo_flags.jsonl", "tempo"),
        ("mimir_options.jsonl", "mimir_flags.jsonl", "mimir"),
    ] {
        let product = facts.backend(product)?;
        files.insert(settings, lines(&options::tree_options(&product)?));
        files.insert(flags, lines(&options::tree_flags(&product)));
    }
    files.insert("prometheus_options.jsonl", lines(&options::prometheus(&facts.backend("prometheus")?)?));

    let report = components::verify(&facts, &files)?;
    let data = root.join(CRATE).join("data");
    let (mut different, mut bytes) = (Vec::new(), 0);
    for (name, text) in &files {
        bytes += text.len();
        let path = data.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() == Some(text) {
            continue;
        }
        different.push(*name);
        if !check {
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    println!("{report}");
    println!("{} files, {bytes} bytes, {} changed", files.len(), different.len());
    if check && !different.is_empty() {
        return Err(format!("out of date: {}", different.join(", ")));
    }
    Ok(())
}

/// The folder with the workspace manifest.
fn project_root() -> Result<PathBuf, Error> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).ok_or_else(|| "no project folder".to_owned())
}

/// One `["key",value]` a line, sorted by key.
fn lines(records: &BTreeMap<String, Value>) -> String {
    let mut text = String::new();
    for (key, value) in records {
        assert!(!key.contains(['"', '\\']), "a key with an escape: {key}");
        let _ = writeln!(text, "[\"{key}\",{value}]");
    }
    text
}
