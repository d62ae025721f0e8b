//! The registry is what is on disk, and every rule is documented.

use std::{collections::BTreeSet, fs, path::Path};

use telstack_lint::RULES;

/// `n001_loopback_bind_in_container` for each file below `rules/`.
fn files() -> BTreeSet<String> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let folders = fs::read_dir(rules).expect("rules").map(|entry| entry.expect("entry").path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| fs::read_dir(folder).expect("folder"));
    files.map(|file| file.expect("file").path().file_stem().expect("stem").to_string_lossy().into_owned()).collect()
}

#[test]
fn the_registry_lists_every_file_under_its_own_name() {
    let stem = |code: &str, name: &str| format!("{}_{}", code.to_lowercase(), name.replace('-', "_"));
    let listed: Vec<String> = RULES.iter().map(|rule| stem(rule.code, rule.name)).collect();
    assert!(listed.is_sorted(), "sorted by code");
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), files(), "run `cargo xtask gen`");
    assert_eq!(listed.len(), files().len(), "each once");
}

#[test]
fn every_rule_is_documented() {
    for info in RULES {
        for (what, text) in [
            ("summary", info.summary),
            ("why", info.why),
            ("bad", info.bad),
            ("good", info.good),
            ("silent", info.silent),
        ] {
            assert!(!text.trim().is_empty(), "{}: {what} is empty", info.code);
        }
        assert!(!info.sources.is_empty(), "{}: no sources", info.code);
    }
}
