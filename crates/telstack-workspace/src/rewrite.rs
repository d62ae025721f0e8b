//! Stack files written anew.

use telstack_diagnostics::{Diagnostic, Diagnostics, SourceMap};

/// A file, laid out.
#[derive(Debug)]
pub struct Rewritten {
    /// The file as it was.
    pub sources: SourceMap,
    /// Why there is no new text.
    pub diagnostics: Vec<Diagnostic>,
    /// The new text; none if the old one has slips.
    pub text: Option<String>,
}

/// Lays out the text of a stack, or of a part of one. `name` is what findings call the file.
pub fn format(name: &str, text: &str) -> Rewritten {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    let mut out = Diagnostics::default();
    let text = telstack_lang::format(file, &sources, &mut out);
    Rewritten { diagnostics: out.sorted(&sources), sources, text }
}
