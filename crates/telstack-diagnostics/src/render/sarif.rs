//! SARIF 2.1.0, for code scanning: the parts of it that telstack has something to say in.

use serde::Serialize;

use super::{pretty, rule_page};
use crate::{Diagnostic, Edit, Fix, Label, RuleInfo, Severity, SourceMap, Span, unique_fingerprints};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    help_uri: String,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Repair>,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "telstack/v1")]
    first: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(rename = "physicalLocation")]
    place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Clone, PartialEq, Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Repair {
    description: Text,
    artifact_changes: Vec<ArtifactChange>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: Artifact,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Text,
}

/// The report as a SARIF log with one run, ending in a newline.
pub fn sarif(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut rules: Vec<&'static RuleInfo> = diagnostics.iter().map(|it| it.rule).collect();
    rules.sort_by_key(|it| it.code);
    rules.dedup();
    let prints = unique_fingerprints(diagnostics, sources);
    let results = diagnostics.iter().zip(prints).map(|(it, print)| finding(it, sources, &rules, print)).collect();
    let driver = Driver {
        name: "telstack",
        version: env!("CARGO_PKG_VERSION"),
        information_uri: REPOSITORY,
        rules: rules.iter().map(|it| rule(it)).collect(),
    };
    let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results };
    pretty(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

fn rule(info: &RuleInfo) -> Rule {
    let page = rule_page(info);
    Rule {
        id: info.code,
        name: info.name,
        short_description: text(info.summary),
        full_description: text(if info.why.is_empty() { info.summary } else { info.why }),
        help: Help { text: page.clone(), markdown: page },
        help_uri: format!("{REPOSITORY}/blob/main/docs/rules/{}.md", info.code),
        default_configuration: Configuration { level: level(info.severity) },
    }
}

fn finding(it: &Diagnostic, sources: &SourceMap, rules: &[&'static RuleInfo], print: String) -> Finding {
    let locations = match &it.primary {
        Some(label) => vec![location(label, None, sources)],
        // A viewer without a place has no row for it: it goes to the file that was asked about.
        None => sources.files().take(1).map(|(_, file)| whole(file.name())).collect(),
    };
    let related = it.labels.iter().zip(1..).map(|(label, id)| location(label, Some(id), sources));
    let mut message = it.message.clone();
    for (kind, lines) in [("note", &it.notes), ("help", &it.help)] {
        for line in lines {
            message.push_str(&format!("\n{kind}: {line}"));
        }
    }
    Finding {
        rule_id: it.rule.code,
        rule_index: rules.iter().position(|rule| *rule == it.rule).unwrap_or_default(),
        level: level(it.severity),
        message: text(message),
        locations,
        related_locations: related.collect(),
        partial_fingerprints: Fingerprints { first: print },
        fixes: it.fix.iter().map(|fix| repair(fix, sources)).collect(),
    }
}

fn whole(name: &str) -> Location {
    let place = Place { artifact_location: Artifact { uri: uri(name) }, region: None };
    Location { id: None, place, message: None }
}

fn location(label: &Label, id: Option<usize>, sources: &SourceMap) -> Location {
    let artifact = Artifact { uri: uri(sources.file(label.span.file).name()) };
    let place = Place { artifact_location: artifact, region: Some(region(label.span, sources)) };
    let message = (!label.message.is_empty()).then(|| text(&label.message));
    Location { id, place, message }
}

fn region(span: Span, sources: &SourceMap) -> Region {
    let (start, end) = (sources.start(span), sources.end(span));
    Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
}

fn repair(fix: &Fix, sources: &SourceMap) -> Repair {
    let mut changes: Vec<ArtifactChange> = Vec::new();
    for Edit { span, text: new } in &fix.edits {
        let artifact = Artifact { uri: uri(sources.file(span.file).name()) };
        let replacement = Replacement { deleted_region: region(*span, sources), inserted_content: text(new) };
        match changes.iter_mut().find(|it| it.artifact_location == artifact) {
            Some(change) => change.replacements.push(replacement),
            None => changes.push(ArtifactChange { artifact_location: artifact, replacements: vec![replacement] }),
        }
    }
    Repair { description: text(&fix.title), artifact_changes: changes }
}

/// A path as a reference by RFC 3986.
fn uri(name: &str) -> String {
    let mut out = if name.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("deploy/otel.yaml"), "deploy/otel.yaml");
        assert_eq!(uri("a b/ä:1.yaml"), "a%20b/%C3%A4%3A1.yaml");
        assert_eq!(uri("/srv/x.yaml"), "file:///srv/x.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
