//! Collectors on machines outside of a cluster: what is written for them, as far as it can be tried here.

mod support;

use std::{fs, path::Path};

use support::{files_ending, root, stderr, stdout, telstack_in};

const STACK: &str = r#"stack "macs" {
    platform "kubernetes"
    versions { otelcol "0.158.0" }
    external "cloud" { otlp endpoint="https://otlp.example.com" token=(secret)"cloud/token" }
    collector "mac" host="macos" {
        resources memory="512MiB"
        receiver "otlp"
        processor "batch"
        pipeline "traces" "metrics" { from "otlp"; to "cloud" }
    }
}
"#;

/// A folder with what the stack compiles to.
fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), STACK).expect("writable");
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "build"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    folder
}

fn text(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap_or_else(|_| panic!("{path} is written"))
}

/// The texts of the elements of a property list, in their order, each with its tag.
fn elements(list: &str) -> Vec<(String, String)> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(list, options).expect("XML");
    assert!(document.root_element().has_tag_name("plist"));
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    elements.map(|it| (it.tag_name().name().to_owned(), it.text().unwrap_or_default().trim().to_owned())).collect()
}

/// What stands behind a key.
fn behind<'a>(all: &'a [(String, String)], key: &str) -> &'a (String, String) {
    let at = all.iter().position(|it| it.0 == "key" && it.1 == key).unwrap_or_else(|| panic!("{key} is there"));
    &all[at + 1]
}

#[test]
fn property_lists_are_well_formed_and_called_like_their_label() {
    let golden = root().join("golden");
    let lists = files_ending(&golden, &["plist"]);
    assert!(!lists.is_empty(), "a golden has one");
    for path in lists {
        let all = elements(&text(&golden, &path));
        assert!(path.ends_with(&format!("/{}.plist", behind(&all, "Label").1)), "{path}");
        assert_eq!(behind(&all, "ProgramArguments").0, "array");
        assert_eq!((&*behind(&all, "RunAtLoad").0, &*behind(&all, "KeepAlive").0), ("true", "true"));
        assert!(behind(&all, "StandardErrorPath").1.starts_with('/'));
    }
}

#[test]
fn secrets_are_named_and_not_written() {
    let folder = built();
    let list = text(folder.path(), "build/hosts/mac/io.opentelemetry.mac.plist");
    assert!(list.contains("To be added to EnvironmentVariables there, and nowhere else: CLOUD_TOKEN"), "{list}");
    let all = elements(&list);
    assert!(all.iter().all(|it| it.1 != "CLOUD_TOKEN"), "{list}");
    assert_eq!(behind(&all, "GOMEMLIMIT").1, "409MiB");
}

#[test]
fn the_cluster_has_nothing_of_it_and_it_listens_for_its_own_machine() {
    let folder = built();
    let files = support::files(&folder.path().join("build"));
    let of_cluster: Vec<&String> = files
        .iter()
        .filter(|it| Path::new(it).extension().is_some_and(|it| it == "yaml") && !it.starts_with("hosts/"))
        .collect();
    assert_eq!(of_cluster, ["kustomization.yaml"]);
    let config = text(folder.path(), "build/hosts/mac/config.yaml");
    assert!(config.contains("endpoint: localhost:4317") && !config.contains("0.0.0.0"), "{config}");
    let check = telstack_in(folder.path(), &["check", "--fail-on", "info", "build"]);
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
}
