//! The schema of reports, and what `check --format json` prints.

use std::fs;

use telstack_workspace::Described;

use crate::{
    check_jsonschema,
    support::{files_ending, root, stderr, stdout, telstack},
    validator,
};

#[test]
fn what_check_prints_is_what_the_schema_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let validator = validator(Described::Diagnostics);
    let mistakes = files_ending(&root().join("tests/mistakes"), &["kdl", "yaml"]);
    let checked: Vec<String> = mistakes
        .iter()
        // By itself it holds nothing to find.
        .filter(|it| !it.ends_with("kustomization.yaml"))
        .map(|it| format!("tests/mistakes/{it}"))
        .chain(["golden/single-node/configs/loki.yaml".to_owned()])
        .collect();
    let mut args =
        vec!["--schemafile".to_owned(), root().join("schemas/diagnostics.schema.json").display().to_string()];
    let (mut findings, mut clean) = (0, 0);
    for (at, path) in checked.iter().enumerate() {
        let output = telstack(&["check", "--format", "json", path]);
        let text = stdout(&output);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{path}: {}", stderr(&output));
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let said: Vec<String> = validator.iter_errors(&report).map(|it| it.to_string()).collect();
        assert_eq!(said, Vec::<String>::new(), "{path}");
        let here = report["diagnostics"].as_array().map_or(0, Vec::len);
        findings += here;
        clean += usize::from(here == 0);
        fs::write(folder.path().join(format!("{at}.json")), text).expect("writable");
        args.push(format!("{at}.json"));
    }
    assert!(findings > 100 && clean == 1, "{findings} findings, {clean} without");
    let all: Vec<&str> = args.iter().map(String::as_str).collect();
    let (valid, said) = check_jsonschema(folder.path(), &all);
    assert!(valid, "{said}");
}

#[test]
fn what_is_no_report_is_refused() {
    let validator = validator(Described::Diagnostics);
    let output = telstack(&["check", "--format", "json", "tests/mistakes/constant-made-of-itself.stack.kdl"]);
    let report = stdout(&output);
    let cases = [
        ("\"severity\": \"error\"", "\"severity\": \"fatal\""),
        ("\"line\": ", "\"line\": -"),
        ("\"labels\"", "\"lables\""),
        ("\"fixable\": false", "\"fixable\": \"no\""),
        ("\"version\": 1", "\"version\": \"1\""),
    ];
    for (from, to) in cases {
        assert!(report.contains(from), "{from}: {report}");
        let changed = serde_json::from_str(&report.replacen(from, to, 1)).expect("JSON");
        assert!(!validator.is_valid(&changed), "{to}");
    }
}
