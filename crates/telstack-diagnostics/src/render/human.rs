//! The report that a person reads in a terminal.

use std::{collections::HashMap, fmt::Write as _};

use ariadne::{CharSet, Color, Config, IndexType, Report, ReportKind, Source};

use super::excerpt::{Excerpt, printable, told};
use crate::{Diagnostic, FileId, Label, Severity, SourceMap, Span};

/// Whether to colour the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// ANSI colours.
    On,
    /// Plain text.
    Off,
}

/// A place in the excerpt of a file.
struct Place {
    file: FileId,
    range: std::ops::Range<usize>,
}

impl ariadne::Span for Place {
    type SourceId = FileId;

    fn source(&self) -> &FileId {
        &self.file
    }

    fn start(&self) -> usize {
        self.range.start
    }

    fn end(&self) -> usize {
        self.range.end
    }
}

/// The excerpts of the files that a finding points into.
struct Excerpts<'a> {
    sources: &'a SourceMap,
    shown: HashMap<FileId, Excerpt>,
    parsed: HashMap<FileId, Source<String>>,
}

impl<'a> Excerpts<'a> {
    fn new(labels: &[(&Label, Color)], sources: &'a SourceMap) -> Self {
        let mut spans: HashMap<FileId, Vec<Span>> = HashMap::new();
        for (label, _) in labels {
            spans.entry(label.span.file).or_default().push(visible(label.span, sources));
        }
        let excerpt = |(id, spans): (FileId, Vec<Span>)| (id, Excerpt::new(sources.file(id), &spans));
        let mut shown: HashMap<FileId, Excerpt> = spans.into_iter().map(excerpt).collect();
        let parsed = shown.iter_mut().map(|(id, it)| (*id, Source::from(std::mem::take(&mut it.text)))).collect();
        Self { sources, shown, parsed }
    }

    fn place(&self, span: Span) -> Place {
        let range = self.shown.get(&span.file).map(|it| it.place(visible(span, self.sources)));
        Place { file: span.file, range: range.unwrap_or_default() }
    }

    /// The line and column of a place in the words of the renderer, and as they are in the file.
    fn columns(&self) -> impl Iterator<Item = (String, String)> {
        self.shown.iter().flat_map(|(id, excerpt)| {
            let name = printable(self.sources.file(*id).name());
            excerpt.columns.iter().map(move |it| {
                let place = |column: usize| format!(" {name}:{}:{column} ", it.line);
                (place(it.shown), place(it.real))
            })
        })
    }
}

impl ariadne::Cache<FileId> for &mut Excerpts<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<String>, impl std::fmt::Debug> {
        self.parsed.get(id).ok_or("a file without an excerpt")
    }

    fn display<'b>(&self, id: &'b FileId) -> Option<impl std::fmt::Display + 'b> {
        Some(printable(self.sources.file(*id).name()).into_owned())
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
    // The renderer merges what is in reading order; the primary file comes first.
    let mut labels: Vec<_> = std::iter::once((primary, colour_of(diagnostic.severity)))
        .chain(diagnostic.labels.iter().map(|label| (label, Color::Blue)))
        .collect();
    labels.sort_by_key(|(label, _)| (label.span.file != primary.span.file, label.span));
    let mut excerpts = Excerpts::new(&labels, sources);
    let mut report = Report::build(kind, excerpts.place(primary.span)).with_config(config);
    for (order, (label, colour)) in (0..).zip(labels) {
        let shown = ariadne::Label::new(excerpts.place(label.span)).with_color(colour).with_order(order);
        let message = told(&label.message);
        report = report.with_label(if message.is_empty() { shown } else { shown.with_message(message) });
    }
    for note in &diagnostic.notes {
        report = report.with_note(told(note));
    }
    for help in &diagnostic.help {
        report = report.with_help(told(help));
    }
    let mut drawn = Vec::new();
    if report.finish().write(&mut excerpts, &mut drawn).is_ok() {
        let mut drawn = String::from_utf8_lossy(&drawn).into_owned();
        for (shown, real) in excerpts.columns() {
            drawn = drawn.replacen(&shown, &real, 1);
        }
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
    let message = told(&diagnostic.message);
    if colour == Colour::Off {
        return format!("{start}: {message}\n");
    }
    let ansi = match diagnostic.severity {
        Severity::Error => 31,
        Severity::Warning => 33,
        Severity::Info => 36,
    };
    format!("\u{1b}[1;{ansi}m{start}\u{1b}[0m: \u{1b}[1m{message}\u{1b}[0m\n")
}

fn remarks(diagnostic: &Diagnostic, out: &mut String) {
    for note in &diagnostic.notes {
        let _ = writeln!(out, "  note: {}", told(note));
    }
    for help in &diagnostic.help {
        let _ = writeln!(out, "  help: {}", told(help));
    }
    out.push('\n');
}

/// An empty span draws nothing: show one character, and stay on the first line of a long span.
fn visible(span: Span, sources: &SourceMap) -> Span {
    let text = sources.file(span.file).text();
    let start = (span.start as usize).min(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
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
