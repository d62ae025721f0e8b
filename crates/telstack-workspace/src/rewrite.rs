//! Stack files written anew.

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, SourceMap};

pub use telstack_lang::Syntax;

/// A file, written anew.
#[derive(Debug)]
pub struct Rewritten {
    /// The file as it was.
    pub sources: SourceMap,
    /// Why there is no new text.
    pub diagnostics: Vec<Diagnostic>,
    /// The new text; none if the old one has slips.
    pub text: Option<String>,
}

/// Lays out the text of a stack in KDL, or of a part of one. `name` is what findings call the file.
pub fn format(name: &str, text: &str) -> Rewritten {
    rewritten(name, text, telstack_lang::format)
}

/// Writes a stack, or a part of one, in another syntax. `name` tells the one that it is in.
pub fn convert(name: &str, text: &str, to: Syntax) -> Rewritten {
    rewritten(name, text, |file, sources, out| telstack_lang::convert(file, sources, to, out))
}

/// The files that a stack, or a part of one, includes, as written. `name` tells its syntax.
pub fn includes(name: &str, text: &str) -> Vec<String> {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    telstack_lang::includes(file, &sources)
}

fn rewritten(
    name: &str,
    text: &str,
    rewrite: impl FnOnce(FileId, &SourceMap, &mut Diagnostics) -> Option<String>,
) -> Rewritten {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    let mut out = Diagnostics::default();
    let text = rewrite(file, &sources, &mut out);
    Rewritten { diagnostics: out.sorted(&sources), sources, text }
}
