//! Texts that stand inside of files: keys of a ConfigMap, variables, blocks of a compose file.

use std::{borrow::Cow, rc::Rc};

use telstack_diagnostics::Span;
use telstack_syntax::yaml;
use telstack_system::Value;

use super::{Fill, Folder, Piece, joined};
use crate::reading::Place;

impl<'a> Folder<'a> {
    /// Makes a text that stands inside a file one that can be read at a path from where all paths start.
    pub(crate) fn embed(&mut self, path: &str, value: &Value, fill: Option<Fill>) {
        self.embed_piece(path, value, fill, false);
    }

    /// The same of a text that is kept where secrets are.
    pub(crate) fn embed_secret(&mut self, path: &str, value: &Value) {
        self.embed_piece(path, value, None, true);
    }

    /// The same of the value of an environment variable. Containers may have different ones of one name.
    pub(crate) fn embed_variable(&mut self, name: &str, value: &Value) -> Option<Rc<Piece<'a>>> {
        let span = value.mark.span()?;
        let file = self.files.iter().position(|it| it.file == span.file)?;
        let path = format!("env/{file}.{}/{name}", span.range().start);
        self.embed(&path, value, None);
        self.at_root(&path)
    }

    fn embed_piece(&mut self, path: &str, value: &Value, fill: Option<Fill>, secret: bool) {
        let (Some(text), Some(span)) = (value.as_str(), value.mark.span()) else { return };
        if self.given(path).is_some() {
            return;
        }
        let whole = self.files.iter().find(|piece| piece.file == span.file && piece.place == Place::Start);
        let (text, place) = match whole.and_then(|it| block(&it.text, span, text)) {
            Some((raw, offset)) => (raw.to_owned(), Place::Offset(offset)),
            None => (text.to_owned(), Place::Inside(span)),
        };
        let (path, text) = (path.to_owned(), Cow::Owned(text));
        self.files.push(Rc::new(Piece { path, file: span.file, text, place, fill, secret }));
    }

    /// Makes a part of a file's own tree a text that can be read at a path from where all paths start.
    pub(crate) fn embed_tree(&mut self, path: &str, value: &Value) {
        let Some(span) = value.mark.span() else { return };
        let whole = self.files.iter().find(|piece| piece.file == span.file && piece.place == Place::Start);
        let Some(whole) = whole.filter(|_| self.given(path).is_none()) else { return };
        let Some(before) = whole.text.get(..span.range().start) else { return };
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        // A block starts on a line of its own, and needs its indentation.
        let start = if before[line..].trim().is_empty() { line } else { span.range().start };
        // What it says by aliases of other parts of the file, it does not say by itself.
        let Some(text) = closed(&whole.text, start, span) else { return };
        let (path, text, place) = (path.to_owned(), Cow::Owned(text.to_owned()), Place::Offset(start));
        self.files.push(Rc::new(Piece { path, file: span.file, text, place, fill: None, secret: false }));
    }

    /// Lets a file be found at another path too.
    pub(crate) fn alias(&mut self, path: &str, of: &str) {
        let Some(piece) = joined("", of).and_then(|of| self.at_root(&of)) else { return };
        let (text, place) = (piece.text.clone(), piece.place);
        self.files.push(Rc::new(Piece {
            path: path.to_owned(),
            file: piece.file,
            text,
            place,
            fill: None,
            secret: false,
        }));
    }

    /// Texts that stand inside of files and that nobody read.
    pub(crate) fn loose(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.files
            .iter()
            .map(AsRef::as_ref)
            .filter(|it| it.place != Place::Start && !it.secret && !self.taken.contains(&it.path))
    }
}

/// A block of text as it stands in a file, indentation included, and where it starts; none if it is written
/// in a way that changes more than the indentation.
fn block<'t>(whole: &'t str, span: Span, text: &str) -> Option<(&'t str, usize)> {
    let start = whole.get(..span.range().start)?.rfind('\n')? + 1;
    let raw = whole.get(start..span.range().end)?;
    let spaces = |text: &str| text.len() - text.trim_start_matches(' ').len();
    // Behind `|2` some of the indentation is text.
    let indent = spaces(raw).checked_sub(spaces(text))?;
    let mut lines = text.trim_end().lines();
    let same = raw.trim_end().lines().all(|line| {
        lines.next().is_some_and(|wanted| {
            if wanted.trim().is_empty() { line.trim().is_empty() } else { line.get(indent..) == Some(wanted) }
        })
    });
    // Indented, the line is no mark between documents but text.
    let marked = text.lines().any(|line| line.starts_with("---") || line.starts_with('%'));
    (same && lines.next().is_none() && !marked).then_some((raw, start))
}

/// The text of a tree. That of a map in braces ends with its last value: the braces behind it belong to it, as far as
/// they are missing.
fn closed(whole: &str, start: usize, span: Span) -> Option<&str> {
    let mut end = span.range().end;
    while yaml::read(span.file, whole.get(start..end)?).is_err() {
        let rest = whole.get(end..)?;
        let brace = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let behind = brace.strip_prefix('}')?;
        end = whole.len() - behind.len();
    }
    whole.get(start..end)
}
