//! Files and places in them. Offsets are bytes; lines and columns are made at the rim.

use std::sync::{Arc, OnceLock};

/// A file in a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(u32);

/// A byte range in a file: `start..end`, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `file`. Offsets past 4 GiB are clamped; files that large are refused
    /// before they are read.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The range as `usize`, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that covers both; `self` when the files differ.
    #[must_use]
    pub fn to(self, other: Span) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A 1-based line and column. The column counts characters, not bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LineColumn {
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
}

/// One file's name and text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: Arc<str>,
    /// Found when somebody asks: most files of a folder have nothing to report.
    line_starts: OnceLock<Vec<u32>>,
}

impl SourceFile {
    fn new(name: String, text: Arc<str>) -> Self {
        Self { name, text, line_starts: OnceLock::new() }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            // A carriage return that no line feed follows ends a line too, as it does in editors.
            let ends = |at: usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            let ends = (0..bytes.len()).filter(|at| ends(*at));
            std::iter::once(0).chain(ends.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX))).collect()
        })
    }

    /// The name as the user gave it: a path relative to the working folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the byte `offset` is.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = offset.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start <= offset) - 1;
        let start = starts[line] as usize;
        let mut end = offset as usize;
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self.text.get(start..end).map_or(1, |before| before.chars().count() + 1);
        LineColumn { line: line + 1, column }
    }

    /// The text of the 1-based `line`, without its line end.
    pub fn line_text(&self, line: usize) -> Option<&str> {
        let start = *self.line_starts().get(line.checked_sub(1)?)? as usize;
        self.text.get(start..)?.split(['\n', '\r']).next()
    }

    /// The byte that the 1-based `line` starts at; the end of the text if there is no such line.
    pub fn line_start(&self, line: usize) -> usize {
        self.line_starts().get(line.saturating_sub(1)).map_or(self.text.len(), |start| *start as usize)
    }
}

/// Every file of a run.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file under the name that reports should show.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile::new(name.into(), text.into()));
        id
    }

    /// The file behind an id of this map.
    ///
    /// # Panics
    /// When the id comes from another map, which is a programming error.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The text under a span; empty if the span does not lie on character boundaries.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).text().get(span.range()).unwrap_or_default()
    }

    /// Where a span starts.
    pub fn start(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.start)
    }

    /// Where a span ends (exclusive).
    pub fn end(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.end)
    }

    /// All files, in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(u32::try_from(at).unwrap_or(u32::MAX)), file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut map = SourceMap::default();
        let file = map.add("a", "é x\nsecond");
        let place = map.start(Span::new(file, 3, 4));
        assert_eq!(place, LineColumn { line: 1, column: 3 });
        let place = map.start(Span::new(file, 5, 6));
        assert_eq!(place, LineColumn { line: 2, column: 1 });
        assert_eq!(map.file(file).line_text(2), Some("second"));
    }

    #[test]
    fn every_line_end_ends_a_line() {
        let mut map = SourceMap::default();
        let file = map.add("a", "a\rb\r\nc\nd");
        let texts: Vec<_> = (1..=5).map(|line| map.file(file).line_text(line)).collect();
        assert_eq!(texts, [Some("a"), Some("b"), Some("c"), Some("d"), None]);
        assert_eq!(map.start(Span::new(file, 5, 6)), LineColumn { line: 3, column: 1 });
        assert_eq!((map.file(file).line_start(3), map.file(file).line_start(9)), (5, 8));
    }

    #[test]
    fn offsets_past_the_end_are_the_end() {
        let mut map = SourceMap::default();
        let file = map.add("a", "ab");
        assert_eq!(map.start(Span::new(file, 99, 99)), LineColumn { line: 1, column: 3 });
    }
}
