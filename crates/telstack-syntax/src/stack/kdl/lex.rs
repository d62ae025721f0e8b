//! Text to tokens. Every byte belongs to exactly one token, so that the text can be written again.

use super::chars::{is_banned, is_newline, is_space, is_word, newline};

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A byte order mark at the start of the file.
    Mark,
    Space,
    /// One line end.
    Newline,
    /// `// …`, without its line end.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// `\`.
    Backslash,
    /// `/-`.
    Slashdash,
    /// A word without quotes, or a number.
    Word,
    /// `#true` and its like.
    Keyword,
    /// `"…"` or `"""…"""`.
    Quoted,
    /// `#"…"#` or `#"""…"""#`.
    Raw,
    OpenTag,
    CloseTag,
    Open,
    Close,
    Equals,
    Semicolon,
    /// `# …` to the end of the line: a comment elsewhere, not in KDL.
    HashComment,
    /// A text or a comment without an end.
    Unclosed,
    /// What stands behind a text without an end, on the same line.
    Lost,
    /// A character that means nothing where it stands.
    Bad,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Token {
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Most tokens that are read: the memory that a file can ask for has an end. More than 10 MB of stack have fewer.
pub(super) const MOST_TOKENS: usize = 4_000_000;
/// After so many texts without an end over several lines, the rest of the file is not worth reading: each
/// of them costs a look to the end of the file.
const MOST_UNCLOSED: usize = 16;

/// The tokens of a text. `complete` is false if there are more than are read.
pub(super) struct Tokens {
    pub tokens: Vec<Token>,
    pub complete: bool,
}

/// Splits a text.
pub(super) fn lex(text: &str) -> Tokens {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), line: 0, unclosed: 0 };
    let mut complete = true;
    if text.starts_with('\u{feff}') {
        lexer.push(Kind::Mark, '\u{feff}'.len_utf8());
    }
    while lexer.at < text.len() {
        if lexer.tokens.len() >= MOST_TOKENS || lexer.unclosed >= MOST_UNCLOSED {
            complete = lexer.unclosed >= MOST_UNCLOSED;
            break;
        }
        lexer.next();
    }
    Tokens { tokens: lexer.tokens, complete }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    /// Where the current line starts.
    line: usize,
    unclosed: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        // Files have less than 4 GiB: larger ones are not read.
        let at = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.tokens.push(Token { kind, start: at(self.at), end: at(self.at + length) });
        self.at += length;
    }

    fn next(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        let run = |class: fn(char) -> bool| rest.find(|c| !class(c)).unwrap_or(rest.len());
        match first {
            _ if is_space(first) => self.push(Kind::Space, run(is_space)),
            _ if is_newline(first) => {
                self.push(Kind::Newline, newline(rest));
                self.line = self.at;
            }
            '/' if rest.starts_with("//") => self.push(Kind::LineComment, run(|c| !is_newline(c))),
            '/' if rest.starts_with("/*") => match block_comment(rest) {
                Some(length) => {
                    self.push(Kind::BlockComment, length);
                }
                None => self.push(Kind::Unclosed, rest.len()),
            },
            '/' if rest.starts_with("/-") => self.push(Kind::Slashdash, 2),
            '\\' => self.push(Kind::Backslash, 1),
            '(' => self.push(Kind::OpenTag, 1),
            ')' => self.push(Kind::CloseTag, 1),
            '{' => self.push(Kind::Open, 1),
            '}' => self.push(Kind::Close, 1),
            '=' => self.push(Kind::Equals, 1),
            ';' => self.push(Kind::Semicolon, 1),
            '"' => self.quoted(),
            '#' => self.hash(),
            _ if is_word(first) => self.push(Kind::Word, run(is_word)),
            _ => self.push(Kind::Bad, first.len_utf8()),
        }
    }

    fn quoted(&mut self) {
        let rest = self.rest();
        if let Some(body) = rest.strip_prefix(MULTI) {
            if newline(body) == 0 {
                // Not allowed; the parser says so. Where it ends on its line, only that text is wrong.
                match find_on_line(body, MULTI, true) {
                    Some(end) => self.push(Kind::Quoted, end + 2 * MULTI.len()),
                    None => self.lost_line(),
                }
                return;
            }
            match find_escaped(body, MULTI) {
                Some(end) => self.push(Kind::Quoted, end + 2 * MULTI.len()),
                None => self.lost_lines(),
            }
            return;
        }
        match single_line(rest.get(1..).unwrap_or_default()) {
            Ok(end) => self.push(Kind::Quoted, end + 2),
            Err(lines) => {
                self.unclosed += usize::from(lines);
                self.lost_quote();
            }
        }
    }

    fn hash(&mut self) {
        let rest = self.rest();
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let body = rest.get(hashes..).unwrap_or_default();
        if let Some(inner) = body.strip_prefix(MULTI)
            && newline(inner) > 0
        {
            let close = format!("{MULTI}{}", &rest[..hashes]);
            match inner.find(&close) {
                Some(end) => self.push(Kind::Raw, hashes + MULTI.len() + end + close.len()),
                None => self.lost_lines(),
            }
        } else if let Some(inner) = body.strip_prefix('"') {
            let close = format!("\"{}", &rest[..hashes]);
            match find_on_line(inner, &close, false) {
                Some(end) => self.push(Kind::Raw, hashes + 1 + end + close.len()),
                None => self.lost_line(),
            }
        } else if body.is_empty() || body.starts_with(|c| is_space(c) || is_newline(c)) {
            self.push(Kind::HashComment, rest.find(is_newline).unwrap_or(rest.len()));
        } else if hashes == 1 {
            let word = body.find(|c| !is_word(c)).unwrap_or(body.len());
            self.push(if word > 0 { Kind::Keyword } else { Kind::Bad }, 1 + word);
        } else {
            self.push(Kind::Bad, hashes);
        }
    }

    /// A quote without a partner. If a text before it on the line starts or ends in the middle of a word, that
    /// one is the slip: everything behind it was paired wrongly.
    fn lost_quote(&mut self) {
        let line = u32::try_from(self.line).unwrap_or(u32::MAX);
        let first = self.tokens.iter().rposition(|token| token.start < line).map_or(0, |at| at + 1);
        let glued = |at: usize| {
            let word =
                |at: Option<usize>| at.and_then(|at| self.tokens.get(at)).is_some_and(|it| it.kind == Kind::Word);
            self.tokens[at].kind == Kind::Quoted && (word(at.checked_sub(1)) || word(Some(at + 1)))
        };
        if let Some(slip) = (first..self.tokens.len()).find(|at| glued(*at)) {
            self.at = self.tokens[slip].start as usize;
            self.tokens.truncate(slip);
        }
        self.lost_line();
    }

    /// A text without an end on its line. Braces and semicolons behind it still count, because
    /// whoever forgot a quote meant them; the rest of the line is lost.
    fn lost_line(&mut self) {
        let rest = self.rest();
        let line = rest.find(is_newline).unwrap_or(rest.len());
        let line = rest.get(..line).unwrap_or_default();
        let line = line.find(" //").map_or(line, |at| &line[..=at]);
        let end = self.at + line.len();
        let pieces = pieces(line);
        let mut kind = Kind::Unclosed;
        for piece in pieces {
            match piece {
                "{" => self.push(Kind::Open, 1),
                "}" => self.push(Kind::Close, 1),
                ";" => self.push(Kind::Semicolon, 1),
                _ => {
                    self.push(kind, piece.len());
                    kind = Kind::Lost;
                }
            }
        }
        debug_assert_eq!(self.at, end);
    }

    /// A text over several lines without an end: by the indentation it ends before the first line that
    /// is indented no deeper than the one it starts on.
    fn lost_lines(&mut self) {
        self.unclosed += 1;
        let indent = indentation(&self.text[self.line..]);
        let rest = self.rest();
        let mut length = rest.len();
        let mut line_end = rest.find(is_newline);
        while let Some(end) = line_end {
            let next = end + newline(&rest[end..]);
            let line = &rest[next..];
            let content = line.trim_start_matches(is_space);
            if !content.is_empty() && newline(content) == 0 && indentation(line) <= indent {
                length = end;
                break;
            }
            line_end = line.find(is_newline).map(|at| next + at);
        }
        self.push(Kind::Unclosed, length);
    }
}

/// Three quotes open a text over several lines.
pub(super) const MULTI: &str = "\"\"\"";

/// How deep a line is indented. A tab counts as four spaces, as editors show it.
pub(super) fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| is_space(*c)).map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// Where `close` stands in `text`, not behind a backslash.
fn find_escaped(text: &str, close: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            _ if bytes[at..].starts_with(close.as_bytes()) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Where `close` stands in `text` before its first line end, if need be not behind a backslash.
fn find_on_line(text: &str, close: &str, escapes: bool) -> Option<usize> {
    let mut behind = false;
    for (at, c) in text.char_indices() {
        if is_newline(c) {
            return None;
        }
        if !behind && c == '"' && text[at..].starts_with(close) {
            return Some(at);
        }
        behind = escapes && c == '\\' && !behind;
    }
    None
}

/// Where the quote stands that ends a text on one line. A backslash may take line ends with it; without a
/// quote, did it?
fn single_line(text: &str) -> Result<usize, bool> {
    let mut chars = text.char_indices().peekable();
    let mut lines = false;
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok(at),
            '\\' => {
                let Some((_, next)) = chars.next() else { break };
                lines |= is_newline(next);
                if is_space(next) || is_newline(next) {
                    while let Some((_, c)) = chars.next_if(|(_, c)| is_space(*c) || is_newline(*c)) {
                        lines |= is_newline(c);
                    }
                }
            }
            _ if is_newline(c) => break,
            _ => {}
        }
    }
    Err(lines)
}

/// The rest of a line in pieces: braces and semicolons apart, but those of `${…}` not.
fn pieces(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in line.char_indices() {
        let own = match c {
            '{' if line[..at].ends_with('$') => {
                inside = true;
                false
            }
            '}' if inside => {
                inside = false;
                false
            }
            // The opening quote itself is never a piece of its own.
            '{' | '}' | ';' => at > 0,
            _ => false,
        };
        if own {
            if start < at {
                found.push(&line[start..at]);
            }
            found.push(&line[at..=at]);
            start = at + 1;
        }
    }
    if start < line.len() {
        found.push(&line[start..]);
    }
    found
}

/// The first character of a token that may stand nowhere.
pub(super) fn banned(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, c)| is_banned(*c))
}
