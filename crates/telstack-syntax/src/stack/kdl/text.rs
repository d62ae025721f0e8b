//! What is written to what is meant: texts with their escapes and indentation, numbers.

use super::chars::{is_newline, is_space, newline};
use super::lex::{MULTI, banned};
use crate::stack::Scalar;

/// What is wrong inside a token: bytes from its start, words, what to write.
#[derive(Debug)]
pub(super) struct Fault {
    pub at: usize,
    pub length: usize,
    pub message: String,
    pub help: Option<String>,
}

impl Fault {
    fn new(at: usize, length: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, length, message: message.into(), help: Some(help.into()) }
    }
}

/// The text of a `Quoted` token.
pub(super) fn quoted(token: &str) -> Result<String, Fault> {
    allowed(token)?;
    if token.starts_with(MULTI) {
        let body = lines_of(token, MULTI.len(), MULTI.len())?;
        // White space taken away first, then indentation, then the other escapes.
        let plain = dedent(&without_spaces(body), token.len())?;
        return escapes(&plain).map_err(|fault| locate(fault, token));
    }
    let body = without_spaces(token.get(1..token.len() - 1).unwrap_or_default());
    escapes(&body).map_err(|fault| locate(fault, token))
}

/// The text of a `Raw` token.
pub(super) fn raw(token: &str) -> Result<String, Fault> {
    allowed(token)?;
    let hashes = token.len() - token.trim_start_matches('#').len();
    let body = token.get(hashes..token.len() - hashes).unwrap_or_default();
    if body.starts_with(MULTI) {
        let body = lines_of(token, hashes + MULTI.len(), hashes + MULTI.len())?;
        return dedent(body, token.len());
    }
    Ok(body.get(1..body.len() - 1).unwrap_or_default().to_owned())
}

fn allowed(token: &str) -> Result<(), Fault> {
    match banned(token) {
        None => Ok(()),
        Some((at, c)) => Err(banned_fault(at, c)),
    }
}

/// A character that may stand nowhere.
pub(super) fn banned_fault(at: usize, c: char) -> Fault {
    let code = u32::from(c);
    Fault::new(
        at,
        c.len_utf8(),
        format!("the invisible character U+{code:04X} may not stand in a file"),
        format!("take it out; in a text in quotes it can be written `\\u{{{code:x}}}`"),
    )
}

/// The lines between the three quotes, without the line end behind the first of them.
fn lines_of(token: &str, open: usize, close: usize) -> Result<&str, Fault> {
    let body = token.get(open..token.len() - close).unwrap_or_default();
    match newline(body) {
        0 => Err(Fault::new(
            0,
            token.len(),
            "a text between `\"\"\"` starts on a line of its own",
            "break the line behind the first `\"\"\"` and before the last one, or use `\"` for a text on one line",
        )),
        length => Ok(&body[length..]),
    }
}

/// Takes away each backslash that white space follows, with that white space.
fn without_spaces(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let trimmed = behind.trim_start_matches(|c| is_space(c) || is_newline(c));
        if trimmed.len() < behind.len() {
            rest = trimmed;
            continue;
        }
        let Some(next) = behind.chars().next() else { break };
        out.push('\\');
        out.push(next);
        rest = &behind[next.len_utf8()..];
    }
    out.push_str(rest);
    out
}

/// Takes the indentation of the last line off every line; `body` ends before the closing quotes.
fn dedent(body: &str, token: usize) -> Result<String, Fault> {
    let lines = split_lines(body);
    let (prefix, lines) = lines.split_last().map_or(("", &[][..]), |(last, lines)| (*last, lines));
    if !prefix.chars().all(is_space) {
        let help = "put the closing `\"\"\"` on a line of its own; its indentation is taken off every line";
        return Err(Fault::new(token.saturating_sub(3), 3, "the closing `\"\"\"` stands behind text", help));
    }
    let mut out = String::with_capacity(body.len());
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if line.chars().all(is_space) {
            continue;
        }
        let Some(line) = line.strip_prefix(prefix) else {
            let message = "a line of this text is indented otherwise than its closing `\"\"\"`";
            let help = format!("start `{}` with the same white space as the closing `\"\"\"`", shortened(line.trim()));
            return Err(Fault::new(0, token, message, help));
        };
        out.push_str(line);
    }
    Ok(out)
}

fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_newline) {
        lines.push(&rest[..at]);
        rest = &rest[at + newline(&rest[at..])..];
    }
    lines.push(rest);
    lines
}

/// Puts the characters in place that backslashes stand for.
fn escapes(body: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let Some(code) = behind.chars().next() else { break };
        rest = &behind[code.len_utf8()..];
        out.push(match code {
            '"' | '\\' => code,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            's' => ' ',
            'u' => {
                let (hex, behind) = rest.strip_prefix('{').and_then(|it| it.split_once('}')).unwrap_or_default();
                let digits = (1..=6).contains(&hex.len()) && hex.bytes().all(|it| it.is_ascii_hexdigit());
                let c = u32::from_str_radix(hex, 16).ok().filter(|_| digits).and_then(char::from_u32);
                let Some(c) = c else {
                    let help = "write one to six hexadecimal digits of a character: `\\u{e9}`";
                    return Err(Fault::new(0, 2, "`\\u` without a character in braces", help));
                };
                rest = behind;
                c
            }
            other => {
                let help = format!("write `\\\\{other}`, or a raw text, which has no escapes: `#\"…\"#`");
                return Err(Fault::new(0, 1 + other.len_utf8(), format!("`\\{other}` is no escape"), help));
            }
        });
    }
    out.push_str(rest);
    Ok(out)
}

/// Points at the first spot of a token that reads like the fault: escapes are decoded behind other steps.
fn locate(mut fault: Fault, token: &str) -> Fault {
    let word = fault.message.strip_prefix('`').and_then(|it| it.split('`').next()).unwrap_or_default();
    let mut rest = 0;
    while let Some(at) = token.get(rest..).and_then(|it| it.find('\\')) {
        let at = rest + at;
        if token[at..].starts_with(word) {
            fault.at = at;
            return fault;
        }
        rest = at + 1 + token[at + 1..].chars().next().map_or(1, char::len_utf8);
    }
    fault.length = token.len();
    fault
}

/// A number, or none if the word is not one although it starts like one.
pub(super) fn number(word: &str) -> Option<Result<Scalar, Fault>> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return integer(digits, radix).then(|| whole(word, digits, radix, negative));
        }
    }
    let mantissa = digits.find(['e', 'E']).map_or(digits, |at| &digits[..at]);
    let exponent = digits.get(mantissa.len() + 1..);
    let (whole_part, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(a, b)| (a, Some(b)));
    let unsigned = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    if !integer(whole_part, 10) || ![fraction, unsigned].into_iter().flatten().all(|it| integer(it, 10)) {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        return Some(whole(word, digits, 10, negative));
    }
    let number = word.replace('_', "").parse().ok()?;
    Some(Ok(Scalar::Float(number)))
}

/// A digit, then digits and underscores.
fn integer(text: &str, radix: u32) -> bool {
    text.starts_with(|c: char| c.is_digit(radix)) && text.chars().all(|c| c.is_digit(radix) || c == '_')
}

fn whole(word: &str, digits: &str, radix: u32, negative: bool) -> Result<Scalar, Fault> {
    let sign = if negative { "-" } else { "" };
    let plain = format!("{sign}{}", digits.replace('_', ""));
    i64::from_str_radix(&plain, radix).map(Scalar::Int).map_err(|_| Fault {
        at: 0,
        length: word.len(),
        message: format!("{} does not fit 64 bits", shortened(word)),
        help: None,
    })
}

/// At most as much as a message can hold.
pub(super) fn shortened(word: &str) -> String {
    const MOST: usize = 40;
    match word.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    }
}

/// The value of a keyword, with its `#`.
pub(super) fn keyword(word: &str) -> Option<Scalar> {
    Some(match word {
        "#null" => Scalar::Null,
        "#true" => Scalar::Bool(true),
        "#false" => Scalar::Bool(false),
        "#inf" => Scalar::Float(f64::INFINITY),
        "#-inf" => Scalar::Float(f64::NEG_INFINITY),
        "#nan" => Scalar::Float(f64::NAN),
        _ => return None,
    })
}
