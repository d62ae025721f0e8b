//! Reports for other programs, held against what those programs say they take.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{stderr, stdout, telstack_in};

/// A warning, an error with a second end and a fix, an odd name, and a file without findings.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = "receivers:\n  otlp:\n    protocols:\n      grpc:\nprocessors:\n  batch:\n    timout: 1s\n  memory_limiter: {check_interval: 1s, limit_mib: 400}\nexporters:\n  \
                     otlphttp:\n    endpoint: http://gw:4318\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      \
                     processors: [memory_limiter, batch]\n      exporters: [otlphttp]\n";
    fs::write(folder.path().join("a b,ä.yaml"), collector).expect("writable");
    let good = collector.replace("    timout: 1s\n", "").replace("otlphttp", "otlp_http");
    fs::write(folder.path().join("good.yaml"), good).expect("writable");
    fs::write(folder.path().join("empty.yaml"), "").expect("writable");
    folder
}

fn report(folder: &Path, args: &[&str]) -> String {
    let args = [&["check", "a b,ä.yaml", "good.yaml", "empty.yaml"], args].concat();
    let output = telstack_in(folder, &args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stdout(&output)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON and nothing else")
}

fn found(folder: &Path) -> Vec<Value> {
    json(&report(folder, &["--format", "json"]))["diagnostics"].as_array().expect("findings").clone()
}

/// The folder of the `serde-sarif` crate's sources, which carry the schema of the standard.
fn sarif_schema() -> Value {
    let cargo = |args: &[&str]| {
        let output = Command::new(env!("CARGO")).args(args).output().expect("cargo runs");
        String::from_utf8(output.stdout).expect("cargo writes text")
    };
    let about = cargo(&["-vV"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host");
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata =
        cargo(&["metadata", "--format-version=1", "--offline", "--filter-platform", host, "--manifest-path", project]);
    let metadata = json(&metadata);
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|it| it["name"] == "serde-sarif").expect("a dev-dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let schema = manifest.with_file_name("src").join("schema.json");
    let mut schema = json(&fs::read_to_string(schema).expect("the package carries it"));
    // The standard's pattern for a language has a bracket too many, which not every engine overlooks.
    for part in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{part}/properties/language"));
        language.and_then(Value::as_object_mut).and_then(|it| it.remove("pattern")).expect("the pattern");
    }
    schema
}

#[test]
fn sarif_follows_the_schema_of_the_standard() {
    let folder = folder();
    let text = report(folder.path(), &["--format", "sarif"]);
    let log = json(&text);
    let validator = jsonschema::validator_for(&sarif_schema()).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    serde_json::from_str::<serde_sarif::sarif::Sarif>(&text).expect("what others read");

    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    let found = found(folder.path());
    assert_eq!(results.len(), found.len());
    for (result, finding) in results.iter().zip(&found) {
        assert_eq!(result["ruleId"], finding["code"]);
        let rule = &run["tool"]["driver"]["rules"];
        let rule = result["ruleIndex"].as_u64().and_then(|it| rule.get(usize::try_from(it).ok()?)).expect("an index");
        assert_eq!(rule["id"], finding["code"], "the index leads to the rule");
        assert!(rule["help"]["markdown"].as_str().expect("help").contains("## Why it matters"), "{rule}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        if !finding["line"].is_null() {
            assert_eq!((&region["startLine"], &region["startColumn"]), (&finding["line"], &finding["column"]));
            assert_eq!((&region["endLine"], &region["endColumn"]), (&finding["end_line"], &finding["end_column"]));
        }
        let others = finding["labels"].as_array().expect("labels").len().saturating_sub(1);
        assert_eq!(result["relatedLocations"].as_array().map_or(0, Vec::len), others);
        assert_eq!(result["fixes"].as_array().map_or(0, Vec::len), usize::from(finding["fixable"] == true));
    }
    let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "a%20b%2C%C3%A4.yaml");
    let mut prints: Vec<&Value> = results.iter().map(|it| &it["partialFingerprints"]["telstack/v1"]).collect();
    prints.sort_by_key(|it| it.as_str());
    prints.dedup();
    assert_eq!(prints.len(), results.len());
}

#[test]
fn github_annotations_escape_what_would_end_them() {
    let folder = folder();
    let text = report(folder.path(), &["--format", "github"]);
    let found = found(folder.path());
    assert_eq!(text.lines().count(), found.len(), "one line each: {text}");
    for (line, finding) in text.lines().zip(&found) {
        let command = match finding["severity"].as_str() {
            Some("error") => "::error ",
            Some("warning") => "::warning ",
            _ => "::notice ",
        };
        let rest = line.strip_prefix(command).unwrap_or_else(|| panic!("{line}"));
        let (properties, message) = rest.split_once("::").expect("a message");
        for property in properties.split(',') {
            let (key, value) = property.split_once('=').expect("a value");
            assert!(["file", "line", "endLine", "col", "endColumn", "title"].contains(&key), "{line}");
            assert!(!value.contains(':'), "{line}");
        }
        assert!(message.starts_with(finding["message"].as_str().expect("text").split('%').next().expect("text")));
    }
    assert!(text.contains("file=a b%2Cä.yaml,line=7,"), "{text}");
}

#[test]
fn gitlab_gets_all_that_it_requires() {
    let folder = folder();
    let text = report(folder.path(), &["--format", "gitlab"]);
    let issues = json(&text);
    let issues = issues.as_array().expect("a list");
    assert_eq!(issues.len(), found(folder.path()).len());
    let mut prints = Vec::new();
    for issue in issues {
        for key in ["description", "check_name", "fingerprint", "severity"] {
            assert!(issue[key].as_str().is_some_and(|it| !it.is_empty()), "{key}: {issue}");
        }
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().expect("text")));
        assert!(folder.path().join(issue["location"]["path"].as_str().expect("a path")).is_file(), "{issue}");
        assert!(issue["location"]["lines"]["begin"].as_u64().is_some_and(|it| it >= 1), "{issue}");
        prints.push(issue["fingerprint"].as_str());
    }
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), issues.len());
    // Lines that move do not make another finding.
    let moved = fs::read_to_string(folder.path().join("a b,ä.yaml")).expect("there");
    fs::write(folder.path().join("a b,ä.yaml"), format!("# moved\n\n{moved}")).expect("writable");
    let after = json(&report(folder.path(), &["--format", "gitlab"]));
    let prints = |it: &[Value]| it.iter().map(|it| it["fingerprint"].clone()).collect::<Vec<_>>();
    assert_eq!(prints(issues), prints(after.as_array().expect("a list")));
}

#[test]
fn junit_counts_errors_and_warnings_as_failures_and_the_rest_as_passed() {
    let folder = folder();
    let text = report(folder.path(), &["--format", "junit"]);
    let document = roxmltree::Document::parse(&text).expect("XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let found = found(folder.path());
    let (remarks, failing): (Vec<_>, Vec<_>) = found.iter().partition(|it| it["severity"] == "info");
    assert!(!remarks.is_empty() && !failing.is_empty(), "{found:?}");
    assert_eq!(root.attribute("failures"), Some(failing.len().to_string().as_str()));
    let suites: Vec<_> = root.children().filter(|it| it.has_tag_name("testsuite")).collect();
    let names: Vec<_> = suites.iter().filter_map(|it| it.attribute("name")).collect();
    assert_eq!(names, ["a b,ä.yaml", "good.yaml", "empty.yaml"]);
    let cases =
        |suite: &roxmltree::Node<'_, '_>, name: &str| suite.descendants().filter(|it| it.has_tag_name(name)).count();
    assert_eq!((cases(&suites[1], "testcase"), cases(&suites[1], "failure")), (1, 0));
    let failures: Vec<_> = root.descendants().filter(|it| it.has_tag_name("failure")).collect();
    let messages: Vec<_> = failures.iter().filter_map(|it| it.attribute("message")).collect();
    let said =
        |all: &[&Value]| all.iter().filter_map(|it| it["message"].as_str().map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(messages, said(&failing));
    let told = root.descendants().filter(|it| it.has_tag_name("system-out")).filter_map(|it| it.text());
    assert_eq!(told.filter_map(|it| it.lines().next()).collect::<Vec<_>>(), said(&remarks));
}

#[test]
fn statistics_count_each_rule() {
    let folder = folder();
    let found = found(folder.path());
    let counts = json(&report(folder.path(), &["--statistics", "--format", "json"]));
    let sum: u64 = counts.as_array().expect("a list").iter().filter_map(|it| it["findings"].as_u64()).sum();
    assert_eq!(sum, found.len() as u64);
    let text = report(folder.path(), &["--statistics"]);
    assert!(text.lines().any(|line| line.ends_with(" Y001 unknown-setting *")), "{text}");
    let refused = telstack_in(folder.path(), &["check", "good.yaml", "--statistics", "--format", "sarif"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn every_rule_is_listed_for_programs() {
    let folder = folder();
    let rules = json(&stdout(&telstack_in(folder.path(), &["rules", "--format", "json"])));
    let rules = rules.as_array().expect("a list");
    let codes: Vec<_> = rules.iter().filter_map(|it| it["code"].as_str()).collect();
    assert!(codes.is_sorted() && codes.contains(&"N002") && codes.contains(&"R001"), "{codes:?}");
    let page = |code: &&str| support::root().join(format!("docs/rules/{code}.md")).is_file();
    assert!(codes.iter().all(page), "each has its page");
}
