//! The one finding type.

use std::fmt;

use crate::{FileId, Fix, RuleInfo, SourceMap, Span};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Advice.
    Info,
    /// Likely trouble.
    Warning,
    /// It will not start or not work, or it surely loses data.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// A place with a remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub message: String,
}

/// A finding: what is wrong, where (both ends), why it matters, what to write instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What was found.
    pub rule: &'static RuleInfo,
    /// How bad it is here.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The place to change; `None` for a finding about the run as a whole.
    pub primary: Option<Label>,
    /// The other ends.
    pub labels: Vec<Label>,
    /// Why it matters, facts that decide.
    pub notes: Vec<String>,
    /// What to write instead; several ways out are several entries.
    pub help: Vec<String>,
    /// Edits, where there is one right answer.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding of `rule` with the rule's own severity.
    pub fn new(rule: &'static RuleInfo, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: message.into(),
            primary: None,
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            fix: None,
        }
    }

    /// The place to change.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            self.primary = Some(Label { span, message: message.into() });
        }
        self
    }

    /// Another end. Dropped when there is no place to show or it repeats one already shown.
    #[must_use]
    pub fn label(mut self, span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            let seen = |label: &Label| label.span == span;
            if !self.primary.as_ref().is_some_and(seen) && !self.labels.iter().any(seen) {
                self.labels.push(Label { span, message: message.into() });
            }
        }
        self
    }

    /// A fact that explains.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// A way out. Dropped when it is shown already.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        let help = help.into();
        if !self.help.contains(&help) {
            self.help.push(help);
        }
        self
    }

    /// Another severity than the rule's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Edits that put it right.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Every place that it shows: the one to change first, then the other ends.
    pub fn places(&self) -> impl Iterator<Item = Span> {
        self.primary.iter().chain(&self.labels).map(|label| label.span)
    }

    /// The same finding where its files have other ids.
    #[must_use]
    pub fn with_files(mut self, id: impl Fn(FileId) -> FileId) -> Self {
        for label in self.primary.iter_mut().chain(&mut self.labels) {
            label.span.file = id(label.span.file);
        }
        if let Some(fix) = &mut self.fix {
            fix.for_each_span(|span| span.file = id(span.file));
        }
        self
    }
}

/// A sink for findings.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.all.push(diagnostic);
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// No findings?
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds all findings of another sink.
    pub fn append(&mut self, mut other: Diagnostics) {
        self.all.append(&mut other.all);
    }

    /// Is there an error?
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(|it| it.severity == Severity::Error)
    }

    /// In reading order: by file name, place, code; each finding once. Fixes become edits of the text.
    #[must_use]
    pub fn sorted(mut self, sources: &SourceMap) -> Vec<Diagnostic> {
        for it in &mut self.all {
            it.fix = it.fix.take().and_then(|mut fix| fix.resolve(sources).then_some(fix));
        }
        let key = |it: &Diagnostic| {
            let place = it
                .primary
                .as_ref()
                .map(|label| (sources.file(label.span.file).name().to_owned(), label.span.start, label.span.end));
            (place, it.rule.code, it.message.clone())
        };
        self.all.sort_by_cached_key(key);
        self.all.dedup();
        self.all
    }

    /// The findings in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, more: T) {
        self.all.extend(more);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    /// The findings in the order they were made.
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}
