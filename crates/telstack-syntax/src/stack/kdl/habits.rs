//! Habits from other languages: what somebody who writes YAML, JSON or a shell puts into a stack, and what
//! to write instead.

use telstack_diagnostics::Span;

use super::{
    SyntaxError,
    chars::starts_like_number,
    lex::{Kind, banned},
    parse::Parser,
    say::{self, Said, say},
    text::{self, shortened},
};
use crate::stack::Scalar;

/// The word that a line starts with, without what a habit added to it.
pub(super) fn name(word: &str) -> (&str, Option<Said>) {
    let bare = word.trim_end_matches(':');
    if bare.len() < word.len() && !bare.is_empty() {
        let message = format!("`{}` looks like YAML: KDL has no colon behind a name", shortened(word));
        return (bare, Some(say(message, format!("write `{} …`", shortened(bare))).grammatical()));
    }
    if let Some(bare) = word.strip_suffix(',').filter(|it| !it.is_empty()) {
        return (bare, Some(commas().grammatical()));
    }
    (word, None)
}

fn commas() -> Said {
    say("KDL has no commas", "put a space between values, and `;` or a new line between words")
}

/// A value without quotes that is KDL, but not what was meant; with the text that was.
pub(super) fn value(parser: &Parser<'_>, at: usize) -> (String, Option<SyntaxError>) {
    let word = parser.slice(at);
    let span = parser.span(at);
    let next = parser.tokens.get(at + 1).map(|token| token.kind);
    if word.ends_with(':') && next == Some(Kind::LineComment) {
        let address = format!("{word}{}", parser.slice(at + 1));
        let address = address.split(char::is_whitespace).next().unwrap_or_default();
        let help = format!("write it in quotes: `\"{}\"`", shortened(address));
        return (address.to_owned(), Some(say("without quotes, `//` starts a comment", help).grammatical().at(span)));
    }
    let behind = parser.tokens.get(at + 2).map(|token| token.kind);
    if let Some(bare) = word.strip_suffix(':').filter(|it| !it.is_empty())
        && next == Some(Kind::Space)
        && matches!(behind, Some(Kind::Word | Kind::Quoted | Kind::Raw | Kind::Keyword))
    {
        let said = say(format!("`{}` looks like YAML: KDL has no colon behind a key", shortened(word)), {
            let value = parser.slice(at + 2);
            format!("write `{}={}`", shortened(bare), shortened(value))
        });
        return (bare.to_owned(), Some(said.grammatical().at(span)));
    }
    if let Some(bare) = word.strip_suffix(',').filter(|it| !it.is_empty()) {
        let end = span.end as usize;
        return (bare.to_owned(), Some(commas().grammatical().at(Span::new(span.file, end - 1, end))));
    }
    if word.starts_with(['“', '”', '„', '‘', '’']) {
        let bare: String = word.chars().filter(|c| !matches!(c, '“' | '”' | '„' | '‘' | '’')).collect();
        let help = format!("write `\"{}\"`", shortened(&bare));
        return (bare, Some(say("these curly quotes do not enclose a text", help).grammatical().at(span)));
    }
    if word.len() > 2 && word.starts_with('\'') && word.ends_with('\'') {
        let bare = word.trim_matches('\'').to_owned();
        let help = format!("write `\"{}\"`", shortened(&bare));
        return (bare, Some(say("a text stands in `\"…\"`, not in `'…'`", help).grammatical().at(span)));
    }
    (word.to_owned(), None)
}

/// What a word without quotes is, if it is no text. An error has the value that was probably meant.
pub(super) fn scalar(word: &str) -> Option<Result<Scalar, (Said, Scalar)>> {
    let hash = |scalar| {
        let said = say(format!("`{word}` needs a `#` in KDL 2"), format!("write `#{word}`"));
        Some(Err((said, scalar)))
    };
    match word {
        "true" => return hash(Scalar::Bool(true)),
        "false" => return hash(Scalar::Bool(false)),
        "null" => return hash(Scalar::Null),
        "inf" | "nan" | "-inf" => {
            let help = format!("write `#{word}` for the number, `\"{word}\"` for the text");
            let said = say(format!("`{word}` needs a `#` in KDL 2"), help);
            return Some(Err((said, Scalar::String(word.to_owned()))));
        }
        _ => {}
    }
    if !starts_like_number(word) {
        return None;
    }
    Some(match text::number(word) {
        Some(Ok(scalar)) => Ok(scalar),
        Some(Err(fault)) => Err((Said::from(fault).grammatical(), Scalar::Int(0))),
        None => {
            let (bare, comma) = word.strip_suffix(',').map_or((word, false), |it| (it, true));
            let meant = text::number(bare).and_then(Result::ok).filter(|_| comma);
            let said = match &meant {
                Some(_) => commas(),
                None => say(
                    format!("`{}` is neither a number nor a text", shortened(word)),
                    format!("write it in quotes: `\"{}\"`", shortened(bare)),
                ),
            };
            Err((said, meant.unwrap_or_else(|| Scalar::String(bare.to_owned()))))
        }
    })
}

/// For a word that goes on behind a character that ends words: all of it.
pub(super) fn whole_word(parser: &Parser<'_>, at: usize, said: Said) -> (Said, Span) {
    match glued(parser, at) {
        Some((span, word)) => (in_quotes(&word), span),
        None => (said, parser.span(at)),
    }
}

fn in_quotes(word: &str) -> Said {
    let word = shortened(word);
    say(format!("`{word}` must stand in quotes"), format!("write `\"{word}\"`"))
}

/// The word around a token, if it is one of several that no space divides and a slash is among them.
fn glued(parser: &Parser<'_>, at: usize) -> Option<(Span, String)> {
    let part = |at: &usize| {
        parser.tokens.get(*at).is_some_and(|token| match token.kind {
            Kind::Word | Kind::Slashdash | Kind::Equals => true,
            Kind::Bad => parser.slice(*at) == "/",
            // `http://…`
            Kind::LineComment => parser.slice(at.saturating_sub(1)).ends_with(':'),
            _ => false,
        })
    };
    let first = (0..=at).rev().take_while(part).last()?;
    let last = (at..parser.tokens.len()).take_while(part).last()?;
    let mut text = String::new();
    for at in first..=last {
        text += parser.slice(at);
        if parser.tokens[at].kind == Kind::LineComment {
            break;
        }
    }
    let word = text.split(char::is_whitespace).next().unwrap_or_default().to_owned();
    let start = parser.span(first).start as usize;
    (word.contains('/') && word.len() > 1 && first < last)
        .then(|| (Span::new(parser.file, start, start + word.len()), word))
}

/// What is wrong where no space divides a token from the one before it.
pub(super) fn crowded(parser: &Parser<'_>, at: usize) -> (Said, Span) {
    let span = parser.span(at);
    let before = parser.slice(at.saturating_sub(1));
    let token = parser.slice(at);
    if token.starts_with(',') {
        return (commas(), Span { end: span.start + 1, ..span });
    }
    if parser.tokens.get(at).is_some_and(|it| it.kind == Kind::Unclosed) {
        let before = shortened(before);
        let help = format!("write `\"{before}\"`");
        return (say(format!("a quote is missing in front of `{before}`"), help), parser.span(at.saturating_sub(1)));
    }
    if let Some((span, word)) = glued(parser, at) {
        return (in_quotes(&word), span);
    }
    if before == "r" && token.contains('"') {
        let help = format!(
            "write `#\"{}\"#`, or `\"…\"` where nothing in it needs escapes",
            shortened(token.trim_matches(['#', '"']))
        );
        return (say("a raw text starts with `#` in KDL 2, not with `r`", help), parser.span(at - 1).to(span));
    }
    let (before, token) = (shortened(before), shortened(token));
    let help = format!("put a space between them, or quotes around both: `{before} {token}`");
    (say(format!("no space stands between `{before}` and `{token}`"), help), span)
}

/// What stands between brackets, as KDL has it; an example if nothing does.
fn side_by_side(parser: &Parser<'_>, at: usize) -> String {
    const MOST: usize = 4;
    let mut values = Vec::new();
    for next in at + 1..parser.tokens.len() {
        let slice = parser.slice(next).trim_matches(',');
        match parser.tokens[next].kind {
            Kind::Newline | Kind::Open | Kind::Close => break,
            Kind::Quoted | Kind::Raw | Kind::Word | Kind::Keyword if values.len() == MOST => {
                values.push("…".to_owned());
                break;
            }
            Kind::Quoted | Kind::Raw | Kind::Keyword => values.push(shortened(slice)),
            Kind::Word if !slice.is_empty() => values.push(shortened(slice)),
            Kind::Bad if slice == "]" => break,
            _ => {}
        }
    }
    if values.is_empty() { "from \"otlp\" \"zipkin\"".to_owned() } else { values.join(" ") }
}

/// What is wrong with a token that can stand nowhere, or not as the first of a line.
pub(super) fn unexpected(parser: &Parser<'_>, at: usize, name: bool) -> (Said, Span) {
    let span = parser.span(at);
    let slice = parser.slice(at);
    let Some(token) = parser.tokens.get(at) else {
        return (say("something is missing here", "a tag stands in front of a value: `(env)\"NAME\"`"), span);
    };
    let said = match token.kind {
        Kind::Equals if name => say("a line cannot start with `=`", "write `word \"value\"`"),
        Kind::Equals => say(
            "this `=` has no key in front of it",
            "write `word \"value\"` without `=`, or a property `key=\"value\"` behind the word",
        ),
        Kind::Unclosed => {
            let (said, length) = say::unclosed(slice);
            return (said, Span::new(parser.file, span.start as usize, span.start as usize + length));
        }
        Kind::CloseTag => say("this `)` closes nothing", "take it out"),
        Kind::Backslash => say(
            "behind this `\\` nothing may follow on its line",
            "break the line here, or write the text that holds it in quotes",
        ),
        Kind::Semicolon => say("this `;` ends nothing", "take it out"),
        Kind::Keyword if text::keyword(slice).is_some() => say::no_word(slice),
        Kind::Keyword => say::keyword(slice),
        Kind::Slashdash => say("a second `/-` switches nothing off", "write one"),
        Kind::Bad => match slice.chars().next() {
            Some('[' | ']') => {
                say("KDL has no `[…]`", format!("write the values side by side: `{}`", side_by_side(parser, at)))
            }
            Some('#') => say("this `#` means nothing", "there are `#true`, `#false`, `#null` and raw texts: `#\"…\"#`"),
            Some('/') => {
                if let Some((span, word)) = glued(parser, at) {
                    return (in_quotes(&word), span);
                }
                say("this `/` must stand in quotes", "write a text that holds it in quotes, a comment with `//`")
            }
            _ => {
                let fault = banned(slice).map(|(at, c)| text::banned_fault(at, c));
                fault.map_or_else(|| say(format!("`{slice}` means nothing here"), "write texts in quotes"), Said::from)
            }
        },
        _ if name => say("a word is missing here", "a line starts with a word, and its values follow"),
        _ => say("a value is missing here", "a tag stands in front of a value: `(env)\"NAME\"`"),
    };
    (said, span)
}
