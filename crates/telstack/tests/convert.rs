//! `telstack convert`: KDL to YAML and back, with the same meaning.

mod support;

use std::{collections::BTreeMap, fs, path::Path};

use support::{files, root, stacks, stderr, stdout, telstack_in};
use telstack_workspace::{DiskFiles, Syntax, compile, convert};

/// What a folder was built to, with the name of the source taken out.
fn built(folder: &Path, source: &str) -> BTreeMap<String, String> {
    let read = |file: String| {
        let text = fs::read_to_string(folder.join(&file)).expect("text");
        (file, text.replace(source, "SOURCE"))
    };
    // The manifest holds hashes of texts that name the source.
    files(folder).into_iter().filter(|file| file != ".telstack.json").map(read).collect()
}

#[test]
fn the_stacks_compile_to_the_same_from_yaml() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for stack in stacks() {
        let (kdl, yaml, again) =
            (format!("{stack}.stack.kdl"), format!("{stack}.stack.yaml"), format!("{stack}-2.stack.kdl"));
        fs::copy(root().join("stacks").join(&kdl), path(&kdl)).expect("a copy");
        for (from, to) in [(&kdl, &yaml), (&yaml, &again)] {
            let output = telstack_in(folder.path(), &["convert", from, "-o", to]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
        let output = telstack_in(folder.path(), &["fmt", "--check", &again]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        let mut all = Vec::new();
        for name in [&kdl, &yaml, &again] {
            let out = format!("{name}.d");
            let output = telstack_in(folder.path(), &["build", name, "-o", &out]);
            assert_eq!(output.status.code(), Some(0), "{name}: {}{}", stdout(&output), stderr(&output));
            all.push(built(&path(&out), name));
        }
        assert!(all[0].len() > 4);
        assert_eq!(all[0], all[1], "{stack}: from YAML");
        assert_eq!(all[0], all[2], "{stack}: from KDL that was YAML");
        let comments = |name: &str, mark: &str| fs::read_to_string(path(name)).expect("text").matches(mark).count();
        assert_eq!(comments(&kdl, "// "), comments(&yaml, "# "), "{stack}");
        assert_eq!(comments(&kdl, "// "), comments(&again, "// "), "{stack}");
    }
}

/// Stacks whose mistake is one of the syntax, or cannot be made in the other one.
const ONLY_IN_KDL: &[(&str, &str)] = &[
    ("setting-set-twice", "what stands twice is a list in YAML, so the list is what is reported"),
    ("setting-value-and-map", "in YAML nothing is both"),
];

#[test]
fn mistakes_are_the_same_in_yaml() {
    std::env::set_current_dir(root().join("tests/mistakes")).expect("tests/mistakes");
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = String::new();
    let mut compared = 0;
    let mut names: Vec<String> = fs::read_dir(".")
        .expect("tests/mistakes")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".stack.kdl"))
        .collect();
    names.sort();
    for name in names {
        if ONLY_IN_KDL.iter().any(|it| name.starts_with(it.0)) {
            continue;
        }
        let text = fs::read_to_string(&name).expect("text");
        let codes = |compiled: &telstack_workspace::Compiled| {
            let mut codes: Vec<&str> = compiled.diagnostics.iter().map(|it| it.rule.code).collect();
            codes.sort_unstable();
            codes
        };
        let before = codes(&compile(&DiskFiles, Path::new(&name)).expect("readable"));
        // Files that lie beside it are not brought along.
        if before.contains(&"Z001") || text.contains("include") || text.contains("clusters from=") {
            continue;
        }
        let Some(yaml) = convert(&name, &text, Syntax::Yaml).text else {
            wrong += &format!("{name}: cannot be converted\n");
            continue;
        };
        let path = folder.path().join(name.replace(".kdl", ".yaml"));
        fs::write(&path, &yaml).expect("writable");
        let compiled = compile(&DiskFiles, &path).expect("readable");
        if codes(&compiled) != before {
            wrong += &format!("{name}: {before:?} in KDL, {:?} in YAML\n{yaml}\n", codes(&compiled));
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared > 100, "{compared}");
}

#[test]
fn comments_in_lists_stay_where_they_are() {
    let yaml = "stack:\n  s:\n    platform: compose\n    collector:\n      c:\n        processor:\n          attributes:\n            \
                actions:\n              # first\n              - key: a # why\n                # inside\n                value: 1\n\n              \
                # second\n              - key: b\n        pipeline:\n          logs:\n            to:\n              # one\n              \
                - loki # two\n              # three\n              - debug # four\n    loki:\n";
    let to = |name: &str, text: &str, syntax| convert(name, text, syntax).text.expect("converts");
    let kdl = to("a.stack.yaml", yaml, Syntax::Kdl);
    for words in ["first", "why", "inside", "second", "one", "two", "three", "four"] {
        assert_eq!(kdl.matches(&format!("// {words}")).count(), 1, "{kdl}");
    }
    let at = |words: &str| kdl.find(words).unwrap_or_else(|| panic!("{words} in {kdl}"));
    assert!(at("// first") < at("key \"a\" // why") && at("// inside") < at("value 1"), "{kdl}");
    assert!(at("// three") < at("to \"loki\" \"debug\" // four") && at("// one") > at("pipeline"), "{kdl}");
    let again = to("b.stack.yaml", &to("a.stack.kdl", &kdl, Syntax::Yaml), Syntax::Kdl);
    assert_eq!(again, kdl);
}

#[test]
fn what_convert_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), "stack \"s\" {\n    platform \"compose\"\n}\n").expect("writable");
    fs::write(folder.path().join("b.stack.kdl"), "stack = 1\n").expect("writable");
    let code = |args: &[&str]| telstack_in(folder.path(), args).status.code();
    assert_eq!(code(&["convert", "b.stack.kdl"]), Some(1));
    assert_eq!(code(&["convert", "missing.stack.kdl"]), Some(2));
    assert_eq!(code(&["convert", "s.stack.kdl", "-o", "b.stack.kdl"]), Some(2), "what is there is not overwritten");
    assert_eq!(code(&["convert", "s.stack.kdl", "--to", "yaml", "-o", "x.kdl"]), Some(2));
    let output = telstack_in(folder.path(), &["convert", "s.stack.kdl"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "stack:\n  s:\n    platform: compose\n"));
}
