//! How often each rule spoke.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{json::JsonSeverity, pretty};
use crate::{Diagnostic, RuleInfo, Severity};

/// How often a rule spoke.
#[derive(Debug)]
struct Count {
    rule: &'static RuleInfo,
    /// The worst that it said.
    severity: Severity,
    findings: usize,
    fixable: usize,
}

/// Most frequent first, then by code.
fn counts(diagnostics: &[Diagnostic]) -> Vec<Count> {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for it in diagnostics {
        let new = Count { rule: it.rule, severity: it.severity, findings: 0, fixable: 0 };
        let count = counts.entry(it.rule.code).or_insert(new);
        count.findings += 1;
        count.fixable += usize::from(it.fix.is_some());
        count.severity = count.severity.max(it.severity);
    }
    let mut counts: Vec<Count> = counts.into_values().collect();
    counts.sort_by_key(|it| std::cmp::Reverse(it.findings));
    counts
}

/// A line a rule: how often it spoke, how bad at worst, its code and name; `*` where fixes are offered.
pub fn statistics(diagnostics: &[Diagnostic]) -> String {
    let counts = counts(diagnostics);
    let width = counts.iter().map(|it| it.findings.to_string().len()).max().unwrap_or_default();
    counts.iter().fold(String::new(), |out, it| {
        let mark = if it.fixable > 0 { " *" } else { "" };
        let severity = it.severity.to_string();
        out + &format!("{:>width$}  {severity:8} {} {}{mark}\n", it.findings, it.rule.code, it.rule.name)
    })
}

#[derive(Serialize)]
struct JsonCount {
    code: &'static str,
    name: &'static str,
    severity: JsonSeverity,
    findings: usize,
    fixable: usize,
}

/// The same for programs.
pub fn statistics_json(diagnostics: &[Diagnostic]) -> String {
    let rows: Vec<JsonCount> = counts(diagnostics)
        .iter()
        .map(|it| JsonCount {
            code: it.rule.code,
            name: it.rule.name,
            severity: it.severity.into(),
            findings: it.findings,
            fixable: it.fixable,
        })
        .collect();
    pretty(&rows)
}
