//! The text of a stack, written anew with the same meaning: laid out.

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, SourceMap};
use telstack_syntax::stack::{SyntaxError, format_kdl};

use crate::codes;

/// The finding of a slip in the text.
pub(crate) fn finding(error: SyntaxError) -> Diagnostic {
    let finding = Diagnostic::new(&codes::NOT_KDL, error.message).at(error.span, "here");
    match error.help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// A file laid out as all stacks are. None, and the findings, if its text has slips.
pub fn format(file: FileId, sources: &SourceMap, out: &mut Diagnostics) -> Option<String> {
    match format_kdl(file, sources.file(file).text()) {
        Ok(text) => Some(text),
        Err(errors) => {
            for error in errors {
                out.push(finding(error));
            }
            None
        }
    }
}
