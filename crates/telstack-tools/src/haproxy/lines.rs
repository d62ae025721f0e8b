//! Lines and words, with quotes, escapes, comments and variables as HAProxy has them.

use telstack_diagnostics::{FileId, Span};
use telstack_system::Origin;

use crate::reading::Place;

/// A word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// What it says.
    pub(super) text: String,
    /// Where it is written, quotes included.
    pub(super) origin: Origin,
    /// Is something in it that is not known before run time?
    pub(super) open: bool,
}

/// The words of a line that holds any.
pub(super) type Line = Vec<Word>;

/// What is known of a variable of the environment.
pub(super) enum Variable {
    Set(String),
    Unset,
    Unknown,
}

/// What stands around a text.
pub(super) struct Context<'a> {
    pub(super) file: FileId,
    pub(super) place: Place,
    /// What becomes of a text before HAProxy sees it.
    pub(super) fill: &'a dyn Fn(&str) -> String,
    /// The environment.
    pub(super) variable: &'a dyn Fn(&str) -> Variable,
}

/// The lines of a text that hold words.
pub(super) fn lines(text: &str, context: &Context<'_>) -> Vec<Line> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let words = words(line, start, context);
        if !words.is_empty() {
            found.push(words);
        }
        start += line.len();
    }
    found
}

#[derive(Clone, Copy, PartialEq)]
enum Quote {
    None,
    Weak,
    Strong,
}

fn words(line: &str, offset: usize, context: &Context<'_>) -> Line {
    let mut found = Vec::new();
    let mut chars = line.char_indices().peekable();
    let mut current: Option<(usize, String, bool)> = None;
    let mut quote = Quote::None;
    let finish = |(start, text, open): (usize, String, bool), end: usize| {
        let span = context.place.of(Span::new(context.file, offset + start, offset + end));
        let origin = match context.place {
            Place::Inside(_) => Origin::derived("read", "it stands inside of another text", &[&Origin::written(span)]),
            Place::Start | Place::Offset(_) => Origin::written(span),
        };
        let text = (context.fill)(&text);
        // Filled in by something else, before HAProxy reads it.
        let open = open || text.contains("${") || text.contains("{{") || text.contains("<%");
        Word { text, origin, open }
    };
    while let Some((at, c)) = chars.next() {
        if quote == Quote::None && (c.is_ascii_whitespace() || c == '#') {
            found.extend(current.take().map(|word| finish(word, at)));
            if c == '#' {
                return found;
            }
            continue;
        }
        let (_, text, open) = current.get_or_insert_with(|| (at, String::new(), false));
        match (c, quote) {
            ('"', Quote::None) => quote = Quote::Weak,
            ('\'', Quote::None) => quote = Quote::Strong,
            ('"', Quote::Weak) | ('\'', Quote::Strong) => quote = Quote::None,
            ('\\', Quote::None | Quote::Weak) => match chars.peek().map(|(_, next)| *next) {
                Some(next @ (' ' | '#' | '\\' | '"' | '\'' | '$')) => {
                    chars.next();
                    text.push(next);
                }
                _ => text.push('\\'),
            },
            ('$', Quote::Weak) => {
                let rest = &line[at + 1..];
                let (name, length) = name(rest);
                match (context.variable)(name) {
                    _ if length == 0 => text.push('$'),
                    Variable::Set(value) => text.push_str(&value),
                    Variable::Unset if !rest[..length].contains('-') => {}
                    Variable::Unset | Variable::Unknown => {
                        *open = true;
                        text.push_str(&line[at..=at + length]);
                    }
                }
                while chars.peek().is_some_and(|(next, _)| *next <= at + length) {
                    chars.next();
                }
            }
            _ => text.push(c),
        }
    }
    found.extend(current.take().map(|word| finish(word, line.trim_end().len())));
    found
}

/// The name of a variable behind a `$`, and how long it is with what is around it.
fn name(rest: &str) -> (&str, usize) {
    let letters = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    match rest.strip_prefix('{') {
        Some(inner) => match inner.find('}') {
            Some(end) => (&inner[..letters(inner).min(end)], end + 2),
            None => ("", 0),
        },
        None => (&rest[..letters(rest)], letters(rest)),
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn read(text: &str) -> Vec<Vec<(String, String, bool)>> {
        let mut sources = SourceMap::default();
        let file = sources.add("haproxy.cfg", text);
        let variable = |name: &str| match name {
            "PORT" => Variable::Set("80".to_owned()),
            "NONE" => Variable::Unset,
            _ => Variable::Unknown,
        };
        let context = Context { file, place: Place::Start, fill: &str::to_owned, variable: &variable };
        let slice = |word: &Word| sources.slice(word.origin.span().expect("written")).to_owned();
        let line = |line: Line| line.into_iter().map(|it| (it.text.clone(), slice(&it), it.open)).collect();
        lines(text, &context).into_iter().map(line).collect()
    }

    #[track_caller]
    fn one(text: &str, words: &[(&str, &str, bool)]) {
        let wanted: Vec<_> = words.iter().map(|(a, b, open)| ((*a).to_owned(), (*b).to_owned(), *open)).collect();
        assert_eq!(read(text), [wanted], "{text}");
    }

    #[test]
    fn words_end_at_blanks_and_comments() {
        one("  server a b:80 # c", &[("server", "server", false), ("a", "a", false), ("b:80", "b:80", false)]);
        one("a#b c\r\n", &[("a", "a", false)]);
        assert!(read("# x\n\n  \n").is_empty());
        assert_eq!(read("a\nb c\n").len(), 2);
    }

    #[test]
    fn quotes_and_escapes() {
        one(r#""a b" c\ d"#, &[("a b", r#""a b""#, false), ("c d", r"c\ d", false)]);
        one(r#"a"b # c"'d"e'"#, &[(r#"ab # cd"e"#, r#"a"b # c"'d"e'"#, false)]);
        one(r"\#x \\ é", &[("#x", r"\#x", false), ("\\", r"\\", false), ("é", "é", false)]);
        one("\"open", &[("open", "\"open", false)]);
    }

    #[test]
    fn variables_only_in_double_quotes() {
        one(
            r#""x:${PORT}" "$PORT-" '$PORT'"#,
            &[("x:80", r#""x:${PORT}""#, false), ("80-", r#""$PORT-""#, false), ("$PORT", "'$PORT'", false)],
        );
        one(
            r#""${NONE}" "${NONE-1}" "${ELSE}" ${X} "$""#,
            &[
                ("", r#""${NONE}""#, false),
                ("${NONE-1}", r#""${NONE-1}""#, true),
                ("${ELSE}", r#""${ELSE}""#, true),
                ("${X}", "${X}", true),
                ("$", r#""$""#, false),
            ],
        );
    }
}
