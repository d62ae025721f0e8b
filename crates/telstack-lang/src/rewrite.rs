//! The text of a stack, written anew with the same meaning: laid out, or in the other syntax.

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, SourceFile, SourceMap, Span};
use telstack_syntax::stack::{
    Document, Node, SyntaxError, format_kdl, kdl_notes, parse_kdl, parse_yaml, write_kdl, write_yaml, yaml_notes,
};

use crate::{
    codes,
    grammar::{self, Form},
};

/// A way to write a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// KDL 2, in files named `….kdl`.
    Kdl,
    /// YAML, in files named `….yaml` or `….yml`.
    Yaml,
}

impl Syntax {
    /// The syntax that a file's name tells.
    pub fn of(name: &str) -> Self {
        let end = name.rsplit('.').next().unwrap_or_default();
        if end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml") { Self::Yaml } else { Self::Kdl }
    }
}

/// The finding of a slip in the text.
pub(crate) fn finding(error: SyntaxError) -> Diagnostic {
    let finding = Diagnostic::new(&codes::SYNTAX_ERROR, error.message).at(error.span, "here");
    match error.help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// The lines of a file in the syntax that its name tells. `words` are those that may stand in it.
pub(crate) fn parse(id: FileId, file: &SourceFile, words: &'static Form) -> (Document, Vec<SyntaxError>) {
    match Syntax::of(file.name()) {
        Syntax::Kdl => parse_kdl(id, file.text()),
        Syntax::Yaml => parse_yaml(id, file.text(), words),
    }
}

/// A file in KDL laid out as all stacks are. None, and the findings, if its text has slips.
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

/// The files that a file includes, as written.
pub fn includes(file: FileId, sources: &SourceMap) -> Vec<String> {
    fn add(lines: &[Node], found: &mut Vec<String>) {
        for line in lines {
            if line.name.value == grammar::INCLUDE.word {
                found.extend(line.args.iter().filter_map(|it| it.as_str()).map(str::to_owned));
            } else if line.name.value == grammar::STACK.word {
                add(line.children(), found);
            }
        }
    }
    let mut found = Vec::new();
    add(&parse(file, sources.file(file), &grammar::FILE).0.nodes, &mut found);
    found
}

/// A file in the other syntax, with its comments. None, and the findings, if its text has slips, or says what the
/// other syntax cannot hold.
pub fn convert(file: FileId, sources: &SourceMap, to: Syntax, out: &mut Diagnostics) -> Option<String> {
    let source = sources.file(file);
    // A file without a stack is a part that others include: it holds what stands in a stack.
    let is_stack = |it: &Document| it.nodes.iter().any(|line| line.name.value == grammar::STACK.word);
    let mut words = &grammar::FILE;
    let (mut document, mut errors) = parse(file, source, words);
    if !is_stack(&document) {
        words = &grammar::STACK;
        (document, errors) = parse(file, source, words);
    }
    if !errors.is_empty() {
        for error in errors {
            out.push(finding(error));
        }
        return None;
    }
    let notes = match Syntax::of(source.name()) {
        Syntax::Kdl => kdl_notes(file, source.text(), &document),
        Syntax::Yaml => yaml_notes(file, source.text(), &document),
    };
    match to {
        Syntax::Kdl => {
            let text = write_kdl(&document, &notes);
            // Only what is nested too deep can be read in YAML and not in KDL.
            if let Some(error) = parse_kdl(file, &text).1.into_iter().next() {
                let message = format!("KDL cannot hold this: {}", error.message);
                out.push(Diagnostic::new(&codes::SYNTAX_ERROR, message).at(Span::new(file, 0, 0), "only in YAML"));
                return None;
            }
            Some(text)
        }
        Syntax::Yaml => match write_yaml(&document, &notes, words) {
            Ok(text) => Some(text),
            Err(error) => {
                out.push(Diagnostic::new(&codes::SYNTAX_ERROR, error.message).at(error.span, "only in KDL"));
                None
            }
        },
    }
}
