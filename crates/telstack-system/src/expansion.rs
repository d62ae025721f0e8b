//! What a collector makes of `$` in a text: references that run time fills in, escapes, and the rest.

use std::{borrow::Cow, iter};

/// A piece of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// It stays as it is.
    Text(&'a str),
    /// `$$`, which stands for one `$`.
    Escape,
    /// `${…}`, without the braces.
    Reference(Reference<'a>),
    /// `$NAME`: replaced by old releases, left alone by newer ones.
    Bare(&'a str),
}

/// What stands between `${` and `}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference<'a> {
    /// What provides the value: `env`, `file`, …; `env` where none is written.
    pub scheme: &'a str,
    /// What is asked of the provider: a name, a path.
    pub name: &'a str,
    /// What stands for a variable that is not set: behind `:-`.
    pub default: Option<&'a str>,
}

/// The provider of what stands in the reference itself: `${yaml:5}`.
pub const YAML: &str = "yaml";
/// The provider of `${NAME}` and `${env:NAME}`.
pub const ENV: &str = "env";
/// Splits the name of a variable from what stands for it while it is not set.
const DEFAULT: &str = ":-";

impl<'a> Reference<'a> {
    fn parse(inside: &'a str) -> Self {
        // What stands before a colon is a scheme, and be it one that there is not.
        let (scheme, rest) = inside.split_once(':').unwrap_or((ENV, inside));
        let default = (scheme == ENV).then(|| default_at(rest)).flatten();
        let (name, default) = match default {
            Some(at) => (&rest[..at], Some(&rest[at + DEFAULT.len()..])),
            None => (rest, None),
        };
        Self { scheme, name, default }
    }

    /// Is the reference itself made of references?
    pub fn is_nested(&self) -> bool {
        self.name.contains("${") || self.scheme.contains("${")
    }

    /// Can an environment variable have that name?
    pub fn names_a_variable(&self) -> bool {
        let mut letters = self.name.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    }
}

/// Where the default of a reference starts. A default of a reference inside is not that of this one.
fn default_at(text: &str) -> Option<usize> {
    let (mut depth, bytes) = (0_usize, text.as_bytes());
    for (at, pair) in bytes.windows(DEFAULT.len()).enumerate() {
        match pair {
            b"${" => depth += 1,
            [b'}', _] => depth = depth.saturating_sub(1),
            _ if depth == 0 && pair == DEFAULT.as_bytes() => return Some(at),
            _ => {}
        }
    }
    None
}

/// The pieces of a text, in order.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let braces = braces(text, |at| text[..at].ends_with('$'));
    let (mut plain, mut at) = (0, 0);
    while let Some(dollar) = text[at..].find('$').map(|it| at + it) {
        let rest = &text[dollar + 1..];
        let (piece, length) = if rest.starts_with('$') {
            (Piece::Escape, 2)
        } else if let Some(close) = rest.strip_prefix('{').and_then(|_| closed_at(&braces, dollar + 1)) {
            (Piece::Reference(Reference::parse(&text[dollar + 2..close])), close + 1 - dollar)
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
                at = dollar + 1;
                continue;
            }
            (Piece::Bare(&rest[..end]), end + 1)
        };
        if plain < dollar {
            found.push(Piece::Text(&text[plain..dollar]));
        }
        found.push(piece);
        at = dollar + length;
        plain = at;
    }
    if plain < text.len() {
        found.push(Piece::Text(&text[plain..]));
    }
    found
}

/// Braces that belong together: where one opens and where it closes, by the first. Only those that `counts`
/// opens. One pass, however many never close.
pub fn braces(text: &str, counts: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let (mut open, mut pairs) = (Vec::new(), Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if counts(at) => open.push(at),
            b'}' => pairs.extend(open.pop().map(|start| (start, at))),
            _ => {}
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Where the brace closes that opens at `start`.
pub fn closed_at(braces: &[(usize, usize)], start: usize) -> Option<usize> {
    let at = braces.binary_search_by_key(&start, |(open, _)| *open).ok()?;
    Some(braces[at].1)
}

/// Does run time decide any of the text, or whoever fills in a template? A bare `$NAME` counts: some releases
/// replace it.
pub fn is_open(text: &str) -> bool {
    let runs = || pieces(text).iter().any(|it| matches!(it, Piece::Reference(_) | Piece::Bare(_)));
    text.contains('$') && runs() || is_placeholder(text)
}

/// Does something in the text stand for what a person or a program is to write there? `{{ .Values.x }}`, `[[ .x ]]`,
/// `<SIZE>`, `__SIZE__`, `@@SIZE@@`, `%SIZE%`, `%s`.
pub fn is_placeholder(text: &str) -> bool {
    // Most texts have none of these signs, and all texts are asked about.
    if !text.bytes().any(|it| matches!(it, b'{' | b'[' | b'<' | b'_' | b'@' | b'%')) {
        return false;
    }
    let between = |open: &str, close: &str| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    between("{{", "}}")
        || between("{%", "%}")
        || between("[[ ", " ]]")
        || in_angles(text)
        || is_framed(text, "__")
        || is_framed(text, "@@")
        || is_framed(text, "%")
        || is_of_printf(text)
}

/// May the text be another one in the end? Of any `$` in it that is taken for granted: for who does not know whether
/// the file's reader replaces it.
pub fn is_unsettled(text: &str) -> bool {
    text.contains('$') || is_placeholder(text)
}

/// `<SIZE>`, `<your address>`; not `(?P<name>…)`, and not `a < b`.
fn in_angles(text: &str) -> bool {
    let whole = text.starts_with('<') && text.ends_with('>');
    text.match_indices('<').any(|(at, _)| {
        let Some((word, _)) = text[at + 1..].split_once('>') else { return false };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') || whole && c == ' ';
        let group = text[..at].ends_with(['?', 'P', 'k']);
        word.len() > 1 && word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(plain) && !group
    })
}

/// Is there a word in capitals between two of these marks?
fn is_framed(text: &str, mark: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.len() > 1
            && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    // What stands before the first mark and behind the last one is between none.
    let mut parts = text.split(mark).skip(1).peekable();
    iter::from_fn(|| parts.next().filter(|_| parts.peek().is_some())).any(word)
}

/// `%s`, as a word of its own or between signs.
fn is_of_printf(text: &str) -> bool {
    text.match_indices('%').any(|(at, _)| {
        let mut rest = text[at + 1..].chars();
        matches!(rest.next(), Some('s' | 'd' | 'v')) && !rest.next().is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

/// The reference that a text consists of, if it is nothing else.
pub fn sole(text: &str) -> Option<Reference<'_>> {
    match pieces(text).as_slice() {
        [Piece::Reference(reference)] => Some(*reference),
        _ => None,
    }
}

/// The text as the collector sees it; none if run time decides any of it, or it is still to be filled in.
pub fn literal(text: &str) -> Option<Cow<'_, str>> {
    if is_placeholder(text) {
        return None;
    }
    if !text.contains('$') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Escape => out.push('$'),
            Piece::Reference(_) | Piece::Bare(_) => return None,
        }
    }
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> (String, String, Option<String>) {
        let it = sole(text).unwrap_or_else(|| panic!("{text} is one reference"));
        (it.scheme.to_owned(), it.name.to_owned(), it.default.map(str::to_owned))
    }

    #[test]
    fn references_by_scheme_name_and_default() {
        let is = |text: &str, scheme: &str, name: &str, default: Option<&str>| {
            assert_eq!(reference(text), (scheme.to_owned(), name.to_owned(), default.map(str::to_owned)), "{text}");
        };
        is("${X}", "env", "X", None);
        is("${env:X}", "env", "X", None);
        is("${env:X:-http://a:1}", "env", "X", Some("http://a:1"));
        is("${env:X:-}", "env", "X", Some(""));
        is("${file:/a:-b}", "file", "/a:-b", None);
        // A default needs the scheme: without it the name is one.
        is("${NAME:-x}", "NAME", "-x", None);
        is("${N:-5}", "N", "-5", None);
        is("${:-5}", "", "-5", None);
        is("${env:${env:Y}}", "env", "${env:Y}", None);
        is("${env:${env:Y:-Z}:-d}", "env", "${env:Y:-Z}", Some("d"));
    }

    #[test]
    fn escapes_and_what_only_looks_like_a_reference() {
        assert_eq!(literal("$$a").as_deref(), Some("$a"));
        assert_eq!(literal("$$${env:X}"), None);
        assert_eq!(literal("$$$${env:X}").as_deref(), Some("$${env:X}"));
        for text in ["a$", "$1", "${", "${env:X", "$", "cost: 5$"] {
            assert_eq!(literal(text).as_deref(), Some(text));
        }
        assert!(is_open("$NAME") && is_open("a${X}b") && !is_open("$$NAME"));
    }

    #[test]
    fn what_is_still_to_be_written() {
        for text in [
            "{{ .Values.t }}",
            "https://t-{{ .Name }}-gw:80/api",
            "[[ .Service.x.url ]]",
            "{% if x %}a{% endif %}",
            "__TIMEOUT__",
            "http://__HOST__:4318",
            "@@LEVEL@@",
            "%LEVEL%",
            "<SIZE>",
            "<SCRAPE-INTERVAL>",
            "https://<your-otlp-endpoint>:4318",
            "<your endpoint>",
            "%s",
            "http://%s:%d/",
        ] {
            assert!(is_placeholder(text) && is_open(text) && literal(text).is_none(), "{text}");
        }
        for text in [
            "",
            "a < b and c > d",
            "a<b and c>d",
            "^(?P<time>\\S+) (?<level>\\w+)$$",
            "__address__",
            "__meta_kubernetes_pod_name",
            "100%",
            "%Y-%m-%dT%H:%M:%S",
            "http://a/%20b%20c",
            "[[:alpha:]]",
            "{a: b}",
            "a@b",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn what_never_closes_is_passed_over_at_once() {
        let text = "${".repeat(200_000);
        assert_eq!(pieces(&text), [Piece::Text(&text)]);
        assert!(is_open(&(text + "${X}")));
    }

    #[test]
    fn names_of_variables() {
        let named = |text: &str| sole(text).is_some_and(|it| it.names_a_variable());
        assert!(named("${env:A_1}") && named("${_a}"));
        for text in ["${}", "${env:}", "${1}", "${env:A-B}", "${a b}"] {
            assert!(!named(text), "{text}");
        }
    }
}
