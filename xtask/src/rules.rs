//! Writes what follows from the code: the registry of rules, a docs page for each of them, and the JSON Schemas
//! that are published.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use telstack_diagnostics::{RuleInfo, render};
use telstack_workspace::Described;

type Error = String;

/// Where the registry and the pages are, below the repository's root.
const LINT: &str = "crates/telstack-lint/src";
const DOCS: &str = "docs/rules";

/// Writes, or with `check` compares, the registry and the pages.
pub fn run(check: bool) -> Result<(), Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder above this one")?;
    let registry = registry(root)?;
    let stale = differing(root, &registry)?;
    if !stale.is_empty() {
        if check {
            return Err(format!("{}: not what `cargo xtask gen` writes", stale.join(", ")));
        }
        write(root, &registry)?;
        // The pages come from the rules as compiled: this program does not know the new list yet.
        let status = Command::new(env!("CARGO")).args(["xtask", "gen"]).current_dir(root).status();
        return match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`cargo xtask gen`: {status}")),
            Err(error) => Err(format!("`cargo xtask gen`: {error}")),
        };
    }
    let pages = pages();
    let stale = differing(root, &pages)?;
    let old = left_over(root, &pages)?;
    if check {
        let wrong: Vec<String> = stale.into_iter().chain(old.iter().map(|path| path.display().to_string())).collect();
        return match wrong.as_slice() {
            [] => Ok(()),
            _ => Err(format!("{}: not what `cargo xtask gen` writes", wrong.join(", "))),
        };
    }
    for path in old {
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    write(root, &pages)
}

/// Files by their path below the root.
type Files = BTreeMap<String, String>;

fn differing(root: &Path, files: &Files) -> Result<Vec<String>, Error> {
    let mut stale = Vec::new();
    for (path, text) in files {
        match fs::read_to_string(root.join(path)) {
            Ok(found) if found == *text => {}
            Ok(_) => stale.push(path.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => stale.push(path.clone()),
            Err(error) => return Err(format!("{path}: {error}")),
        }
    }
    Ok(stale)
}

fn write(root: &Path, files: &Files) -> Result<(), Error> {
    for (path, text) in files {
        let path = root.join(path);
        let folder = path.parent().ok_or("a file without a folder")?;
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Pages of codes that are no more.
fn left_over(root: &Path, pages: &Files) -> Result<Vec<PathBuf>, Error> {
    let folder = root.join(DOCS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&str> = pages.keys().filter_map(|path| path.rsplit('/').next()).collect();
    let old = list(&folder)?.into_iter().filter(|path| !name(path).is_some_and(|name| names.contains(name)));
    Ok(old.filter(|path| path.extension().is_some_and(|it| it == "md")).collect())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// The list of rules, and the modules that hold them, from the files there are.
fn registry(root: &Path) -> Result<Files, Error> {
    let mut modules = String::from("//! One folder for each family of codes. Written by `cargo xtask gen`.\n");
    let (mut all, mut infos) = (String::new(), String::new());
    for folder in list(&root.join(LINT).join("rules"))?.into_iter().filter(|path| path.is_dir()) {
        let family = name(&folder).ok_or("a folder without a name")?.to_owned();
        let _ = write!(modules, "\npub(crate) mod {family} {{\n");
        for file in list(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs")) {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).ok_or("a file without a name")?;
            let _ = writeln!(modules, "    pub(crate) mod {stem};");
            let _ = writeln!(all, "    &rules::{family}::{stem}::RULE,");
            let _ = writeln!(infos, "    &rules::{family}::{stem}::RULE.info,");
        }
        modules.push_str("}\n");
    }
    let registry = format!(
        "//! Every rule, by code. Written by `cargo xtask gen`.\n\n\
         use telstack_diagnostics::RuleInfo;\n\n\
         use crate::{{Rule, rules}};\n\n\
         /// Every rule, by code.\n\
         pub(crate) static ALL: &[&Rule] = &[\n{all}];\n\n\
         /// What every rule is, by code.\n\
         pub static RULES: &[&RuleInfo] = &[\n{infos}];\n"
    );
    Ok(Files::from([(format!("{LINT}/generated.rs"), registry), (format!("{LINT}/rules/mod.rs"), modules)]))
}

/// A page for each code of every crate that reports, and the list of them.
fn pages() -> Files {
    let rules = telstack_workspace::all_rules();
    let mut files: Files =
        rules.iter().map(|rule| (format!("{DOCS}/{}.md", rule.code), render::rule_page(rule))).collect();
    files.insert(format!("{DOCS}/README.md"), index(rules.iter().copied()));
    for (name, described) in
        [("stack", Described::Stack), ("diagnostics", Described::Diagnostics), ("settings", Described::Settings)]
    {
        files.insert(format!("schemas/{name}.schema.json"), telstack_workspace::schema(described));
    }
    files
}

/// The families of codes, by their letter.
const FAMILIES: [(&str, &str); 19] = [
    ("C", "Containers"),
    ("D", "Durability and memory"),
    ("E", "Environment"),
    ("F", "Files that are read"),
    ("G", "Grafana"),
    ("H", "HAProxy"),
    ("K", "Kubernetes"),
    ("L", "Loki"),
    ("M", "Metrics"),
    ("N", "Network: the links between nodes"),
    ("P", "Pipelines"),
    ("R", "The form of files that are read"),
    ("S", "Sampling, and what must see all of a stream"),
    ("T", "Stores"),
    ("U", "telstack's own comments and settings"),
    ("V", "Versions"),
    ("X", "Secrets and exposure"),
    ("Y", "Settings"),
    ("Z", "The stack language"),
];

fn index<'a>(rules: impl Iterator<Item = &'a RuleInfo>) -> String {
    let mut text = String::from(
        "# Rules\n\n\
         What telstack reports, by code. Each page says what is wrong, why it matters, what to write instead, and\n\
         when telstack says nothing because it cannot know. `telstack explain CODE` prints the same.\n\n\
         - **error**: it will not start, or what was asked for surely does not happen.\n\
         - **warning**: likely trouble.\n\
         - **info**: advice.\n\n\
         A rule may report a milder case with a milder severity; its page says which.\n",
    );
    let mut family = "";
    for rule in rules {
        let letter = &rule.code[..1];
        if letter != family {
            family = letter;
            let title = FAMILIES.iter().find(|(known, _)| *known == letter).map_or("Others", |(_, title)| title);
            let _ = write!(
                text,
                "\n## {letter}: {title}\n\n| code | name | severity | what is wrong |\n|---|---|---|---|\n"
            );
        }
        let summary = rule.summary.replace('|', "\\|");
        let _ = writeln!(text, "| [{0}]({0}.md) | `{1}` | {2} | {summary} |", rule.code, rule.name, rule.severity);
    }
    text.push_str("\nThese pages are written from the rules themselves: `cargo xtask gen`.\n");
    text
}
