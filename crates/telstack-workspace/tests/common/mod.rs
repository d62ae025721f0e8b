//! What tests of whole folders share.

use std::path::{Path, PathBuf};

use telstack_diagnostics::{Diagnostic, Severity};
use telstack_workspace::{Checked, Input, MemoryFiles, Request, Told, check_all};

/// What is found in the folder `d`.
pub fn checked<const N: usize>(files: [(&str, &str); N]) -> Checked {
    let request = Request { inputs: vec![Input::Path(PathBuf::from("d"))], ..Request::default() };
    let mut told = |_: &Path| Ok(Told::default());
    check_all(&MemoryFiles::new(files), &request, &mut told).expect("something to check")
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
#[allow(dead_code, reason = "not every file of tests asks for it")]
pub fn errors<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
    let checked = checked(files);
    let line = |it: &Diagnostic| format!("{} {}", it.rule.code, it.message);
    checked.diagnostics.iter().filter(|it| it.severity == Severity::Error).map(line).collect()
}
