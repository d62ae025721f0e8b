//! The tree of a stack description: nodes with arguments, properties and children.
//!
//! KDL is one way to write it, YAML another. Later stages see only this.

mod kdl;
mod notes;
mod yaml;

pub use self::{
    kdl::{SyntaxError, format_kdl, kdl_notes, parse_kdl, write_kdl},
    notes::{Note, Notes},
    yaml::{Unsayable, Words, parse_yaml, write_yaml, yaml_notes},
};

use telstack_diagnostics::Span;

/// Something with the place where it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spanned<T> {
    /// The thing.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// What a file holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Document {
    /// Its lines.
    pub nodes: Vec<Node>,
    /// Some line could not be read at all.
    pub holes: bool,
}

impl Document {
    /// May there be lines, or parts of lines, that are not in the tree because they could not be read?
    pub fn is_incomplete(&self) -> bool {
        self.holes || self.nodes.iter().any(|node| node.broken)
    }
}

/// A line of a stack description, with what hangs below it.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// The word it starts with.
    pub name: Spanned<String>,
    /// Values behind the word, in order.
    pub args: Vec<Atom>,
    /// `key=value` pairs, in order.
    pub props: Vec<Prop>,
    /// The block, if one was written.
    pub children: Option<Vec<Node>>,
    /// From the word to the end of the block.
    pub span: Span,
    /// See [`Node::head`].
    pub head: Span,
    /// The line was not understood to its end, which was reported: values and properties may be missing
    /// here that are not missing from the text.
    pub broken: bool,
    /// Some line of the block could not be read at all.
    pub holes: bool,
}

/// `key=value`.
#[derive(Clone, PartialEq, Debug)]
pub struct Prop {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Atom,
}

/// A scalar, maybe with a tag in front: `(secret)"name/key"`.
#[derive(Clone, PartialEq, Debug)]
pub struct Atom {
    /// The word in parentheses.
    pub tag: Option<Spanned<String>>,
    /// The scalar.
    pub scalar: Scalar,
    /// The place of tag and scalar together.
    pub span: Span,
}

/// A scalar.
#[derive(Clone, PartialEq, Debug)]
pub enum Scalar {
    /// `#null`.
    Null,
    /// `#true`, `#false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    String(String),
}

impl Node {
    /// May the block hold lines, or parts of lines, that are not in the tree because they could not be read?
    pub fn is_incomplete(&self) -> bool {
        self.broken || self.holes || self.children().iter().any(|child| child.broken)
    }

    /// The block's nodes; none without a block.
    pub fn children(&self) -> &[Node] {
        self.children.as_deref().unwrap_or_default()
    }

    /// The value of the property `key`.
    pub fn prop(&self, key: &str) -> Option<&Atom> {
        // KDL: of two properties with one name the last one counts.
        self.props.iter().rev().find(|prop| prop.key.value == key).map(|prop| &prop.value)
    }

    /// The line without its block: what findings about it as a whole point at.
    pub fn head(&self) -> Span {
        self.head
    }
}

impl Atom {
    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.scalar {
            Scalar::String(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, in a word for messages.
    pub fn describe(&self) -> &'static str {
        match self.scalar {
            Scalar::Null => "null",
            Scalar::Bool(_) => "a boolean",
            Scalar::Int(_) => "a whole number",
            Scalar::Float(_) => "a number",
            Scalar::String(_) => "a string",
        }
    }
}
