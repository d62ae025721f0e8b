//! Small broken stacks, and bundles of Kubernetes manifests written by hand, each with exactly its findings.
//!
//! A finding is expected by carets under the text it points at, in a comment on the next line:
//!
//! ```text
//!         pipeline "logs" { from "otlp"; to "loki" }
//!     //                                    ^^^^^^ N020
//! ```
//!
//! Two findings on a line are two comment lines. Carets right behind the `//` start where the comment does,
//! so that a line's first column can be meant. A finding in an included file is expected there. In YAML and CSV, `#` starts
//! the comment, and of manifests remarks are not looked at: they have some wherever they are short.

mod support;

use std::{collections::BTreeSet, path::Path};

use support::root;
use telstack_diagnostics::{Diagnostic, Severity, SourceMap, Span, render};
use telstack_workspace::{DiskFiles, Input, Request, Told, check_all, compile};

/// File, code, line, first and last column (exclusive).
type Finding = (String, String, usize, usize, usize);

fn expected(sources: &SourceMap) -> BTreeSet<Finding> {
    let mut found = BTreeSet::new();
    for (_, file) in sources.files() {
        let mut line_of_code = 0;
        for (at, line) in file.text().lines().enumerate() {
            let mark = ["//", "#"].into_iter().find(|mark| line.trim_start().starts_with(mark));
            let caret = mark.and_then(|_| line.find('^'));
            let Some(caret) = caret else {
                line_of_code = at + 1;
                continue;
            };
            let comment = mark.and_then(|mark| line.find(mark)).unwrap_or_default();
            let start = if caret == comment + mark.map_or(0, str::len) { comment } else { caret };
            let end = caret + line[caret..].chars().take_while(|c| *c == '^').count();
            let code = line[end..].trim();
            found.insert((file.name().to_owned(), code.to_owned(), line_of_code, start + 1, end + 1));
        }
    }
    found
}

fn actual(diagnostics: &[Diagnostic], sources: &SourceMap) -> BTreeSet<Finding> {
    let place = |span: Span| {
        let (start, end) = (sources.start(span), sources.end(span));
        // A finding over several lines is expected on its first.
        let last = if end.line == start.line {
            end.column
        } else {
            sources.file(span.file).line_text(start.line).map_or(0, |line| line.chars().count() + 1)
        };
        (sources.file(span.file).name().to_owned(), start.line, start.column, last)
    };
    let finding = |it: &Diagnostic| {
        let (file, line, start, end) =
            it.primary.as_ref().map_or((String::new(), 0, 0, 0), |primary| place(primary.span));
        (file, it.rule.code.to_owned(), line, start, end)
    };
    diagnostics.iter().map(finding).collect()
}

/// What is below `tests/mistakes`, in order.
fn entries(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("tests/mistakes").join(folder))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// What is found in each case.
#[derive(Default)]
struct Suite {
    wrong: String,
    reports: Vec<(String, String)>,
}

impl Suite {
    fn add(&mut self, name: &str, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let (wanted, found) = (expected(sources), actual(diagnostics, sources));
        if wanted.is_empty() || wanted != found || found.len() != diagnostics.len() {
            self.wrong += &format!("{name}\n  expected {wanted:?}\n  found    {found:?}\n");
        }
        let report: String = diagnostics.iter().map(|it| render::human(it, sources, render::Colour::Off)).collect();
        self.reports.push((name.to_owned(), report));
    }

    fn judge(self, reports: &str) {
        assert!(self.wrong.is_empty(), "\n{}", self.wrong);
        insta::with_settings!({ snapshot_path => root().join("tests/mistakes").join(reports), prepend_module_to_snapshot => false, omit_expression => true }, {
            for (name, report) in self.reports {
                insta::assert_snapshot!(name, report);
            }
        });
    }
}

#[test]
fn each_mistake_has_exactly_its_findings() {
    std::env::set_current_dir(root().join("tests/mistakes")).expect("tests/mistakes");
    let names: Vec<String> = entries("").into_iter().filter(|name| name.ends_with(".stack.kdl")).collect();
    let of_kubernetes = names.iter().filter(|it| it.starts_with("kubernetes-")).count();
    assert!(names.len() >= 180 && of_kubernetes >= 40, "{} mistakes, {of_kubernetes} of Kubernetes", names.len());
    let mut suite = Suite::default();
    for name in &names {
        let compiled = compile(&DiskFiles, Path::new(name)).expect("readable");
        suite.add(name.trim_end_matches(".stack.kdl"), &compiled.diagnostics, &compiled.sources);
    }
    suite.judge("reports");
}

#[test]
fn each_bundle_has_exactly_its_findings() {
    std::env::set_current_dir(root().join("tests/mistakes")).expect("tests/mistakes");
    let names = entries("bundles");
    assert!(names.len() >= 40, "{} bundles", names.len());
    let mut suite = Suite::default();
    for name in &names {
        let request = Request { inputs: vec![Input::Path(Path::new("bundles").join(name))], ..Request::default() };
        let checked = check_all(&DiskFiles, &request, &mut |_| Ok(Told::default())).expect("something to check");
        let worse: Vec<Diagnostic> =
            checked.diagnostics.iter().filter(|it| it.severity > Severity::Info).cloned().collect();
        suite.add(name.trim_end_matches(".yaml"), &worse, &checked.sources);
    }
    suite.judge("bundles-reports");
}
