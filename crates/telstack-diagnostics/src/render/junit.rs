//! `JUnit` XML, which most CI systems show as test results.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{Diagnostic, Severity, SourceMap};

/// The name of findings that have no place.
const NOWHERE: &str = "the run as a whole";

/// One suite a file. An error or a warning is a failed case; a remark is one that passed and has something to say, and
/// a file without findings is a case that passed.
pub fn junit(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut report = Report::new("telstack");
    for (id, file) in sources.files() {
        let mine = diagnostics.iter().filter(|it| it.primary.as_ref().is_some_and(|label| label.span.file == id));
        report.add_test_suite(suite(file.name(), mine, sources));
    }
    let mut placeless = diagnostics.iter().filter(|it| it.primary.is_none()).peekable();
    if placeless.peek().is_some() {
        report.add_test_suite(suite(NOWHERE, placeless, sources));
    }
    // Writing to memory cannot fail.
    report.to_string().unwrap_or_default()
}

fn suite<'a>(name: &str, findings: impl Iterator<Item = &'a Diagnostic>, sources: &SourceMap) -> TestSuite {
    let mut suite = TestSuite::new(name);
    for it in findings {
        suite.add_test_case(case(it, sources));
    }
    if suite.test_cases.is_empty() {
        let mut passed = TestCase::new("check", TestCaseStatus::success());
        passed.set_classname(name);
        suite.add_test_case(passed);
    }
    suite
}

fn case(it: &Diagnostic, sources: &SourceMap) -> TestCase {
    let mut text = String::new();
    for label in it.primary.iter().chain(&it.labels) {
        let start = sources.start(label.span);
        let place = format!("{}:{}:{}", sources.file(label.span.file).name(), start.line, start.column);
        text.push_str(&format!("{place}: {}\n", label.message));
    }
    for (kind, lines) in [("note", &it.notes), ("help", &it.help)] {
        for line in lines {
            text.push_str(&format!("{kind}: {line}\n"));
        }
    }
    let name = format!("{} {}", it.rule.code, it.rule.name);
    let mut case = if it.severity == Severity::Info {
        let mut case = TestCase::new(name, TestCaseStatus::success());
        case.set_system_out(format!("{}\n{text}", it.message));
        case
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(it.message.as_str()).set_type(it.severity.to_string()).set_description(text);
        TestCase::new(name, status)
    };
    if let Some(label) = &it.primary {
        let start = sources.start(label.span);
        case.set_classname(sources.file(label.span.file).name());
        case.extra.insert("line".into(), start.line.to_string().into());
        case.extra.insert("column".into(), start.column.to_string().into());
    }
    case
}
