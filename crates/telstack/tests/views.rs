//! `diff`, `build --explain`, `build --dump-ir`, `graph --format svg`: what people look at before they change
//! something.

mod support;

use std::fs;

use support::{root, stacks, stderr, stdout, telstack, telstack_in};

const OLD: &str = "stacks/single-node-2024.stack.kdl";
const NEW: &str = "stacks/single-node.stack.kdl";

/// A folder with a stack, and the same stack with pieces of its text replaced.
fn two(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = r#"stack "shop" {
    platform "compose"
    versions { otelcol "0.158.0"; loki "3.7.6" }
    collector "gateway" {
        resources memory="1GiB"
        receiver "otlp"
        processor "batch" { timeout "5s" }
        pipeline "logs" { from "otlp"; to "loki" }
    }
    loki
}
"#
    .to_owned();
    fs::write(folder.path().join("a.stack.kdl"), &text).expect("writable");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    fs::write(folder.path().join("b.stack.kdl"), text).expect("writable");
    folder
}

fn diff(folder: &tempfile::TempDir, args: &[&str]) -> std::process::Output {
    telstack_in(folder.path(), &[&["diff", "a.stack.kdl", "b.stack.kdl"], args].concat())
}

#[test]
fn an_upgrade_reads_like_a_note_to_the_operator() {
    let output = telstack(&["diff", OLD, NEW]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn the_same_stack_has_no_difference() {
    for stack in stacks() {
        let stack = format!("stacks/{stack}.stack.kdl");
        let output = telstack(&["diff", &stack, &stack]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "no difference\n"));
    }
    // Comments and spelling are no difference.
    let folder = two(&[("    loki\n", "    // logs\n    loki \"loki\"\n")]);
    assert_eq!(diff(&folder, &[]).status.code(), Some(0), "{}", stdout(&diff(&folder, &[])));
}

#[test]
fn what_is_changed_is_named_and_nothing_else() {
    let folder = two(&[("timeout \"5s\"", "timeout \"9s\"")]);
    let output = diff(&folder, &["--files"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stdout(&output));
    assert!(!stdout(&output).contains('\u{1b}'), "a pipe gets no colour");
    let coloured = telstack_in(folder.path(), &["--color", "always", "diff", "a.stack.kdl", "b.stack.kdl"]);
    assert!(stdout(&coloured).contains("\u{1b}[33m~ collector `gateway`"), "{}", stdout(&coloured));
}

#[test]
fn what_comes_and_goes_is_told_with_its_links() {
    let folder = two(&[
        ("pipeline \"logs\" { from \"otlp\"; to \"loki\" }", "pipeline \"traces\" { from \"otlp\"; to \"tempo\" }"),
        ("    loki\n", "    tempo\n"),
        ("; loki \"3.7.6\"", ""),
    ]);
    let output = diff(&folder, &[]);
    let text = stdout(&output);
    assert!(text.contains("- store `loki`: Loki 3.7.6\n"), "{text}");
    assert!(text.contains("+ store `tempo`: Tempo "), "{text}");
    assert!(text.contains("- `gateway` → `loki`: signals logs; exporter otlp_http/loki"), "{text}");
    assert!(text.contains("+ `gateway` → `tempo`: signals traces; exporter otlp_grpc/tempo"), "{text}");
}

#[test]
fn differences_as_json() {
    let folder = two(&[("memory=\"1GiB\"", "memory=\"2GiB\"")]);
    let output = diff(&folder, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON and nothing else");
    assert_eq!(report["version"], 1);
    assert_eq!(report["edges"].as_array().map(Vec::len), Some(0));
    let node = &report["nodes"][0];
    assert_eq!((node["name"].as_str(), node["change"].as_str()), (Some("gateway"), Some("changed")));
    assert_eq!(node["changes"][0], serde_json::json!({ "what": "memory", "before": "1GiB", "after": "2GiB" }));
    assert!(report["files"][0].get("diff").is_none(), "only with --files");
}

#[test]
fn what_cannot_be_compared_exits_with_2() {
    let folder = two(&[("to \"loki\"", "to \"lokii\"")]);
    let output = diff(&folder, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("b.stack.kdl cannot be compared"), "{}", stderr(&output));
    assert!(stdout(&output).contains("lokii"), "its errors are shown: {}", stdout(&output));
    assert_eq!(telstack_in(folder.path(), &["diff", "a.stack.kdl", "none.stack.kdl"]).status.code(), Some(2));
}

#[test]
fn everything_derived_is_told_on_one_page() {
    let folder = two(&[]);
    let output = telstack_in(folder.path(), &["build", "a.stack.kdl", "--explain"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    insta::assert_snapshot!(text);
    for stack in stacks() {
        let stack = format!("stacks/{stack}.stack.kdl");
        let printed = stdout(&telstack(&["build", &stack, "--explain"]));
        let text = &printed[printed.find("# What was derived").expect("a title")..];
        let decisions: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
        for (at, decision) in decisions.iter().enumerate() {
            let (reason, what) =
                decision.trim_start_matches("- ").rsplit_once(": ").expect("a reason, and what follows");
            assert!(!reason.is_empty() && !what.is_empty(), "{stack}: {decision}");
            assert!(!decisions[..at].contains(decision), "{stack}: twice: {decision}");
        }
        // One page, of three clusters too.
        assert!(text.lines().count() <= 110, "{stack}: {} lines\n{text}", text.lines().count());
        assert!(text.len() <= 11_000, "{stack}: {} bytes", text.len());
        assert_eq!(printed, stdout(&telstack(&["build", &stack, "--explain"])), "the same bytes");
    }
}

#[test]
fn nothing_is_written_by_looking() {
    let folder = two(&[]);
    let before = support::files(folder.path());
    for args in [&["--explain"][..], &["--dump-ir", "raw"], &["--dump-ir", "list"]] {
        let output = telstack_in(folder.path(), &[&["build", "a.stack.kdl"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert_eq!(support::files(folder.path()), before);
    for args in [&["--explain", "-o", "x"][..], &["--dump-ir", "raw", "-o", "x"], &["--explain", "--check"], &[]] {
        let output = telstack_in(folder.path(), &[&["build", "a.stack.kdl"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn the_graph_after_each_pass() {
    let folder = two(&[]);
    let list = stdout(&telstack_in(folder.path(), &["build", "a.stack.kdl", "--dump-ir", "list"]));
    let passes: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((passes.first(), passes.last()), (Some(&"raw"), Some(&"policies")));
    let mut sizes = Vec::new();
    for pass in passes {
        let args = ["build", "a.stack.kdl", "--dump-ir", pass];
        let output = telstack_in(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{pass}: {}", stderr(&output));
        let graph: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON and nothing else");
        assert_eq!(graph["stack"], "shop");
        assert_eq!(graph["edges"][0].get("dial").is_some(), !["raw", "reach"].contains(&pass), "negotiate dials");
        assert_eq!(graph["nodes"][0].get("container").is_some(), ["containers", "links", "policies"].contains(&pass));
        assert_eq!(stdout(&output), stdout(&telstack_in(folder.path(), &args)), "the same bytes");
        sizes.push(stdout(&output).len());
    }
    assert!(sizes.is_sorted(), "passes add, and take nothing away: {sizes:?}");
    insta::assert_snapshot!(stdout(&telstack_in(folder.path(), &["build", "a.stack.kdl", "--dump-ir", "negotiate"])));
}

#[test]
fn a_misspelt_pass_is_answered_with_the_nearest_and_the_list() {
    let output = telstack(&["build", NEW, "--dump-ir", "negotiat"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("did you mean `negotiate`?") && text.contains("containers"), "{text}");
    let output = telstack(&["build", NEW, "--dump-ir", "everything"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr(&output).contains("did you mean"), "{}", stderr(&output));
}

#[test]
fn pictures_have_a_theme() {
    let svg = |args: &[&str]| {
        let output = telstack(&[&["graph", NEW, "--format", "svg"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let (auto, light, dark) = (svg(&[]), svg(&["--theme", "light"]), svg(&["--theme", "dark"]));
    assert_eq!(auto, svg(&["--theme", "auto"]));
    assert!(auto.contains("prefers-color-scheme:dark") && !light.contains("prefers-color-scheme"));
    assert_ne!(light, dark);
    assert_eq!(auto, fs::read_to_string(root().join("docs/pictures/single-node.svg")).expect("the picture"));
    assert_eq!(telstack(&["graph", NEW, "--theme", "blue"]).status.code(), Some(2));
}

#[test]
fn help_names_what_there_is() {
    for (command, words) in [
        ("diff", &["--files", "--format", "0 no difference, 1 differences, 2 could not run"][..]),
        ("build", &["--explain", "--dump-ir <PASS>"]),
        ("graph", &["svg", "--theme <THEME>"]),
    ] {
        let help = stdout(&telstack(&[command, "--help"]));
        for word in words {
            assert!(help.contains(word), "{command}: {word}\n{help}");
        }
    }
}
