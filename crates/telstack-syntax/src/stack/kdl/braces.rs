//! Braces that are missing or too many: finds the slip by the indentation, and mends the tokens, so that it
//! costs one block and not the rest of the file.

use super::lex::{Kind, Token, indentation};

/// A brace without its partner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slip {
    /// This `{` has no `}`; the indentation shows where it ends, or not.
    Open { at: u32, sure: bool },
    /// This `}` closes nothing.
    Close { at: u32 },
    /// Behind this line a `{` is missing: lines that are indented as its block follow, and a `}`.
    Missing { from: u32, to: u32 },
}

impl Slip {
    /// Where it is shown.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        match self {
            Self::Open { at, .. } | Self::Close { at } => at as usize..at as usize + 1,
            Self::Missing { from, to } => from as usize..to as usize,
        }
    }
}

/// Deeper blocks are not read, so it does not matter where they end.
const DEEPEST: usize = 1024;

/// Mends the tokens if opening and closing braces are not as many. Text whose braces are right is never
/// touched, however it is indented.
pub(super) fn balance(text: &str, tokens: &mut Vec<Token>) -> Vec<Slip> {
    let (missing, extra, deepest) = count(tokens);
    if missing + extra == 0 {
        return Vec::new();
    }
    let state = Mender {
        lines: content_lines(text, tokens),
        line: None,
        missing: if deepest > DEEPEST { 0 } else { missing },
        extra: if deepest > DEEPEST { 0 } else { extra },
        open: Vec::new(),
        content_end: 0,
        out: Vec::with_capacity(tokens.len()),
        slips: Vec::new(),
    };
    let (mended, slips) = state.run(tokens);
    *tokens = mended;
    slips
}

/// How many braces have no partner by counting alone, and how deep the blocks are.
fn count(tokens: &[Token]) -> (usize, usize, usize) {
    let (mut depth, mut extra, mut deepest) = (0_usize, 0_usize, 0);
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => extra += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    (depth, extra, deepest)
}

/// A line that starts with a word or a brace.
#[derive(Clone, Copy)]
struct Line {
    /// Its first token that is not space.
    token: usize,
    /// Where that starts in the text.
    first: u32,
    indent: usize,
    /// Is it a `}`?
    closes: bool,
}

/// Lines whose indentation says something: neither empty, nor comments, nor the rest of another line.
fn content_lines(text: &str, tokens: &[Token]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = Some(0_u32);
    let mut continued = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Newline => {
                start = (!continued).then_some(token.end);
                continued = false;
            }
            Kind::Space | Kind::Mark => {}
            Kind::LineComment | Kind::BlockComment | Kind::HashComment => start = None,
            kind => {
                continued = kind == Kind::Backslash;
                if let Some(start) = start.take() {
                    let indent = indentation(text.get(start as usize..).unwrap_or_default());
                    lines.push(Line { token: at, first: token.start, indent, closes: kind == Kind::Close });
                }
            }
        }
    }
    lines
}

fn is_blank(kind: Kind) -> bool {
    matches!(kind, Kind::Space | Kind::Newline | Kind::LineComment | Kind::BlockComment | Kind::HashComment)
}

struct Block {
    at: u32,
    indent: usize,
    line: Option<usize>,
    /// Does something stand behind the brace on its line?
    content: bool,
    /// The indentation of the first line inside.
    inner: Option<usize>,
}

impl Block {
    fn is_indented(&self) -> bool {
        self.inner.is_some_and(|inner| inner > self.indent)
    }
}

struct Mender {
    lines: Vec<Line>,
    /// The current line of `lines`.
    line: Option<usize>,
    missing: usize,
    extra: usize,
    open: Vec<Block>,
    /// Behind the last token of `out` that is neither space nor comment.
    content_end: usize,
    out: Vec<Token>,
    slips: Vec<Slip>,
}

impl Mender {
    fn run(mut self, tokens: &[Token]) -> (Vec<Token>, Vec<Slip>) {
        for (at, token) in tokens.iter().enumerate() {
            let next = self.line.map_or(0, |line| line + 1);
            let starts = self.lines.get(next).copied().filter(|line| line.token == at);
            if let Some(line) = starts {
                self.open_missing(next, line.indent);
                self.line = Some(next);
                self.new_line(line.indent, *token);
            }
            match token.kind {
                Kind::Open => {
                    self.note_content();
                    let indent = self.line.and_then(|at| self.lines.get(at)).map_or(0, |line| line.indent);
                    let block = Block { at: token.start, indent, line: self.line, content: false, inner: None };
                    self.open.push(block);
                }
                Kind::Close => {
                    if self.is_extra(starts.map(|line| line.indent)) {
                        self.extra = self.extra.saturating_sub(1);
                        self.slips.push(Slip::Close { at: token.start });
                        self.out.push(Token { kind: Kind::Space, ..*token });
                        continue;
                    }
                    self.open.pop();
                }
                kind if is_blank(kind) => {}
                _ => self.note_content(),
            }
            self.out.push(*token);
            if !is_blank(token.kind) {
                self.content_end = self.out.len();
            }
        }
        // The reader takes the end of the file for the end of every block.
        if let Some(block) = self.open.first() {
            self.slips.push(Slip::Open { at: block.at, sure: false });
        }
        (self.out, self.slips)
    }

    fn note_content(&mut self) {
        let line = self.line;
        if let Some(block) = self.open.last_mut() {
            block.content |= block.line == line;
        }
    }

    /// Opens a block behind the line before `next` if braces are too many and the indentation says that one is
    /// missing there: deeper lines follow, and then a `}` that stands as the line does.
    fn open_missing(&mut self, next: usize, indent: usize) {
        let Some(line) = self.line.filter(|_| self.extra > 0) else { return };
        let Some(Line { first, indent: own, closes: false, .. }) = self.lines.get(line).copied() else { return };
        let behind = self.lines.get(next..).unwrap_or_default().iter().find(|it| it.indent <= own);
        let last = self.content_end.checked_sub(1).and_then(|at| self.out.get(at)).copied();
        let Some(last) = last.filter(|it| !matches!(it.kind, Kind::Open | Kind::Close | Kind::Semicolon)) else {
            return;
        };
        if indent <= own || !behind.is_some_and(|it| it.closes && it.indent == own) {
            return;
        }
        self.extra -= 1;
        self.slips.push(Slip::Missing { from: first, to: last.end });
        self.out.insert(self.content_end, Token { kind: Kind::Open, start: last.end, end: last.end });
        self.open.push(Block { at: last.end, indent: own, line: Some(line), content: false, inner: None });
    }

    /// Closes the blocks that a line is not inside of, if braces are missing.
    fn new_line(&mut self, indent: usize, token: Token) {
        let closes = token.kind == Kind::Close;
        if let Some(block) = self.open.last_mut()
            && block.inner.is_none()
            && !closes
            && indent > block.indent
        {
            block.inner = Some(indent);
        }
        while self.missing > 0 && self.is_outside(indent, closes) {
            let Some(block) = self.open.pop() else { break };
            self.missing -= 1;
            self.slips.push(Slip::Open { at: block.at, sure: true });
            for kind in [Kind::Close, Kind::Newline] {
                self.out.push(Token { kind, start: token.start, end: token.start });
            }
        }
    }

    /// Does the indentation say that a line is behind the innermost block?
    fn is_outside(&self, indent: usize, closes: bool) -> bool {
        let Some((block, outer)) = self.open.split_last() else { return false };
        if closes {
            return block.indent > indent && outer.iter().any(|it| it.indent == indent);
        }
        let hint = block.is_indented() || block.content || outer.iter().any(Block::is_indented);
        hint && indent <= block.indent
    }

    /// Is a closing brace one too many? `indent` if it is the first of its line.
    fn is_extra(&self, indent: Option<usize>) -> bool {
        let Some(block) = self.open.last() else { return true };
        if self.extra == 0 || block.line == self.line {
            return false;
        }
        let next = self.lines.get(self.line.map_or(0, |line| line + 1)).map(|line| line.indent);
        let goes_on = block.inner.zip(next).is_some_and(|(inner, next)| next >= inner);
        goes_on || indent.is_some_and(|indent| indent > block.indent)
    }
}
