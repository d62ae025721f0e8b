//! The machine-readable report: a stable contract, described by `schemas/diagnostics.schema.json`.

use schemars::JsonSchema;
use serde::Serialize;

use super::pretty;
use crate::{Applicability, Diagnostic, Edit, Fix, Label, RuleInfo, Severity, SourceMap};

/// The whole report.
#[derive(Serialize, JsonSchema, Debug)]
pub struct JsonReport {
    /// The version of this format; grows only when a reader of the old one would break.
    pub version: u32,
    /// Findings in reading order.
    pub diagnostics: Vec<JsonDiagnostic>,
}

/// How bad it is.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum JsonSeverity {
    /// It will not start or not work, or it surely loses data.
    Error,
    /// Likely trouble.
    Warning,
    /// Advice.
    Info,
}

/// One finding. Lines and columns are 1-based, columns count characters, ends are exclusive, paths
/// are relative to the working folder. The place is `null` for a finding about the run as a whole.
#[derive(Serialize, JsonSchema, Debug)]
pub struct JsonDiagnostic {
    /// `N002`.
    pub code: &'static str,
    /// `protocol-port-mismatch`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: JsonSeverity,
    /// What is wrong.
    pub message: String,
    /// The file of the primary place.
    pub file: Option<String>,
    /// Line where it starts.
    pub line: Option<usize>,
    /// Column where it starts.
    pub column: Option<usize>,
    /// Line where it ends.
    pub end_line: Option<usize>,
    /// Column where it ends.
    pub end_column: Option<usize>,
    /// Every place, the primary one first.
    pub labels: Vec<JsonLabel>,
    /// What to write instead; several ways out are several lines.
    pub help: Option<String>,
    /// Can telstack put it right itself?
    pub fixable: bool,
    /// How; `null` if it cannot.
    pub fix: Option<JsonFix>,
}

/// Edits that put a finding right: all of them, or none.
#[derive(Serialize, JsonSchema, Debug)]
pub struct JsonFix {
    /// What they do.
    pub title: String,
    /// Does `--fix` apply it? If not, it needs a reader, and `--unsafe-fixes`.
    pub safe: bool,
    /// The edits, in order, without overlaps.
    pub edits: Vec<JsonEdit>,
}

/// A place, and the text that comes there.
#[derive(Serialize, JsonSchema, Debug)]
pub struct JsonEdit {
    /// The file.
    pub file: String,
    /// Line where it starts.
    pub line: usize,
    /// Column where it starts.
    pub column: usize,
    /// Line where it ends.
    pub end_line: usize,
    /// Column where it ends.
    pub end_column: usize,
    /// The new text.
    pub text: String,
}

/// A place with a remark.
#[derive(Serialize, JsonSchema, Debug)]
pub struct JsonLabel {
    /// The file.
    pub file: String,
    /// Line where it starts.
    pub line: usize,
    /// Column where it starts.
    pub column: usize,
    /// The remark.
    pub message: String,
    /// Is this the place to change?
    pub primary: bool,
}

fn label(label: &Label, sources: &SourceMap, primary: bool) -> JsonLabel {
    let start = sources.start(label.span);
    JsonLabel {
        file: sources.file(label.span.file).name().to_owned(),
        line: start.line,
        column: start.column,
        message: label.message.clone(),
        primary,
    }
}

fn fix(fix: &Fix, sources: &SourceMap) -> JsonFix {
    let edit = |edit: &Edit| {
        let (start, end) = (sources.start(edit.span), sources.end(edit.span));
        JsonEdit {
            file: sources.file(edit.span.file).name().to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            text: edit.text.clone(),
        }
    };
    let safe = fix.applicability == Applicability::Safe;
    JsonFix { title: fix.title.clone(), safe, edits: fix.edits.iter().map(edit).collect() }
}

/// The report as a value.
pub fn report(diagnostics: &[Diagnostic], sources: &SourceMap) -> JsonReport {
    let diagnostics = diagnostics
        .iter()
        .map(|it| {
            let span = it.primary.as_ref().map(|primary| primary.span);
            let start = span.map(|span| sources.start(span));
            let end = span.map(|span| sources.end(span));
            JsonDiagnostic {
                code: it.rule.code,
                name: it.rule.name,
                severity: it.severity.into(),
                message: it.message.clone(),
                file: span.map(|span| sources.file(span.file).name().to_owned()),
                line: start.map(|it| it.line),
                column: start.map(|it| it.column),
                end_line: end.map(|it| it.line),
                end_column: end.map(|it| it.column),
                labels: it
                    .primary
                    .iter()
                    .map(|primary| label(primary, sources, true))
                    .chain(it.labels.iter().map(|other| label(other, sources, false)))
                    .collect(),
                help: (!it.help.is_empty()).then(|| it.help.join("\n")),
                fixable: it.fix.is_some(),
                fix: it.fix.as_ref().map(|it| fix(it, sources)),
            }
        })
        .collect();
    JsonReport { version: 1, diagnostics }
}

/// The report as text, indented, ending in a newline.
pub fn text(report: &JsonReport) -> String {
    pretty(report)
}

/// A code in the list of rules.
#[derive(Serialize, JsonSchema, Debug)]
pub struct JsonRule {
    /// `N002`.
    pub code: &'static str,
    /// `protocol-port-mismatch`.
    pub name: &'static str,
    /// The severity unless the case is less sure.
    pub severity: JsonSeverity,
    /// What is wrong.
    pub summary: &'static str,
}

/// The list of rules as text.
pub fn rules(rules: &[&RuleInfo]) -> String {
    let rows: Vec<JsonRule> = rules
        .iter()
        .map(|it| JsonRule { code: it.code, name: it.name, severity: it.severity.into(), summary: it.summary })
        .collect();
    pretty(&rows)
}

impl From<Severity> for JsonSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => JsonSeverity::Error,
            Severity::Warning => JsonSeverity::Warning,
            Severity::Info => JsonSeverity::Info,
        }
    }
}

/// The JSON Schema of the report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(JsonReport).to_value()
}
