//! What compose makes of `$`, and of scalars.

use std::collections::BTreeMap;

use telstack_system::{Sourced, Value, expansion};

use crate::reading;

/// The variables that compose knows before it starts: those of `.env`.
pub(super) type Variables = BTreeMap<String, String>;

/// A piece of a text between `${` and `}`.
pub(super) struct Reference<'a> {
    pub(super) name: &'a str,
    /// `:-`, `?` and the like; empty if nothing follows the name.
    pub(super) operator: &'a str,
    rest: &'a str,
}

impl<'a> Reference<'a> {
    pub(super) fn parse(inside: &'a str) -> Option<Self> {
        let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
        let (name, tail) = inside.split_at(end);
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let operator = [":-", ":?", ":+", "-", "?", "+"].into_iter().find(|it| tail.starts_with(it)).unwrap_or("");
        let rest = &tail[operator.len()..];
        (is_name && (tail.is_empty() || !operator.is_empty())).then_some(Self { name, operator, rest })
    }
}

/// Deepest nesting of defaults in defaults that is followed.
const DEEPEST: u8 = 8;

/// A text as compose takes it. What only run time knows stays as it is written.
pub(super) fn interpolate(text: &str, variables: &Variables) -> String {
    filled(text, variables, DEEPEST, Unknown::AsWritten)
}

/// The same of a text that another program reads, to which `${NAME}` would mean something else: what compose fills in
/// at run time is a placeholder to it, `{{NAME}}`.
pub(super) fn interpolate_inside(text: &str, variables: &Variables) -> String {
    filled(text, variables, DEEPEST, Unknown::Placeholder)
}

/// What stands for a reference whose value only run time knows.
#[derive(Clone, Copy)]
enum Unknown {
    AsWritten,
    Placeholder,
}

fn filled(text: &str, variables: &Variables, depth: u8, unknown: Unknown) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let braces = expansion::braces(text, |_| true);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if let Some(behind) = tail.strip_prefix('$') {
            out.push('$');
            rest = behind;
            continue;
        }
        let dollar = text.len() - tail.len() - 1;
        let (written, reference) = if let Some(close) = expansion::closed_at(&braces, dollar + 1) {
            (close + 1 - dollar, Reference::parse(&text[dollar + 2..close]))
        } else {
            let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
            (end + 1, Reference::parse(&tail[..end]))
        };
        let as_written = &rest[at..at + written];
        let value = reference.as_ref().and_then(|it| value(it, variables, depth, unknown));
        match (value, reference, unknown) {
            (Some(value), _, _) => out.push_str(&value),
            (None, Some(reference), Unknown::Placeholder) => out.push_str(&format!("{{{{{}}}}}", reference.name)),
            (None, ..) => out.push_str(as_written),
        }
        rest = &rest[at + written..];
    }
    out.push_str(rest);
    out
}

fn value(reference: &Reference<'_>, variables: &Variables, depth: u8, unknown: Unknown) -> Option<String> {
    let known = variables.get(reference.name);
    // With a colon an empty variable counts as none.
    let set = known.filter(|it| !reference.operator.starts_with(':') || !it.is_empty());
    let alternative = || depth.checked_sub(1).map(|depth| filled(reference.rest, variables, depth, unknown));
    match reference.operator.trim_start_matches(':') {
        "-" => set.cloned().or_else(alternative),
        "+" if set.is_some() => alternative(),
        "+" => None,
        _ => set.cloned(),
    }
}

/// The variable that a text consists of, if it is nothing else and has no value to fall back to.
pub(super) fn required(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("${")?.strip_suffix('}')?;
    let reference = Reference::parse(inside)?;
    let refuses = matches!(reference.operator, "" | "?" | ":?");
    (refuses && !inside[..inside.len() - reference.rest.len()].contains('}')).then_some(reference.name)
}

/// A scalar as text, with its place. Compose takes numbers and truth values for text.
pub(super) fn word(value: &Value, variables: &Variables) -> Option<Sourced<String>> {
    let word = reading::word(value)?;
    let filled = |text: &str| Sourced::new(interpolate(text, variables), word.origin.clone());
    Some(value.as_str().map(filled).unwrap_or(word))
}

/// The items of a list of scalars, or one scalar.
pub(super) fn words(value: &Value, variables: &Variables) -> Vec<Sourced<String>> {
    match value.as_seq() {
        Some(items) => items.iter().filter_map(|item| word(item, variables)).collect(),
        None => word(value, variables).into_iter().collect(),
    }
}

/// What a program is told, word by word: a line as a shell splits it, or a list.
pub(super) fn command(value: &Value, variables: &Variables) -> Vec<Sourced<String>> {
    let inside = |value: &Value| {
        let word = reading::word(value)?;
        Some(Sourced::new(interpolate_inside(&word.value, variables), word.origin))
    };
    if let Some(items) = value.as_seq() {
        return items.iter().filter_map(inside).collect();
    }
    let line = inside(value);
    line.iter()
        .flat_map(|line| split(&line.value).into_iter().map(|it| Sourced::new(it, line.origin.clone())))
        .collect()
}

/// A command line in words, as a shell splits it.
pub(super) fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open) = (Vec::new(), String::new(), false);
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '"' | '\'') => (quote, open) = (Some(c), true),
            (None | Some('"'), '\\') => {
                word.extend(letters.next());
                open = true;
            }
            (None, c) if c.is_whitespace() => {
                if std::mem::take(&mut open) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, c) => {
                word.push(c);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}

/// `NAME=value` lines, as compose reads `.env` and `env_file`: `$` is filled in but between single quotes, from
/// lines above too, and what follows a value behind ` #` is a remark.
pub(super) fn env_file(text: &str, variables: &Variables) -> Vec<(String, String)> {
    let mut known = variables.clone();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let Some((name, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else { continue };
        if name.starts_with('#') {
            continue;
        }
        let (name, value) = (name.trim(), value.trim());
        let quoted = |quote: char| value.strip_prefix(quote)?.split_once(quote).map(|(inside, _)| inside);
        let value = match (quoted('\''), quoted('"')) {
            (Some(inside), _) => inside.to_owned(),
            (None, Some(inside)) => interpolate(inside, &known),
            (None, None) => interpolate(value.split(" #").next().unwrap_or_default().trim_end(), &known),
        };
        known.insert(name.to_owned(), value.clone());
        found.push((name.to_owned(), value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars() {
        let variables: Variables =
            [("TAG", "3.0.0"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for (text, wanted) in [
            ("a:${TAG}", "a:3.0.0"),
            ("a:$TAG-x", "a:3.0.0-x"),
            ("${TAG:?needed}", "3.0.0"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${NONE:-${TAG}}", "3.0.0"),
            ("${NONE:-${OTHER:-y}}z", "yz"),
            ("${TAG:+set}", "set"),
            ("$${TAG}", "${TAG}"),
            ("5$$", "5$"),
            ("${NONE}", "${NONE}"),
            ("${NONE:?no}", "${NONE:?no}"),
            ("a$", "a$"),
            ("${", "${"),
            ("${a b}", "${a b}"),
            ("$1", "$1"),
        ] {
            assert_eq!(interpolate(text, &variables), wanted, "{text}");
        }
        for (text, wanted) in [
            ("${NONE}:$OTHER-${TAG}", "{{NONE}}:{{OTHER}}-3.0.0"),
            ("${NONE:-${OTHER:?no}}", "{{OTHER}}"),
            ("$${NONE}", "${NONE}"),
            ("${env:NONE} $1", "${env:NONE} $1"),
        ] {
            assert_eq!(interpolate_inside(text, &variables), wanted, "{text}");
        }
    }

    #[test]
    fn what_never_closes_is_passed_over_at_once() {
        let text = "${A:-".repeat(100_000);
        assert_eq!(interpolate(&text, &Variables::new()), text);
    }

    #[test]
    fn what_the_deployment_must_give() {
        assert_eq!(required("${A:?A is not set}"), Some("A"));
        assert_eq!(required("${A}"), Some("A"));
        for text in ["${A:-x}", "x${A}", "${A}${B}", "$A", "${}"] {
            assert_eq!(required(text), None, "{text}");
        }
    }

    #[test]
    fn command_lines() {
        assert_eq!(split(r#"--a=1  '--b=2 3' "x\"y" ''"#), ["--a=1", "--b=2 3", "x\"y", ""]);
        assert!(split("  ").is_empty());
    }

    #[test]
    fn env_files() {
        let text = "# c\nA=1 # one\n export B=\"x y\"\n\nnothing\nC=\nD=${A}${X}/$TAG\nE='$A'\nF=a#b\n";
        let variables: Variables = [("X".to_owned(), "x".to_owned())].into();
        let read = env_file(text, &variables);
        let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("A", "1"), ("B", "x y"), ("C", ""), ("D", "1x/$TAG"), ("E", "$A"), ("F", "a#b")]);
    }
}
