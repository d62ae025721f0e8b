//! The house rules that no compiler checks: which crate may use which, who may touch files, how long a
//! file may be, and that links of documents lead somewhere.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Each crate, with the crates of ours that it may use. The arrows of docs/architecture.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("telstack-diagnostics", &[]),
    ("telstack-catalog", &[]),
    ("telstack-syntax", &["telstack-diagnostics"]),
    ("telstack-system", &["telstack-catalog", "telstack-diagnostics", "telstack-syntax"]),
    ("telstack-lang", &["telstack-catalog", "telstack-diagnostics", "telstack-syntax", "telstack-system"]),
    ("telstack-tools", &["telstack-catalog", "telstack-diagnostics", "telstack-syntax", "telstack-system"]),
    ("telstack-lint", &["telstack-catalog", "telstack-diagnostics", "telstack-syntax", "telstack-system"]),
    (
        "telstack-workspace",
        &[
            "telstack-catalog",
            "telstack-diagnostics",
            "telstack-lang",
            "telstack-lint",
            "telstack-syntax",
            "telstack-system",
            "telstack-tools",
        ],
    ),
    ("telstack", &["telstack-diagnostics", "telstack-system", "telstack-workspace"]),
];

/// A word that a crate's sources must not hold, with the files that may, and why.
const BANS: &[(&str, &str, &[&str], &str)] = &[
    ("telstack-system", "petgraph::", &["graph.rs"], "petgraph types stay behind graph.rs"),
    ("telstack-system", "telstack_syntax::yaml", &[], "the System knows no file format"),
    ("telstack-system", "telstack_syntax::stack", &[], "the System knows no stack syntax"),
    ("telstack-system", "telstack_syntax::json", &[], "the System knows no file format"),
    ("telstack-lint", "telstack_syntax::yaml", &[], "rules ask the System, not a file"),
    ("telstack-lint", "telstack_syntax::stack", &[], "rules ask the System, not a file"),
    ("telstack-lang", "telstack_syntax::yaml", &[], "the language knows no emitted file"),
    ("telstack-tools", "telstack_syntax::stack", &[], "tools know no stack syntax"),
];

/// Only these may reach for files, the environment or the clock.
const REACH_OUT: &[&str] = &["telstack", "telstack-workspace"];

/// A file longer than this does not fit in a head.
const LONGEST_FILE: usize = 600;

/// Runs every check and lists everything that is wrong.
pub fn run() -> Result<(), String> {
    let root = root();
    let mut wrong = arrows(&root)?;
    wrong.extend(crate::links::broken(&root));
    for (name, _) in ARROWS {
        for file in sources(&root.join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let shown = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            let base = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for (krate, word, allowed, why) in BANS {
                if krate == name && text.contains(word) && !allowed.contains(&base.as_str()) {
                    wrong.push(format!("{shown}: `{word}` — {why}"));
                }
            }
            let reaches = ["std::fs", "std::env::", "std::net", "SystemTime", "Instant::now"];
            let reaches = reaches.iter().find(|word| text.contains(**word));
            if let Some(word) = reaches.filter(|_| !REACH_OUT.contains(name)) {
                wrong.push(format!("{shown}: `{word}` — files, environment and clock belong to the workspace's I/O"));
            }
            let lines = text.lines().count();
            if lines > LONGEST_FILE {
                wrong.push(format!("{shown}: {lines} lines; split it ({LONGEST_FILE} at most)"));
            }
            if text.contains("todo!(") || text.contains("unimplemented!(") {
                wrong.push(format!("{shown}: unfinished code"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("the house is not tidy:\n{}", wrong.join("\n"))) }
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

fn arrows(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut wrong = Vec::new();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "xtask" {
            continue;
        }
        let Some(allowed) = allowed.get(name) else {
            wrong.push(format!(
                "crate {name} has no place in the house: add it to xtask/src/tidy.rs and docs/architecture.md"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            // Tests may look at the whole house.
            let shipped = dependency["kind"].is_null();
            if shipped && other.starts_with("telstack") && !allowed.contains(&other) {
                wrong.push(format!("{name} must not use {other}"));
            }
        }
    }
    Ok(wrong)
}

/// Every Rust file below a folder, in order.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            found.extend(sources(&entry));
        } else if entry.extension().is_some_and(|it| it == "rs") {
            found.push(entry);
        }
    }
    found
}
