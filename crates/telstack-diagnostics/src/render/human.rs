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
    let mut out = headline(diagnostic, colour);
    let Some(primary) = &diagnostic.primary else {
        remarks(diagnostic, &mut out);
        return out;
    };
    let severity = diagnostic.severity.to_string();
    let kind = ReportKind::Custom(&severity, colour_of(diagnostic.severity));
    let config = Config::default()
        .with_color(colour == Colour::On)
        .with_index_type(IndexType::Byte)
        .with_char_set(CharSet::Unicode)
        .with_tab_width(4);
    let mut report = Report::build(kind, primary.span).with_config(config);
    // The renderer merges what is in reading order; the primary file comes first.
    let mut labels: Vec<_> = std::iter::once((primary, colour_of(diagnostic.severity)))
        .chain(diagnostic.labels.iter().map(|label| (label, Color::Blue)))
        .collect();
    labels.sort_by_key(|(label, _)| (label.span.file != primary.span.file, label.span));
    for (order, (label, colour)) in (0..).zip(labels) {
        let shown = ariadne::Label::new(visible(label.span, sources)).with_color(colour).with_order(order);
        report = report.with_label(if label.message.is_empty() { shown } else { shown.with_message(&label.message) });
    }
    for note in &diagnostic.notes {
        report = report.with_note(note);
    }
    for help in &diagnostic.help {
        report = report.with_help(help);
    }
    let mut drawn = Vec::new();
    let cache = Cache { sources, parsed: HashMap::new() };
    if report.finish().write(cache, &mut drawn).is_ok() {
        let drawn = String::from_utf8_lossy(&drawn);
        // The renderer's own first line cannot do without colour: ours stands in for it.
        for line in drawn.lines().skip(1) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    } else {
        // Writing to memory cannot fail; should the renderer refuse, the finding must not be lost.
        remarks(diagnostic, &mut out);
    }
    out
}

/// `error[N020] no-common-protocol: …`
fn headline(diagnostic: &Diagnostic, colour: Colour) -> String {
    let start = format!("{}[{}] {}", diagnostic.severity, diagnostic.rule.code, diagnostic.rule.name);
    if colour == Colour::Off {
        return format!("{start}: {}\n", diagnostic.message);
    }
    let ansi = match diagnostic.severity {
        Severity::Error => 31,
        Severity::Warning => 33,
        Severity::Info => 36,
    };
    format!("\u{1b}[1;{ansi}m{start}\u{1b}[0m: \u{1b}[1m{}\u{1b}[0m\n", diagnostic.message)
}

fn remarks(diagnostic: &Diagnostic, out: &mut String) {
    for note in &diagnostic.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    for help in &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
    out.push('\n');
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
