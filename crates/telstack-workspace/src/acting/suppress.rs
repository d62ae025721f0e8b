//! Comments that ask to ignore findings: `# telstack: ignore[N002] why`.
//!
//! They are found by lines, not by the grammar of a file: so they work in every file that has comments, and in files
//! that stand inside others, such as a configuration in a Kubernetes manifest.

use std::path::Path;

use telstack_diagnostics::{Change, Diagnostic, Edit, FileId, Fix, SourceMap, Span};

use super::{
    codes::{SUPPRESSION_WITHOUT_REASON, UNKNOWN_CODE, UNREADABLE_SUPPRESSION, UNUSED_SUPPRESSION},
    findings::Findings,
};
use crate::explain::{nearest, nearest_code, rule};

/// What every such comment starts with.
const MARK: &str = "telstack:";
/// Ignores on a line.
const IGNORE: &str = "ignore";
/// Ignores in a whole file.
const IGNORE_FILE: &str = "ignore-file";

/// A comment that asks to ignore codes.
#[derive(Debug)]
struct Suppression {
    /// From the mark of the comment to the end of its line.
    comment: Span,
    /// The codes, as they stand between the brackets.
    inside: Span,
    /// The line that it is for, 1-based; none for the whole file.
    line: Option<usize>,
    /// Each code that there is, and whether it ignored something.
    codes: Vec<(&'static str, bool)>,
}

/// Takes out the findings that comments ask to ignore, and adds what is wrong with the comments. `reported` says
/// whether a code is reported at all in the file of that name.
pub(super) fn suppress(findings: &mut Findings, reported: impl Fn(&str, &'static str) -> bool) {
    let mut about = Vec::new();
    let mut all: Vec<Suppression> = Vec::new();
    for (id, file) in findings.sources.files() {
        if file.text().contains(MARK) {
            Scan { id, name: file.name(), text: file.text(), out: &mut about }.run(&mut all);
        }
    }
    if all.is_empty() && about.is_empty() {
        return;
    }
    let sources = &findings.sources;
    findings.diagnostics.retain(|it| !ignored(&mut all, it, sources));
    for it in &all {
        let name = sources.file(it.comment.file).name();
        let unused: Vec<&'static str> =
            it.codes.iter().filter(|(code, used)| !used && reported(name, code)).map(|(code, _)| *code).collect();
        if !unused.is_empty() {
            about.push(unused_finding(it, &unused, sources));
        }
    }
    let mut sink = telstack_diagnostics::Diagnostics::default();
    for it in about {
        if findings.file_of(&it).is_some_and(|name| reported(name, it.rule.code)) {
            sink.push(it);
        }
    }
    findings.diagnostics.extend(sink.sorted(&findings.sources));
}

fn ignored(all: &mut [Suppression], it: &Diagnostic, sources: &SourceMap) -> bool {
    let Some(label) = &it.primary else { return false };
    let line = sources.start(label.span).line;
    let mut ignored = false;
    for suppression in all.iter_mut().filter(|it| it.comment.file == label.span.file) {
        if suppression.line.is_none_or(|it| it == line) {
            for (_, used) in suppression.codes.iter_mut().filter(|(code, _)| *code == it.rule.code) {
                *used = true;
                ignored = true;
            }
        }
    }
    ignored
}

fn unused_finding(it: &Suppression, unused: &[&str], sources: &SourceMap) -> Diagnostic {
    let listed: Vec<String> = unused.iter().map(|code| format!("`{code}`")).collect();
    let place = if it.line.is_none() { "in this file" } else { "on its line" };
    let message = format!("nothing is left to ignore: {} is not reported {place}", listed.join(", "));
    let kept: Vec<&str> = it.codes.iter().map(|(code, _)| *code).filter(|code| !unused.contains(code)).collect();
    let edit =
        if kept.is_empty() { without(it.comment, sources) } else { Edit { span: it.inside, text: kept.join(", ") } };
    Diagnostic::new(&UNUSED_SUPPRESSION, message)
        .at(it.comment, "has no effect")
        .help(if kept.is_empty() { "remove the comment".to_owned() } else { format!("leave {}", kept.join(", ")) })
        .fix(Fix::safe("remove what is not needed", vec![Change::Replace(edit)]))
}

/// Takes out a comment: its line if it stands alone, else the gap in front of it too.
fn without(comment: Span, sources: &SourceMap) -> Edit {
    let text = sources.file(comment.file).text();
    let (start, end) = (comment.start as usize, comment.end as usize);
    let before = text.get(..start).unwrap_or_default();
    let gap = before.trim_end_matches([' ', '\t']).len();
    let alone = gap == 0 || before[..gap].ends_with('\n');
    let rest = text.get(end..).unwrap_or_default();
    let newline = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    let end = if alone { end + newline } else { end };
    Edit { span: Span::new(comment.file, gap, end), text: String::new() }
}

struct Scan<'a> {
    id: FileId,
    name: &'a str,
    text: &'a str,
    out: &'a mut Vec<Diagnostic>,
}

impl Scan<'_> {
    fn run(&mut self, all: &mut Vec<Suppression>) {
        let mark = if Path::new(self.name).extension().is_some_and(|it| it == "kdl") { "//" } else { "#" };
        let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with(mark);
        let text = self.text;
        let mut start = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let here = start;
            start += line.len();
            let Some(at) = comment(line, mark) else { continue };
            let alone = line[..at].trim().is_empty();
            // It is for the next line that holds something.
            let below = || text[start..].lines().position(|line| !is_empty(line)).map(|more| number + 1 + more);
            let line_of = if alone { below() } else { Some(number) };
            if let Some(it) = self.read(here + at, mark, line_of.unwrap_or(number)) {
                all.push(it);
            }
        }
    }

    /// Reads the comment that starts at a byte.
    fn read(&mut self, start: usize, mark: &str, line: usize) -> Option<Suppression> {
        let rest = self.text.get(start..)?;
        let rest = rest.split(['\n', '\r']).next()?;
        let comment = Span::new(self.id, start, start + rest.trim_end().len());
        let at = |part: &str| Span::new(self.id, offset(self.text, part), offset(self.text, part) + part.len());
        let body = rest.get(mark.len()..)?.trim_start().strip_prefix(MARK)?.trim();
        let word_end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(body.len());
        let (word, after) = body.split_at(word_end);
        if word != IGNORE && word != IGNORE_FILE {
            // Other words after the mark are not for here.
            if let Some(near) = nearest(word, [IGNORE, IGNORE_FILE].into_iter()) {
                let message = format!("`{word}` behind `{MARK}` is not known");
                let change = Change::rename(at(word), word, near);
                self.out.push(
                    Diagnostic::new(&UNREADABLE_SUPPRESSION, message)
                        .at(at(word), "has no effect")
                        .help(format!("did you mean `{near}`?"))
                        .fix(Fix::unsafe_(format!("write `{near}`"), vec![change])),
                );
            }
            return None;
        }
        let inside = after.trim_start().strip_prefix('[').and_then(|it| it.split_once(']'));
        let Some((codes, reason)) = inside.filter(|(codes, _)| !codes.trim().is_empty()) else {
            self.out.push(
                Diagnostic::new(&UNREADABLE_SUPPRESSION, format!("`{word}` names no code in brackets"))
                    .at(comment, "has no effect")
                    .help(format!("write `{mark} {MARK} {word}[CODE] why`")),
            );
            return None;
        };
        let mut known = Vec::new();
        for code in codes.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            match rule(code) {
                Some(rule) => known.push((rule.code, false)),
                None => self.out.push(unknown_code(code, at(code))),
            }
        }
        if !reason.chars().any(char::is_alphanumeric) {
            self.out.push(
                Diagnostic::new(&SUPPRESSION_WITHOUT_REASON, format!("`{word}[{codes}]` does not say why"))
                    .at(comment, "no reason is given")
                    .help(format!("write it behind the bracket: `{mark} {MARK} {word}[{codes}] why`")),
            );
        }
        let line = (word == IGNORE).then_some(line);
        Some(Suppression { comment, inside: at(codes), line, codes: known })
    }
}

/// That a code does not exist, said at the place that names it.
pub(super) fn unknown_code(code: &str, at: Span) -> Diagnostic {
    let finding = Diagnostic::new(&UNKNOWN_CODE, format!("there is no code `{code}`")).at(at, "has no effect");
    match nearest_code(code) {
        Some(near) => finding
            .help(format!("did you mean `{near}`?"))
            .fix(Fix::unsafe_(format!("write `{near}`"), vec![Change::rename(at, code, near)])),
        None => finding.help("`telstack rules` lists every code"),
    }
}

/// Where in a line a comment of ours starts.
fn comment(line: &str, mark: &str) -> Option<usize> {
    let ours = |(at, _): &(usize, &str)| {
        let apart = line[..*at].chars().next_back().is_none_or(char::is_whitespace);
        apart && line[at + mark.len()..].trim_start().starts_with(MARK)
    };
    line.match_indices(mark).find(ours).map(|(at, _)| at)
}

/// Where a part of a text starts in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}
