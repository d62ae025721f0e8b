//! The stack language: the text of a stack description to a [`System`], as written.
//!
//! In this order: files are read and included ones put in place ([`names`]); constants are put in
//! ([`names`]); every line is checked against one grammar ([`grammar`], [`check`]), so that one run
//! reports every mistake; then lines become nodes and edges ([`stack`] and what it calls), which skips
//! quietly what was reported before. Nothing is derived here beyond what the text itself says: protocols,
//! ports, volumes and the rest are the passes' work.
//!
//! Invariant: no tool and no emitted file is known here.

mod allocator;
mod check;
mod clusters;
mod codes;
mod collector;
mod exposure;
mod external;
mod form;
mod grammar;
mod layers;
mod machines;
mod names;
mod pipelines;
mod placement;
mod presets;
mod rewrite;
mod schema;
mod scrapes;
mod settings;
mod sidecar;
mod stack;
mod stores;
mod views;
mod words;
mod workload;

#[cfg(test)]
mod tests;

pub use clusters::Description;
pub use codes::RULES;
pub use rewrite::{Syntax, convert, format, includes};
pub use schema::schema;
pub use words::is_host_name as is_name;

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use telstack_syntax::stack::Node as Line;
use telstack_system::System;

use crate::{
    check::twice,
    grammar::FILE,
    names::{Constants, Files},
};

/// Where included files come from.
pub trait Loader {
    /// The text of an included file. `path` is as written, relative to the file `including`. The error
    /// says in words why it cannot be had.
    fn load(&self, including: &str, path: &str) -> Result<Loaded, String>;
}

/// An included file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loaded {
    /// Its name: the same for the same file, whatever path led to it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Reads a stack description and all that it includes. None if there is no stack in it.
pub fn read(file: FileId, sources: &mut SourceMap, loader: &dyn Loader, out: &mut Diagnostics) -> Option<Description> {
    let mut files = Files::new(sources, loader, out);
    let mut lines = files.read(file);
    let incomplete = files.incomplete;
    let mut constants = Constants::new(incomplete);
    constants.take(&mut lines, out);
    constants.put_in(&mut lines, out);
    if lines.is_empty() && incomplete {
        return None;
    }
    let line = the_stack(file, &lines, incomplete, out)?;
    Some(Description::new(line, sources, loader, incomplete, out))
}

/// The first System of a stack description, which is the only one of most.
///
/// A System is made even of a description with mistakes, of all that could be understood, so that later
/// stages can find independent ones. What was reported is left out of it: while `out` has errors, things may
/// be missing from the System that are not missing from the text.
pub fn lower(file: FileId, sources: &mut SourceMap, loader: &dyn Loader, out: &mut Diagnostics) -> Option<System> {
    let description = read(file, sources, loader, out)?;
    Some(description.lower(0, out))
}

/// The one `stack` line of a file.
fn the_stack<'a>(file: FileId, lines: &'a [Line], incomplete: bool, out: &mut Diagnostics) -> Option<&'a Line> {
    let mut stacks = lines.iter().filter(|line| line.name.value == grammar::STACK.word);
    let Some(first) = stacks.next() else {
        if incomplete {
            return None;
        }
        let place = lines.first().map_or(Span::new(file, 0, 0), |line| line.name.span);
        let finding = Diagnostic::new(&codes::MISSING_PART, "there is no `stack` in this file");
        out.push(finding.at(place, "outside a stack").help(format!("write `{}`", grammar::STACK.example)));
        return None;
    };
    for other in stacks {
        let finding = twice("a file describes one stack".to_owned(), other.head(), first.head());
        out.push(finding.help("move the second stack to a file of its own, and share lines with `include`"));
    }
    for line in lines.iter().filter(|line| !line.broken && FILE.child(&line.name.value).is_none()) {
        out.push(check::unknown_word(&line.name, &FILE, "the file itself"));
    }
    Some(first)
}
