//! The tree as written, laid out: four spaces a level, one line a word, and the user's comments, blank lines
//! and spellings. Tokens are copied, never made anew, so the meaning cannot change.

use telstack_diagnostics::FileId;

use super::{
    SyntaxError, VERSION,
    lex::Kind,
    meaning,
    parse::{self, Block, Line, Lines, Parsed},
};

/// The longest line on which a block stays that was written on one line; in characters.
const WIDEST: usize = 120;
/// Spaces a level.
const STEP: usize = 4;

/// Lays a text out. One with errors is left alone.
pub fn format_kdl(file: FileId, text: &str) -> Result<String, Vec<SyntaxError>> {
    let parsed = parse::parse(file, text);
    let (_, errors) = meaning(&parsed);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut layout = Layout { parsed: &parsed, out: String::new() };
    layout.lines(&parsed.top, 0, parsed.tokens.len(), 0);
    if !layout.out.is_empty() {
        layout.out.push('\n');
    }
    Ok(layout.out)
}

struct Layout<'a> {
    parsed: &'a Parsed<'a>,
    out: String,
}

/// What stands between two lines: what the next one has to look like.
struct Gap {
    /// Line ends since the last thing written.
    newlines: usize,
    /// The line is not over: a comment here belongs to what stands on it.
    same_line: bool,
    /// A comment stands in front of the next word, on its line.
    leads: bool,
}

impl Layout<'_> {
    fn kind(&self, at: usize) -> Kind {
        self.parsed.tokens.get(at).map_or(Kind::Newline, |token| token.kind)
    }

    /// The text of a token. Line ends inside it become the one kind that is written.
    fn slice(&self, at: usize) -> String {
        let text = self.parsed.tokens.get(at).and_then(|token| self.parsed.text.get(token.range()));
        let text = text.unwrap_or_default();
        match self.kind(at) {
            Kind::LineComment => text.trim_end().to_owned(),
            _ if text.contains('\r') => text.replace("\r\n", "\n"),
            _ => text.to_owned(),
        }
    }

    /// Starts a line, behind an empty one if there were some.
    fn start_line(&mut self, newlines: usize, level: usize) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if newlines > 1 {
                self.out.push('\n');
            }
        }
        self.out.extend(std::iter::repeat_n(' ', level * STEP));
    }

    /// The lines between the tokens `from` and `to`.
    fn lines(&mut self, lines: &Lines, from: usize, to: usize, level: usize) {
        let mut at = from;
        let mut first = true;
        for line in &lines.lines {
            let gap = self.comments(at, line.first, level, first);
            if gap.leads {
                self.out.push(' ');
            } else {
                self.start_line(if first && gap.same_line { 0 } else { gap.newlines }, level);
            }
            self.line(line, level);
            at = line.end;
            first = false;
        }
        self.comments(at, to, level, first);
    }

    /// Writes the comments between two lines.
    fn comments(&mut self, from: usize, to: usize, level: usize, start: bool) -> Gap {
        // At the start of a file there is nothing that a comment could stand behind.
        let mut gap = Gap { newlines: 0, same_line: !self.out.is_empty(), leads: false };
        let mut written = !start;
        for at in from..to {
            match self.kind(at) {
                Kind::Newline => {
                    gap.newlines += 1;
                    gap.same_line = false;
                    gap.leads = false;
                }
                kind @ (Kind::LineComment | Kind::BlockComment) => {
                    if gap.same_line || gap.leads {
                        self.out.push(' ');
                    } else {
                        self.start_line(if written { gap.newlines } else { 0 }, level);
                        gap.leads = kind == Kind::BlockComment;
                    }
                    self.out += &self.slice(at);
                    gap.newlines = 0;
                    written = true;
                }
                _ => {}
            }
        }
        if !written {
            gap.newlines = 0;
        }
        gap
    }

    fn line(&mut self, line: &Line, level: usize) {
        let start = self.out.len();
        self.line_with(line, level, true);
        let column = self.out[..start].rfind('\n').map_or(0, |at| at + 1);
        let wide = self.out[column..].lines().next().unwrap_or_default().chars().count() > WIDEST;
        if wide && line.blocks.iter().any(|block| self.is_inline(block)) {
            self.out.truncate(start);
            self.line_with(line, level, false);
        }
    }

    /// Writes a line; with `inline`, blocks that were written on one line stay there.
    fn line_with(&mut self, line: &Line, level: usize, inline: bool) {
        if line.off && line.name.value == VERSION {
            self.out += "/- ";
            self.glued(line.first + 1, line.head, level);
        } else {
            self.glued(line.first, line.head, level);
        }
        let mut at = line.head;
        for entry in &line.entries {
            self.between(at, entry.first, level);
            self.glued(entry.first, entry.end, level);
            at = entry.end;
        }
        for block in &line.blocks {
            let first = if block.off { self.slashdash(at, block.open) } else { block.open };
            self.between(at, first, level);
            self.glued(first, block.open + 1, level);
            if inline && self.is_inline(block) {
                self.inline(block, level);
            } else {
                self.block(block, level);
            }
            at = (block.close + 1).min(self.parsed.tokens.len());
        }
    }

    /// The `/-` of a block that is switched off.
    fn slashdash(&self, from: usize, open: usize) -> usize {
        (from..open).find(|at| self.kind(*at) == Kind::Slashdash).unwrap_or(open)
    }

    /// What stands between the words of a line: comments, and line ends behind `\`.
    fn between(&mut self, from: usize, to: usize, level: usize) {
        let mut fresh = false;
        let mut continued = false;
        for at in from..to {
            match self.kind(at) {
                Kind::Backslash => {
                    self.out += " \\";
                    continued = true;
                    fresh = false;
                }
                Kind::LineComment | Kind::BlockComment => {
                    if !fresh {
                        self.out.push(' ');
                    }
                    self.out += &self.slice(at);
                    fresh = false;
                }
                Kind::Newline if continued => {
                    self.out.push('\n');
                    self.out.extend(std::iter::repeat_n(' ', (level + 1) * STEP));
                    continued = false;
                    fresh = true;
                }
                _ => {}
            }
        }
        if !fresh {
            self.out.push(' ');
        }
    }

    /// Tokens that belong together, with no space but around comments.
    fn glued(&mut self, from: usize, to: usize, level: usize) {
        let mut commented = false;
        for at in from..to {
            match self.kind(at) {
                Kind::Space | Kind::Newline | Kind::Backslash | Kind::Mark => {}
                Kind::BlockComment => {
                    self.out.push(' ');
                    self.out += &self.slice(at);
                    commented = true;
                }
                Kind::LineComment => {
                    // Inside a line, a comment up to its end needs the line to go on.
                    self.out += " \\ ";
                    self.out += &self.slice(at);
                    self.out.push('\n');
                    self.out.extend(std::iter::repeat_n(' ', (level + 1) * STEP));
                    commented = false;
                }
                _ => {
                    if commented {
                        self.out.push(' ');
                    }
                    self.out += &self.slice(at);
                    commented = false;
                }
            }
        }
    }

    /// Was the block written on one line, without comments?
    fn is_inline(&self, block: &Block) -> bool {
        let on_line = |at: usize| match self.kind(at) {
            Kind::Newline | Kind::LineComment | Kind::BlockComment | Kind::Backslash => false,
            Kind::Quoted | Kind::Raw => !self.slice(at).contains(['\n', '\r']),
            _ => true,
        };
        (block.open..block.close).all(on_line)
    }

    /// The rest of a block on one line; its `{` is written.
    fn inline(&mut self, block: &Block, level: usize) {
        for (at, line) in block.inside.lines.iter().enumerate() {
            self.out += if at > 0 { "; " } else { " " };
            self.line_with(line, level, true);
        }
        self.out += if block.inside.lines.is_empty() { "}" } else { " }" };
    }

    /// The rest of a block, a line a word; its `{` is written.
    fn block(&mut self, block: &Block, level: usize) {
        let start = self.out.len();
        self.lines(&block.inside, block.open + 1, block.close, level + 1);
        if self.out.len() > start {
            self.start_line(0, level);
        }
        self.out.push('}');
    }
}
