//! GitLab's Code Quality report.

use serde::Serialize;

use super::pretty;
use crate::{Diagnostic, Severity, SourceMap, unique_fingerprints};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// The report, ending in a newline.
pub fn gitlab(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let prints = unique_fingerprints(diagnostics, sources);
    let issues: Vec<Issue> = diagnostics.iter().zip(prints).map(|(it, print)| issue(it, print, sources)).collect();
    pretty(&issues)
}

fn issue(it: &Diagnostic, fingerprint: String, sources: &SourceMap) -> Issue {
    let (path, lines) = if let Some(label) = &it.primary {
        let (begin, end) = (sources.start(label.span).line, sources.end(label.span).line);
        (sources.file(label.span.file).name().to_owned(), Lines { begin, end })
    } else {
        // Every issue needs a place: the file that was asked about stands in.
        let first = sources.files().next().map_or_else(|| ".".to_owned(), |(_, file)| file.name().to_owned());
        (first, Lines { begin: 1, end: 1 })
    };
    let severity = match it.severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info => "info",
    };
    let description = format!("{} {}: {}", it.rule.code, it.rule.name, it.message);
    Issue { description, check_name: it.rule.code, fingerprint, severity, location: Location { path, lines } }
}
