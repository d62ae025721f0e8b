//! The findings of everything that was checked, over one map of files.

use std::collections::{BTreeMap, BTreeSet};

use telstack_diagnostics::{Diagnostic, FileId, Severity, SourceMap, Span};

/// The findings of a run, each once, in the order in which things were checked.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Every file that was read.
    pub sources: SourceMap,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    files: BTreeMap<String, FileId>,
    told: BTreeSet<(&'static str, Option<Span>, String)>,
}

impl Findings {
    /// Adds what was found in some files. A file that is part of several stacks is there once, and so is what
    /// was found in it.
    pub fn add(&mut self, sources: &SourceMap, diagnostics: Vec<Diagnostic>) {
        let mut ids = BTreeMap::new();
        for (id, file) in sources.files() {
            let known = self.files.get(file.name()).copied();
            let known = known.filter(|it| self.sources.file(*it).text() == file.text());
            let new = known.unwrap_or_else(|| {
                let new = self.sources.add(file.name(), file.text());
                self.files.insert(file.name().to_owned(), new);
                new
            });
            ids.insert(id, new);
        }
        for it in diagnostics {
            let it = it.with_files(|id| ids.get(&id).copied().unwrap_or(id));
            let place = it.primary.as_ref().map(|label| label.span);
            if self.told.insert((it.rule.code, place, it.message.clone())) {
                self.diagnostics.push(it);
            }
        }
    }

    /// The name of the file to change; none for a finding about the run as a whole.
    pub fn file_of(&self, it: &Diagnostic) -> Option<&str> {
        it.primary.as_ref().map(|label| self.sources.file(label.span.file).name())
    }

    /// Is a finding at least this bad?
    pub fn has(&self, level: Severity) -> bool {
        self.diagnostics.iter().any(|it| it.severity >= level)
    }
}
