//! Tokens to the tree as written, with everything that was switched off still in it. A slip costs its line:
//! reading goes on behind it, and what it leaves in doubt is marked.

use std::collections::HashSet;

use telstack_diagnostics::{FileId, Span};

use super::{
    SyntaxError,
    braces::{Slip, balance},
    habits,
    lex::{self, Kind, Token},
    say::{self, Said},
    text,
};
use crate::stack::{Atom, Spanned};

/// Deepest nesting that is read: nobody writes deeper, and the reader recurses.
const DEEPEST: usize = 64;
/// Most errors that are kept; nobody reads on after that.
pub(super) const MOST_ERRORS: usize = 100;

/// A text, its tokens, its tree and its errors.
pub(super) struct Parsed<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub top: Lines,
    /// Where the text is not KDL, in the order of the text.
    pub errors: Vec<SyntaxError>,
    /// What is KDL, but surely not meant.
    pub habits: Vec<SyntaxError>,
}

/// Lines of a file or of a block.
#[derive(Default)]
pub(super) struct Lines {
    pub lines: Vec<Line>,
    /// Some line could not be read at all.
    pub holes: bool,
}

/// A line with what hangs below it.
pub(super) struct Line {
    /// Switched off with `/-`.
    pub off: bool,
    /// Its first token, a `/-` or a tag if there is one.
    pub first: usize,
    /// One past its word.
    pub head: usize,
    /// One past its last token, without what ends the line.
    pub end: usize,
    pub tag: Option<Spanned<String>>,
    pub name: Spanned<String>,
    pub entries: Vec<Entry>,
    pub blocks: Vec<Block>,
    /// Some part of the line could not be read.
    pub broken: bool,
}

/// A value or a property.
pub(super) struct Entry {
    pub off: bool,
    pub first: usize,
    pub end: usize,
    pub key: Option<Spanned<String>>,
    pub value: Atom,
}

/// A block.
pub(super) struct Block {
    pub off: bool,
    /// The token `{`.
    pub open: usize,
    /// The token `}`, or the end of the file.
    pub close: usize,
    pub inside: Lines,
}

/// Reads a text.
pub(super) fn parse(file: FileId, text: &str) -> Parsed<'_> {
    let lex::Tokens { mut tokens, complete } = lex::lex(text);
    let slips = balance(text, &mut tokens);
    let mut parser =
        Parser { file, text, tokens, at: 0, errors: Vec::new(), habits: Vec::new(), deep: false, stray: false };
    let top = parser.lines(0);
    // Braces inside an unfinished text or comment were not seen, so it is the cause.
    let swallowed = |token: &Token| {
        token.kind == Kind::Unclosed && text.get(token.range()).is_some_and(|it| it.contains(['\n', '\r']))
    };
    // Nor were those behind an address without quotes, which is reported as such.
    let reported: HashSet<u32> = parser.habits.iter().map(|habit| habit.span.end).collect();
    let address = |token: &&Token| token.kind == Kind::LineComment && reported.contains(&token.start);
    let addresses: Vec<Token> = parser.tokens.iter().filter(address).copied().collect();
    let hidden = |slip: &Slip| {
        let range = slip.range();
        let line = text.get(range.start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| range.start + at);
        let next = addresses.partition_point(|token| (token.start as usize) < range.start);
        let address = addresses.get(next).filter(|token| (token.start as usize) < line);
        matches!(slip, Slip::Open { .. })
            && address.is_some_and(|it| text.get(it.range()).is_some_and(|it| it.contains('}')))
    };
    if complete && !parser.deep && !parser.tokens.iter().any(swallowed) {
        for slip in slips.into_iter().filter(|slip| !hidden(slip)) {
            let range = slip.range();
            parser.errors.push(say::brace(slip).at(Span::new(file, range.start, range.end)));
        }
    }
    parser.banned_in_comments();
    let Parser { tokens, mut errors, mut habits, .. } = parser;
    habits.truncate(MOST_ERRORS);
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    errors.dedup_by_key(|error| error.span.start);
    errors.truncate(MOST_ERRORS);
    if !complete {
        let end = tokens.last().map_or(0, |token| token.end as usize);
        errors.push(say::too_much().at(Span::new(file, end, end)));
    }
    Parsed { text, tokens, top, errors, habits }
}

pub(super) struct Parser<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub(super) at: usize,
    errors: Vec<SyntaxError>,
    pub habits: Vec<SyntaxError>,
    /// Too deep a block was reported.
    deep: bool,
    /// Inside a block without a word.
    stray: bool,
}

/// The rest of the line cannot be read; why was reported.
pub(super) struct Broken;

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<Kind> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    pub(super) fn slice(&self, at: usize) -> &str {
        self.tokens.get(at).and_then(|token| self.text.get(token.range())).unwrap_or_default()
    }

    pub(super) fn span(&self, at: usize) -> Span {
        match self.tokens.get(at) {
            Some(token) => Span::new(self.file, token.start as usize, token.end as usize),
            None => Span::new(self.file, self.text.len(), self.text.len()),
        }
    }

    pub(super) fn fault(&mut self, said: Said, span: Span) -> Broken {
        if self.errors.len() < 4 * MOST_ERRORS {
            self.errors.push(said.at(span));
        }
        Broken
    }

    /// Elsewhere the reader stumbles over them.
    fn banned_in_comments(&mut self) {
        for token in self.tokens.iter().filter(|it| matches!(it.kind, Kind::LineComment | Kind::BlockComment)) {
            let comment = self.text.get(token.range()).unwrap_or_default();
            if let Some((at, c)) = lex::banned(comment) {
                let start = token.start as usize + at;
                let said = Said::from(text::banned_fault(at, c));
                self.errors.push(said.at(Span::new(self.file, start, start + c.len_utf8())));
            }
        }
    }

    /// Skips what may stand between the words of a line. Was there anything?
    pub(super) fn spaces(&mut self) -> bool {
        let start = self.at;
        loop {
            match self.peek() {
                Some(Kind::Space | Kind::BlockComment) => self.at += 1,
                Some(Kind::Backslash) if let Some(behind) = self.continuation() => self.at = behind,
                _ => return self.at > start,
            }
        }
    }

    /// Behind a backslash that continues a line: one past its line end.
    fn continuation(&self) -> Option<usize> {
        let mut at = self.at + 1;
        while matches!(self.tokens.get(at).map(|it| it.kind), Some(Kind::Space | Kind::BlockComment)) {
            at += 1;
        }
        if matches!(self.tokens.get(at).map(|it| it.kind), Some(Kind::LineComment)) {
            at += 1;
        }
        match self.tokens.get(at).map(|it| it.kind) {
            None => Some(at),
            Some(Kind::Newline) => Some(at + 1),
            Some(_) => None,
        }
    }

    /// Skips what may stand between lines.
    pub(super) fn line_spaces(&mut self) {
        loop {
            match self.peek() {
                Some(Kind::Newline | Kind::LineComment | Kind::Mark) => self.at += 1,
                Some(Kind::HashComment) => self.hash_comment(),
                _ if self.spaces() => {}
                _ => return,
            }
        }
    }

    /// Costs nothing but the finding: it is plain what was meant.
    fn hash_comment(&mut self) {
        let span = self.span(self.at);
        self.fault(say::hash_comment(), Span { end: span.start + 1, ..span });
        self.at += 1;
    }

    /// The lines up to the end of the block or of the file.
    fn lines(&mut self, depth: usize) -> Lines {
        let mut found = Lines::default();
        loop {
            self.line_spaces();
            match self.peek() {
                None | Some(Kind::Close) => return found,
                Some(Kind::Open) => self.stray_block(&mut found, depth),
                Some(_) => match self.line(depth) {
                    Some(line) => found.lines.push(line),
                    None => found.holes = true,
                },
            }
        }
    }

    /// A block without a word in front of it. It is the one of the line before, if that has none.
    fn stray_block(&mut self, found: &mut Lines, depth: usize) {
        let span = self.span(self.at);
        // Inside such a block, more of them say nothing new.
        let outer = std::mem::replace(&mut self.stray, true);
        let block = self.block(false, depth);
        self.stray = outer;
        let owner = found.lines.last_mut().filter(|line| line.blocks.is_empty());
        let name = owner.as_ref().map(|line| line.name.value.clone());
        match owner {
            Some(line) => line.blocks.push(block),
            None => found.holes = true,
        }
        if !outer {
            self.fault(say::stray_block(name.as_deref()), span);
        }
    }

    /// One line. None if not even its word can be read; then it has been skipped.
    fn line(&mut self, depth: usize) -> Option<Line> {
        let first = self.at;
        let off = self.peek() == Some(Kind::Slashdash);
        if self.peek() == Some(Kind::Lost) {
            // Why was reported where the text before it starts.
            while self.peek() == Some(Kind::Lost) {
                self.at += 1;
            }
            return None;
        }
        let head = self.head(off);
        let (tag, name, mut broken) = match head {
            Ok(it) => (it.0, Some(it.1), it.2),
            Err(Broken) => (None, None, true),
        };
        let mut line = Line {
            off,
            first,
            head: self.at,
            end: self.at,
            tag,
            name: name.clone().unwrap_or_else(|| Spanned { value: String::new(), span: self.span(first) }),
            entries: Vec::new(),
            blocks: Vec::new(),
            broken: false,
        };
        if broken && name.is_none() {
            self.skip_line(&mut line, depth);
            return None;
        }
        if self.rest(&mut line, depth).is_err() {
            broken = true;
            self.skip_line(&mut line, depth);
        }
        line.broken = broken;
        Some(line)
    }

    /// Values, properties and blocks.
    fn rest(&mut self, line: &mut Line, depth: usize) -> Result<(), Broken> {
        line.end = self.at;
        loop {
            let space = self.spaces();
            let first = self.at;
            match self.peek() {
                None | Some(Kind::Newline | Kind::LineComment | Kind::Close) => return Ok(()),
                Some(Kind::Semicolon) => {
                    self.at += 1;
                    return Ok(());
                }
                Some(Kind::HashComment) => self.hash_comment(),
                Some(Kind::Open) => {
                    if line.blocks.iter().any(|block| !block.off) {
                        let span = self.span(first);
                        return Err(self.fault(say::second_block(&line.name.value), span));
                    }
                    let block = self.block(false, depth);
                    line.blocks.push(block);
                }
                Some(Kind::Slashdash) => {
                    if !space {
                        return Err(self.crowded());
                    }
                    self.at += 1;
                    self.line_spaces();
                    match self.peek() {
                        Some(Kind::Open) => {
                            let block = self.block(true, depth);
                            line.blocks.push(block);
                        }
                        None | Some(Kind::Close | Kind::Semicolon) => {
                            let span = self.span(first);
                            return Err(self.fault(say::off_nothing(), span));
                        }
                        Some(_) => self.entry(line, true, first)?,
                    }
                }
                Some(_) if !space && !self.is_damage() => return Err(self.crowded()),
                Some(_) => self.entry(line, false, first)?,
            }
            if self.tokens.get(self.at - 1).is_some_and(|it| it.kind != Kind::HashComment) {
                line.end = self.at;
            }
        }
    }

    fn is_damage(&self) -> bool {
        matches!(self.peek(), Some(Kind::Bad | Kind::Equals | Kind::CloseTag | Kind::Backslash))
    }

    /// No space before the current token.
    fn crowded(&mut self) -> Broken {
        let (said, span) = habits::crowded(self, self.at);
        self.fault(said, span)
    }

    fn block(&mut self, off: bool, depth: usize) -> Block {
        let open = self.at;
        self.at += 1;
        if depth >= DEEPEST {
            if !self.deep {
                self.deep = true;
                let span = self.span(open);
                self.fault(say::too_deep(DEEPEST), span);
            }
            self.skip_block();
            return Block { off, open, close: self.at, inside: Lines { lines: Vec::new(), holes: true } };
        }
        let inside = self.lines(depth + 1);
        let close = self.at;
        if self.peek() == Some(Kind::Close) {
            self.at += 1;
        }
        Block { off, open, close, inside }
    }

    /// To behind the end of a block that is not read.
    fn skip_block(&mut self) {
        let mut depth = 1_usize;
        while let Some(kind) = self.peek() {
            self.at += 1;
            match kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// To the end of a line that cannot be read. Its block is read all the same: what stands in it may
    /// be right.
    fn skip_line(&mut self, line: &mut Line, depth: usize) {
        loop {
            match self.peek() {
                None | Some(Kind::Newline | Kind::Close) => break,
                Some(Kind::Semicolon) => {
                    self.at += 1;
                    break;
                }
                Some(Kind::Open) => {
                    let block = self.block(false, depth);
                    if line.blocks.iter().all(|block| block.off) {
                        line.blocks.push(block);
                    }
                }
                Some(_) => self.at += 1,
            }
        }
        line.end = self.at;
    }
}
