//! What would put a finding right. Rules say what should change; how that is done in the text, with its quotes,
//! comments and layout, is worked out here.

mod edits;

use crate::{SourceMap, Span};

/// May a fix be applied without asking?
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Applicability {
    /// It changes no meaning, or puts right what cannot work, and is the only way.
    Safe,
    /// It needs a reader.
    Unsafe,
}

/// Replace the text under `span`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What to replace; empty to insert.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// What should change, whatever it is written like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Exactly this text under exactly this span.
    Replace(Edit),
    /// A word of a key or a value.
    Rename {
        /// The whole key or value; quotes may belong to it.
        span: Span,
        /// The word as it is.
        from: String,
        /// The word as it should be.
        to: String,
    },
    /// The items of a list in another order.
    Reorder {
        /// All items, in the order they stand in.
        items: Vec<Span>,
        /// For each place in the list, which item comes there.
        order: Vec<usize>,
    },
    /// Other lines for an entry of a map that has its line to itself.
    Lines {
        /// The entry, from its key to the end of its value.
        entry: Span,
        /// The new lines, indented among themselves.
        lines: String,
    },
    /// One more item at the end of a list.
    Append {
        /// The item that is last now.
        last: Span,
        /// The new one.
        item: String,
    },
    /// One more entry of a map.
    Add {
        /// Where it comes.
        spot: Spot,
        /// The entry as lines, indented among themselves.
        lines: String,
        /// The same as it stands in braces.
        flow: String,
    },
    /// An entry of a map goes, from its key to the end of its value.
    Remove {
        /// The entry.
        entry: Span,
    },
    /// An item of a list of several goes.
    Drop {
        /// The item.
        item: Span,
    },
    /// One more word at the end of a command line that is one text.
    Word {
        /// The text, with its quotes.
        line: Span,
        /// The word.
        word: String,
    },
}

/// Where an entry is added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// Behind an entry of the same map.
    Behind(Span),
    /// In the map of a key that holds nothing yet.
    Under {
        /// The key.
        key: Span,
        /// What is written for it, if anything is: `{}`.
        value: Option<Span>,
    },
}

/// Changes that put a finding right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, as an imperative: "rename to `batch`".
    pub title: String,
    /// May it be applied without asking?
    pub applicability: Applicability,
    /// What should change. All of it, or nothing.
    pub changes: Vec<Change>,
    /// The same as edits of the text, in order, without overlaps. [`Diagnostics::sorted`](crate::Diagnostics::sorted)
    /// fills them in; a fix that cannot be done in the text as it is written is dropped there.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix that may be applied without asking.
    pub fn safe(title: impl Into<String>, changes: Vec<Change>) -> Self {
        Self { title: title.into(), applicability: Applicability::Safe, changes, edits: Vec::new() }
    }

    /// A fix that needs a reader.
    pub fn unsafe_(title: impl Into<String>, changes: Vec<Change>) -> Self {
        Self { applicability: Applicability::Unsafe, ..Self::safe(title, changes) }
    }

    pub(crate) fn for_each_span(&mut self, mut change: impl FnMut(&mut Span)) {
        for it in &mut self.changes {
            match it {
                Change::Replace(edit) => change(&mut edit.span),
                Change::Rename { span, .. }
                | Change::Append { last: span, .. }
                | Change::Lines { entry: span, .. }
                | Change::Remove { entry: span }
                | Change::Drop { item: span }
                | Change::Word { line: span, .. }
                | Change::Add { spot: Spot::Behind(span), .. } => change(span),
                Change::Add { spot: Spot::Under { key, value }, .. } => {
                    change(key);
                    value.iter_mut().for_each(&mut change);
                }
                Change::Reorder { items, .. } => items.iter_mut().for_each(&mut change),
            }
        }
        self.edits.iter_mut().for_each(|edit| change(&mut edit.span));
    }

    /// Works out the edits; false if there are none, or some would overlap.
    pub(crate) fn resolve(&mut self, sources: &SourceMap) -> bool {
        let mut edits = Vec::new();
        for change in &self.changes {
            match change.edits(sources) {
                Some(more) => edits.extend(more),
                None => return false,
            }
        }
        edits.sort_by_key(|edit| edit.span);
        edits.dedup();
        let apart = |pair: &[Edit]| {
            pair[0].span.file != pair[1].span.file
                || (pair[0].span.end <= pair[1].span.start && pair[0].span.start < pair[1].span.start)
        };
        let fine = !edits.is_empty() && edits.windows(2).all(apart);
        self.edits = edits;
        fine
    }
}

impl Change {
    /// A word of a key or a value.
    pub fn rename(span: Span, from: impl Into<String>, to: impl Into<String>) -> Self {
        Change::Rename { span, from: from.into(), to: to.into() }
    }
}

/// The text with the edits done: sorted, apart from each other, all in this text.
pub fn apply(text: &str, edits: &[&Edit]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for edit in edits {
        let range = edit.span.range();
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
