//! Small broken stacks, each with exactly its findings.
//!
//! A finding is expected by carets under the text it points at, in a comment on the next line:
//!
//! ```text
//!         pipeline "logs" { from "otlp"; to "loki" }
//!     //                                    ^^^^^^ N020
//! ```
//!
//! Two findings on a line are two comment lines. Carets right behind the `//` start where the comment does,
//! so that a line's first column can be meant. A finding in an included file is expected there.

mod support;

use std::{collections::BTreeSet, path::Path};

use support::root;
use telstack_diagnostics::{SourceMap, Span, render};
use telstack_workspace::{Compiled, DiskFiles, compile};

/// File, code, line, first and last column (exclusive).
type Finding = (String, String, usize, usize, usize);

fn expected(sources: &SourceMap) -> BTreeSet<Finding> {
    let mut found = BTreeSet::new();
    for (_, file) in sources.files() {
        let mut line_of_code = 0;
        for (at, line) in file.text().lines().enumerate() {
            let caret = line.trim_start().starts_with("//").then(|| line.find('^')).flatten();
            let Some(caret) = caret else {
                line_of_code = at + 1;
                continue;
            };
            let comment = line.find("//").unwrap_or_default();
            let start = if caret == comment + 2 { comment } else { caret };
            let end = caret + line[caret..].chars().take_while(|c| *c == '^').count();
            let code = line[end..].trim();
            found.insert((file.name().to_owned(), code.to_owned(), line_of_code, start + 1, end + 1));
        }
    }
    found
}

fn actual(compiled: &Compiled) -> BTreeSet<Finding> {
    let place = |sources: &SourceMap, span: Span| {
        let (start, end) = (sources.start(span), sources.end(span));
        // A finding over several lines is expected on its first.
        let last = if end.line == start.line {
            end.column
        } else {
            sources.file(span.file).line_text(start.line).map_or(0, |line| line.chars().count() + 1)
        };
        (sources.file(span.file).name().to_owned(), start.line, start.column, last)
    };
    compiled
        .diagnostics
        .iter()
        .map(|it| {
            let (file, line, start, end) =
                it.primary.as_ref().map_or((String::new(), 0, 0, 0), |primary| place(&compiled.sources, primary.span));
            (file, it.rule.code.to_owned(), line, start, end)
        })
        .collect()
}

fn cases() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("tests/mistakes"))
        .expect("tests/mistakes")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".stack.kdl"))
        .collect();
    names.sort();
    names
}

#[test]
fn each_mistake_has_exactly_its_findings() {
    std::env::set_current_dir(root().join("tests/mistakes")).expect("tests/mistakes");
    let names = cases();
    assert!(names.len() >= 40, "{} mistakes", names.len());
    let mut wrong = String::new();
    let mut reports = Vec::new();
    for name in &names {
        let compiled = compile(&DiskFiles, Path::new(name)).expect("readable");
        let wanted = expected(&compiled.sources);
        let found = actual(&compiled);
        if wanted.is_empty() || wanted != found || found.len() != compiled.diagnostics.len() {
            wrong += &format!("{name}\n  expected {wanted:?}\n  found    {found:?}\n");
        }
        let report: String =
            compiled.diagnostics.iter().map(|it| render::human(it, &compiled.sources, render::Colour::Off)).collect();
        reports.push((name.trim_end_matches(".stack.kdl").to_owned(), report));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    insta::with_settings!({ snapshot_path => root().join("tests/mistakes/reports"), prepend_module_to_snapshot => false, omit_expression => true }, {
        for (name, report) in reports {
            insta::assert_snapshot!(name, report);
        }
    });
}
