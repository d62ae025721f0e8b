//! The character classes of KDL 2.

/// Between words of a line.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, '\t' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Ends a line. A carriage return with a line feed behind it is one line end.
pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}')
}

/// May stand nowhere in a file, not even in a text or a comment: control characters, and those that
/// change the direction of writing, so that a file reads as it looks.
pub(super) fn is_banned(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}'
            | '\u{e}'..='\u{1f}'
            | '\u{7f}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// May stand in a word without quotes.
pub(super) fn is_word(c: char) -> bool {
    !matches!(c, '\\' | '/' | '(' | ')' | '{' | '}' | ';' | '[' | ']' | '"' | '#' | '=')
        && !is_space(c)
        && !is_newline(c)
        && !is_banned(c)
}

/// How many bytes a line end at the start of `text` has; 0 if there is none.
pub(super) fn newline(text: &str) -> usize {
    if text.starts_with("\r\n") {
        return 2;
    }
    text.chars().next().filter(|c| is_newline(*c)).map_or(0, char::len_utf8)
}

/// Can `text` stand without quotes, and is then read as itself?
pub(crate) fn is_bare(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(is_word)
        && !matches!(text, "true" | "false" | "null" | "inf" | "-inf" | "nan")
        && !starts_like_number(text)
}

/// A digit in front, behind a sign or behind a point.
pub(super) fn starts_like_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let rest = unsigned.strip_prefix('.').unwrap_or(unsigned);
    rest.starts_with(|c: char| c.is_ascii_digit())
}
