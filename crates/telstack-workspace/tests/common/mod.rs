//! What tests of whole folders share.

#![allow(dead_code, reason = "each file of tests uses its part")]

use std::path::{Path, PathBuf};

use telstack_diagnostics::{Diagnostic, Severity};
use telstack_workspace::{Assumed, Checked, Input, MemoryFiles, Request, Told, check_all};

/// A text in which others stand in for some that it has.
pub fn changed(text: &str, change: &[(&str, &str)]) -> String {
    change.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// What is found in the folder `d`.
pub fn checked<const N: usize>(files: [(&str, &str); N]) -> Checked {
    checked_for(files, Assumed::default())
}

/// The same for a collector that whoever asks names.
pub fn checked_for<const N: usize>(files: [(&str, &str); N], assumed: Assumed) -> Checked {
    let request = Request { inputs: vec![Input::Path(PathBuf::from("d"))], ..Request::default() };
    let mut told = |_: &Path| Ok(Told { assumed, ..Told::default() });
    check_all(&MemoryFiles::new(files), &request, &mut told).expect("something to check")
}

/// `CODE file text` of everything that is worse than a remark.
pub fn found<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
    found_for(files, Assumed::default())
}

/// The same for a collector that whoever asks names.
pub fn found_for<const N: usize>(files: [(&str, &str); N], assumed: Assumed) -> Vec<String> {
    let checked = checked_for(files, assumed);
    let line = |it: &Diagnostic| {
        let span = it.primary.as_ref().expect("a place").span;
        let text = checked.sources.slice(span).lines().next().unwrap_or_default();
        format!("{} {} {text}", it.rule.code, checked.sources.file(span.file).name())
    };
    checked.diagnostics.iter().filter(|it| it.severity > Severity::Info).map(line).collect()
}

/// `CODE severity text` of each finding of one of the rules.
pub fn of_rules<const N: usize>(files: [(&str, &str); N], codes: &[&str]) -> Vec<String> {
    let checked = checked(files);
    let line = |it: &Diagnostic| {
        let span = it.primary.as_ref().expect("a place").span;
        let text = checked.sources.slice(span).lines().next().unwrap_or_default();
        format!("{} {} {text}", it.rule.code, it.severity)
    };
    checked.diagnostics.iter().filter(|it| codes.contains(&it.rule.code)).map(line).collect()
}

/// `CODE text` of each error.
pub fn errors<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
    let checked = checked(files);
    let line = |it: &Diagnostic| format!("{} {}", it.rule.code, it.message);
    checked.diagnostics.iter().filter(|it| it.severity == Severity::Error).map(line).collect()
}
