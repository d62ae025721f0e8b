//! What the tests of the binary share.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder")
}

/// The built binary, run in the project's folder with a plain environment.
pub fn telstack(args: &[&str]) -> Output {
    telstack_in(&root(), args)
}

/// The built binary, run in a folder.
pub fn telstack_in(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_telstack"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .expect("the binary runs")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Names of the stacks in `stacks/`.
pub fn stacks() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("stacks"))
        .expect("stacks/")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".stack.kdl").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 2, "the stacks are there");
    names
}

/// Those of them that compile to a folder with that file.
pub fn stacks_with(file: &str) -> Vec<String> {
    let mut names = stacks();
    names.retain(|stack| root().join("golden").join(stack).join(file).exists());
    assert!(!names.is_empty(), "a golden has {file}");
    names
}

/// Every file below a folder with one of these endings, relative to it, in order.
pub fn files_ending(folder: &Path, endings: &[&str]) -> Vec<String> {
    let fits = |file: &String| Path::new(file).extension().is_some_and(|it| endings.iter().any(|ending| it == *ending));
    files(folder).into_iter().filter(fits).collect()
}

/// Every file below a folder, relative to it, in order.
pub fn files(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).expect("below").to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// The first document of a YAML text as JSON, with merge keys applied. None if it is not YAML.
pub fn json_of_yaml(text: &str) -> Option<serde_json::Value> {
    all_of_yaml(text)?.into_iter().next()
}

/// The documents of a YAML text as JSON, with merge keys applied. None if it is not YAML.
pub fn all_of_yaml(text: &str) -> Option<Vec<serde_json::Value>> {
    let mut sources = telstack_diagnostics::SourceMap::default();
    let file = sources.add("it.yaml", text);
    let mut all = telstack_syntax::yaml::read(file, text).ok()?;
    all.iter_mut().for_each(telstack_syntax::yaml::merge_keys);
    Some(all.iter().map(json).collect())
}

fn json<M>(value: &telstack_syntax::tree::Value<M>) -> serde_json::Value {
    use telstack_syntax::tree::Kind;
    match &value.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(it) => (*it).into(),
        Kind::Int(it) => (*it).into(),
        Kind::Float(it) => (*it).into(),
        Kind::String(it) => it.as_str().into(),
        Kind::Seq(seq) => seq.items.iter().map(json).collect(),
        Kind::Map(map) => map.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect(),
    }
}
