//! What would put a finding right. Rules say what should change; how that is done in the text, with its quotes,
//! comments and layout, is worked out here.

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
                Change::Rename { span, .. } | Change::Append { last: span, .. } | Change::Lines { entry: span, .. } => {
                    change(span);
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

    fn edits(&self, sources: &SourceMap) -> Option<Vec<Edit>> {
        match self {
            Change::Replace(edit) => Some(vec![edit.clone()]),
            Change::Rename { span, from, to } => rename(*span, from, to, sources).map(|edit| vec![edit]),
            Change::Reorder { items, order } => reorder(items, order, sources),
            Change::Lines { entry, lines } => whole_lines(*entry, lines, sources).map(|edit| vec![edit]),
            Change::Append { last, item } => append(*last, item, sources).map(|edit| vec![edit]),
        }
    }
}

fn rename(span: Span, from: &str, to: &str, sources: &SourceMap) -> Option<Edit> {
    let slice = sources.slice(span);
    let quoted = usize::from(slice.starts_with(['"', '\'']));
    let at = if from.is_empty() {
        return None;
    } else if slice.get(quoted..)?.starts_with(from) {
        quoted
    } else {
        let mut places = slice.match_indices(from);
        let (at, _) = places.next()?;
        // Which of several is meant, nobody can tell.
        if places.next().is_some() {
            return None;
        }
        at
    };
    let start = span.start as usize + at;
    Some(Edit { span: Span::new(span.file, start, start + from.len()), text: to.to_owned() })
}

/// Where the line around a byte starts, and where it ends without its line end.
fn line(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |it| it + 1);
    let end = text.get(at..)?.find('\n').map_or(text.len(), |it| at + it);
    Some((start, if text.get(start..end)?.ends_with('\r') { end - 1 } else { end }))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

fn reorder(items: &[Span], order: &[usize], sources: &SourceMap) -> Option<Vec<Edit>> {
    let first = *items.first()?;
    if items.len() != order.len() || items.iter().any(|it| it.file != first.file) {
        return None;
    }
    let text = sources.file(first.file).text();
    let lines: Vec<(usize, usize)> = items.iter().map(|it| line(text, it.start as usize)).collect::<Option<_>>()?;
    let own_lines = lines.windows(2).all(|pair| pair[0].1 < pair[1].0);
    let dashed = |(span, (start, _)): (&Span, &(usize, usize))| {
        text.get(*start..span.start as usize).is_some_and(|before| before.trim() == "-")
    };
    if own_lines && items.len() > 1 && items.iter().zip(&lines).all(dashed) {
        return reorder_lines(first, &lines, order, text).map(|edit| vec![edit]);
    }
    // The values change places; a remark beside one would then stand beside another.
    let one_line = lines.iter().all(|it| it.0 == lines[0].0);
    let remarked = |(span, (_, end)): (&Span, &(usize, usize))| {
        text.get(span.end as usize..*end).is_none_or(|rest| rest.contains('#') || rest.contains("//"))
    };
    if !one_line && items.iter().zip(&lines).any(remarked) {
        return None;
    }
    let mut edits = Vec::new();
    for (span, from) in items.iter().zip(order) {
        let new = sources.slice(*items.get(*from)?);
        if new != sources.slice(*span) {
            edits.push(Edit { span: *span, text: new.to_owned() });
        }
    }
    Some(edits)
}

/// Items with a dash on lines of their own: they take with them the remark beside them and those above.
fn reorder_lines(first: Span, lines: &[(usize, usize)], order: &[usize], text: &str) -> Option<Edit> {
    let (mut start, _) = *lines.first()?;
    while let Some((above, end)) = start.checked_sub(1).and_then(|end| line(text, end)) {
        if !is_comment(text.get(above..end)?) {
            break;
        }
        start = above;
    }
    let newline = if text.get(..lines[0].1 + 2).is_some_and(|it| it.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let mut chunks = Vec::new();
    let mut from = start;
    for (_, end) in lines {
        chunks.push(text.get(from..*end)?);
        from = text.get(*end..)?.find('\n').map_or(text.len(), |it| end + it + 1);
    }
    let moved: Vec<&str> = order.iter().map(|at| chunks.get(*at).copied()).collect::<Option<_>>()?;
    let (_, end) = *lines.last()?;
    Some(Edit { span: Span::new(first.file, start, end), text: moved.join(newline) })
}

/// A remark beside the entry stays beside the first of its lines.
fn whole_lines(entry: Span, lines: &str, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(entry.file).text();
    let (start, end) = line(text, entry.start as usize)?;
    let indent = text.get(start..entry.start as usize)?;
    let rest = text.get(entry.end as usize..end)?.trim_start();
    let newline = if text.get(end..)?.starts_with("\r\n") { "\r\n" } else { "\n" };
    let remark = if rest.is_empty() { String::new() } else { format!(" {rest}") };
    let alone = indent.trim().is_empty() && (rest.is_empty() || is_comment(rest));
    let mut lines = lines.lines();
    let mut new = format!("{}{remark}", lines.next()?);
    for line in lines {
        new.push_str(&format!("{newline}{indent}{line}"));
    }
    alone.then(|| Edit { span: Span::new(entry.file, entry.start as usize, end), text: new })
}

fn append(last: Span, item: &str, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(last.file).text();
    let (start, end) = line(text, last.start as usize)?;
    let before = text.get(start..last.start as usize)?;
    if before.trim() == "-" {
        let newline = if text.get(end..)?.starts_with("\r\n") { "\r\n" } else { "\n" };
        return Some(Edit { span: Span::new(last.file, end, end), text: format!("{newline}{before}{item}") });
    }
    let after = text.get(last.end as usize..)?.trim_start();
    // Only in brackets does a comma part items.
    after.starts_with([']', ',']).then(|| {
        let at = last.end as usize;
        Edit { span: Span::new(last.file, at, at), text: format!(", {item}") }
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn done(text: &str, change: impl FnOnce(&dyn Fn(&str) -> Span) -> Change) -> Option<String> {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", text);
        let span = |slice: &str| {
            let start = text.find(slice).expect("there");
            Span::new(file, start, start + slice.len())
        };
        let mut fix = Fix::safe("x", vec![change(&span)]);
        fix.resolve(&sources).then(|| apply(text, &fix.edits.iter().collect::<Vec<_>>()))
    }

    #[test]
    fn words_change_and_quotes_stay() {
        let renamed = |text, slice: &'static str| done(text, |at| Change::rename(at(slice), "otlphttp", "otlp_http"));
        assert_eq!(renamed("a: 'otlphttp/x' # y\n", "'otlphttp/x'").as_deref(), Some("a: 'otlp_http/x' # y\n"));
        assert_eq!(renamed("otlphttp/otlphttp:\n", "otlphttp/otlphttp").as_deref(), Some("otlp_http/otlphttp:\n"));
        assert_eq!(renamed("a otlphttp b", "a otlphttp b").as_deref(), Some("a otlp_http b"));
        assert_eq!(renamed("a otlphttp otlphttp", "a otlphttp otlphttp"), None);
        assert_eq!(renamed("another", "another"), None);
    }

    fn last_first(text: &str, items: &[&str]) -> Option<String> {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.rotate_right(1);
        done(text, |at| Change::Reorder { items: items.iter().map(|it| at(it)).collect(), order })
    }

    #[test]
    fn items_move_with_their_remarks() {
        assert_eq!(last_first("p: [aa, 'bb', cc]\n", &["aa", "'bb'", "cc"]).as_deref(), Some("p: [cc, aa, 'bb']\n"));
        let block = "p:\n  # first\n  - aa # one\n  # second\n\n  - bb\nq:\n";
        let moved = "p:\n  # second\n\n  - bb\n  # first\n  - aa # one\nq:\n";
        assert_eq!(last_first(block, &["aa", "bb"]).as_deref(), Some(moved));
        assert_eq!(last_first("p:\r\n- aa\r\n- bb", &["aa", "bb"]).as_deref(), Some("p:\r\n- bb\r\n- aa"));
        let lines = "p: [\n  aa,\n  bb,\n]\n";
        assert_eq!(last_first(lines, &["aa", "bb"]).as_deref(), Some("p: [\n  bb,\n  aa,\n]\n"));
        assert_eq!(last_first("p: [\n  aa, # one\n  bb,\n]\n", &["aa", "bb"]), None, "the remark would lie");
    }

    #[test]
    fn an_entry_becomes_other_lines() {
        let lines = |text, slice: &'static str| {
            done(text, |at| Change::Lines { entry: at(slice), lines: "x:\n  - y: 1\n".to_owned() })
        };
        assert_eq!(lines("m:\n  a: b # c\n  d: e\n", "a: b").as_deref(), Some("m:\n  x: # c\n    - y: 1\n  d: e\n"));
        assert_eq!(lines("m:\r\n  a: b", "a: b").as_deref(), Some("m:\r\n  x:\n    - y: 1"));
        assert_eq!(lines("m: {a: b}\n", "a: b"), None);
    }

    #[test]
    fn one_more_item() {
        let append =
            |text, slice: &'static str| done(text, |at| Change::Append { last: at(slice), item: "new".to_owned() });
        assert_eq!(append("e: [a, bb]\n", "bb").as_deref(), Some("e: [a, bb, new]\n"));
        assert_eq!(append("e:\n  - bb # x\nf:\n", "bb").as_deref(), Some("e:\n  - bb # x\n  - new\nf:\n"));
        assert_eq!(append("e: bb\n", "bb"), None);
    }
}
