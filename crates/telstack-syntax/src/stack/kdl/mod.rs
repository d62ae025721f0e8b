//! KDL 2 into the stack tree, and back into text.
//!
//! [`lex`] splits the text into tokens and loses none of it; [`braces`] mends what is not balanced;
//! [`parse`] makes the tree as written, and goes on behind each slip; here it becomes the tree that later stages
//! see. [`say`] and [`habits`] hold the words. Time and memory grow with the text and no faster, and nothing
//! recurses deeper than blocks may be nested.

mod braces;
mod chars;
mod format;
mod habits;
mod lex;
mod parse;
mod say;
mod text;
mod values;
mod write;

#[cfg(test)]
mod tests;

use telstack_diagnostics::{FileId, Span};

use self::parse::{Lines, Parsed};
pub use self::{format::format_kdl, write::write_kdl};
use super::{
    Document, Node, Notes, Prop, Scalar,
    notes::{Comment, plain_lines},
};

/// A place where the text is not KDL, or holds a value that no tool here can hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to write instead.
    pub help: Option<String>,
    /// The text is KDL by its grammar. It is refused because it cannot be meant, or not be held.
    pub grammatical: bool,
}

/// Reads KDL 2. What could be read is in the tree even if there are errors; the first error is the one to
/// mend first.
pub fn parse_kdl(file: FileId, text: &str) -> (Document, Vec<SyntaxError>) {
    meaning(&parse::parse(file, text))
}

/// The tree of a text, and all that is wrong with it, in the order of the text.
fn meaning(parsed: &Parsed<'_>) -> (Document, Vec<SyntaxError>) {
    let mut errors = Vec::new();
    let document = Document { nodes: Vec::new(), holes: parsed.top.holes };
    let nodes = nodes(parsed, &parsed.top, &mut errors);
    errors.truncate(parse::MOST_ERRORS);
    errors.extend(parsed.errors.iter().chain(&parsed.habits).cloned());
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    (Document { nodes, ..document }, errors)
}

/// The comments of a KDL text around the lines of its tree. A line that is switched off is a comment too.
pub fn kdl_notes(file: FileId, text: &str, document: &Document) -> Notes {
    let parsed = parse::parse(file, text);
    let mut off = Vec::new();
    switched_off(&parsed.top, &mut off);
    let mut comments = Vec::new();
    let mut skip = 0;
    for (at, token) in parsed.tokens.iter().enumerate() {
        if at < skip {
            continue;
        }
        let slice = |start: usize, end: usize| text.get(start..end).unwrap_or_default();
        let (start, end) = (token.start as usize, token.end as usize);
        if let Ok(found) = off.binary_search_by_key(&at, |it| it.0) {
            skip = off[found].1;
            let end = parsed.tokens.get(skip - 1).map_or(end, |it| it.end as usize);
            comments.push(Comment { at: start, lines: plain_lines(slice(start, end)) });
        } else if token.kind == lex::Kind::LineComment {
            comments.push(Comment { at: start, lines: plain_lines(slice(start + 2, end)) });
        } else if token.kind == lex::Kind::BlockComment {
            comments.push(Comment { at: start, lines: plain_lines(slice(start + 2, end - 2)) });
        }
    }
    Notes::new(text, &document.nodes, comments)
}

/// The tokens of lines that are switched off, in order.
fn switched_off(lines: &Lines, found: &mut Vec<(usize, usize)>) {
    for line in &lines.lines {
        if line.off && line.name.value != VERSION {
            found.push((line.first, line.end));
        } else {
            line.blocks.iter().filter(|it| !it.off).for_each(|block| switched_off(&block.inside, found));
        }
    }
}

/// The lines that are not switched off.
fn nodes(parsed: &Parsed<'_>, lines: &Lines, errors: &mut Vec<SyntaxError>) -> Vec<Node> {
    let mut found = Vec::new();
    for line in &lines.lines {
        if line.off {
            if line.name.value == VERSION && line.entries.iter().any(|it| it.value.scalar == Scalar::Int(1)) {
                errors.push(SyntaxError {
                    message: "this file says that it is KDL 1".to_owned(),
                    span: line.name.span,
                    help: Some(
                        "stacks are written in KDL 2: write `/- kdl-version 2`, or leave the line out".to_owned(),
                    ),
                    grammatical: true,
                });
            }
            continue;
        }
        if let Some(tag) = &line.tag {
            errors.push(SyntaxError {
                message: format!("the tag `({})` means nothing in front of a word", tag.value),
                span: tag.span,
                help: Some("put it in front of the value that it belongs to".to_owned()),
                grammatical: true,
            });
        }
        let mut node = Node {
            name: line.name.clone(),
            args: Vec::new(),
            props: Vec::new(),
            children: None,
            span: line.name.span,
            head: line.name.span,
            broken: line.broken,
            holes: false,
        };
        for entry in line.entries.iter().filter(|it| !it.off) {
            match &entry.key {
                Some(key) => node.props.push(Prop { key: key.clone(), value: entry.value.clone() }),
                None => node.args.push(entry.value.clone()),
            }
            node.span = node.span.to(entry.value.span);
        }
        node.head = node.span;
        if let Some(block) = line.blocks.iter().find(|it| !it.off) {
            node.children = Some(nodes(parsed, &block.inside, errors));
            node.holes = block.inside.holes;
            let end = parsed.tokens.get(block.close).map_or(parsed.text.len(), |it| it.end as usize);
            node.span = node.span.to(Span::new(node.span.file, end, end));
        }
        found.push(node);
    }
    found
}

/// The word of the line that a file may start with, to say which KDL it is: `/- kdl-version 2`.
const VERSION: &str = "kdl-version";
