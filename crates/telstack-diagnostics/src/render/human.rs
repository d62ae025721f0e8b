//! The report that a person reads in a terminal.

use std::{collections::HashMap, fmt::Write as _};

use ariadne::{CharSet, Color, Config, IndexType, Report, ReportKind, Source};

use crate::{Diagnostic, FileId, Severity, SourceMap, Span};

/// Whether to colour the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// ANSI colours.
    On,
    /// Plain text.
    Off,
}

impl ariadne::Span for Span {
    type SourceId = FileId;

    fn source(&self) -> &FileId {
        &self.file
    }

    fn start(&self) -> usize {
        self.start as usize
    }

    fn end(&self) -> usize {
        self.end as usize
    }
}

struct Cache<'a> {
    sources: &'a SourceMap,
    parsed: HashMap<FileId, Source<&'a str>>,
}

impl<'a> ariadne::Cache<FileId> for Cache<'a> {
    type Storage = &'a str;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<&'a str>, impl std::fmt::Debug> {
        let sources = self.sources;
        Ok::<_, std::convert::Infallible>(
            self.parsed.entry(*id).or_insert_with(|| Source::from(sources.file(*id).text())),
        )
    }

    fn display<'b>(&self, id: &'b FileId) -> Option<impl std::fmt::Display + 'b> {
        Some(self.sources.file(*id).name().to_owned())
    }
}

fn colour_of(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Info => Color::Cyan,
    }
}

/// Renders one finding, ending in a blank line.
pub fn human(diagnostic: &Diagnostic, sources: &SourceMap, colour: Colour) -> String {
    let Some(primary) = &diagnostic.primary else {
        return placeless(diagnostic);
    };
    let severity = diagnostic.severity.to_string();
    let kind = ReportKind::Custom(&severity, colour_of(diagnostic.severity));
    let config = Config::default()
        .with_color(colour == Colour::On)
        .with_index_type(IndexType::Byte)
        .with_char_set(CharSet::Unicode)
        .with_tab_width(4);
    let mut report = Report::build(kind, primary.span)
        .with_code(diagnostic.rule.code)
        .with_config(config)
        .with_message(format!("{} ({})", diagnostic.message, diagnostic.rule.name))
        .with_label(
            ariadne::Label::new(visible(primary.span, sources))
                .with_message(&primary.message)
                .with_color(colour_of(diagnostic.severity))
                .with_priority(1),
        );
    for label in &diagnostic.labels {
        report = report.with_label(
            ariadne::Label::new(visible(label.span, sources)).with_message(&label.message).with_color(Color::Blue),
        );
    }
    for note in &diagnostic.notes {
        report = report.with_note(note);
    }
    for help in &diagnostic.help {
        report = report.with_help(help);
    }
    let mut out = Vec::new();
    let cache = Cache { sources, parsed: HashMap::new() };
    match report.finish().write(cache, &mut out) {
        Ok(()) => tidy(&String::from_utf8_lossy(&out)),
        // Writing to memory cannot fail; should the renderer refuse, the finding must not be lost.
        Err(_) => placeless(diagnostic),
    }
}

/// An empty span draws nothing: show one character, and stay on the first line of a long span.
fn visible(span: Span, sources: &SourceMap) -> Span {
    let text = sources.file(span.file).text();
    let start = (span.start as usize).min(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.find('\n').unwrap_or(rest.len());
    let wanted = (span.end as usize).saturating_sub(start).max(1);
    let mut length = wanted.min(line.max(1));
    while !text.is_char_boundary((start + length).min(text.len())) {
        length += 1;
    }
    Span::new(span.file, start, (start + length).min(text.len()))
}

fn placeless(diagnostic: &Diagnostic) -> String {
    let mut out = format!(
        "[{}] {}: {} ({})\n",
        diagnostic.rule.code, diagnostic.severity, diagnostic.message, diagnostic.rule.name
    );
    for note in &diagnostic.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    for help in &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
    out.push('\n');
    out
}

/// The renderer pads lines; reports are compared and pasted, so they end where their text ends.
fn tidy(report: &str) -> String {
    let mut out = String::with_capacity(report.len());
    for line in report.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
    out
}

/// `2 errors and 1 warning`, or `no findings`.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let mut parts = Vec::new();
    for (severity, one, many) in [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Info, "remark", "remarks"),
    ] {
        match diagnostics.iter().filter(|it| it.severity == severity).count() {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            n => parts.push(format!("{n} {many}")),
        }
    }
    match parts.as_slice() {
        [] => "no findings".to_owned(),
        [one] => one.clone(),
        [first, last] => format!("{first} and {last}"),
        [first, middle, last, ..] => format!("{first}, {middle} and {last}"),
    }
}
