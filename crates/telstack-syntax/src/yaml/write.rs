//! YAML the way a careful person writes it: two spaces, plain scalars where they are safe everywhere.

use std::collections::HashMap;

use crate::{
    Writer, Written,
    json::quote,
    tree::{Entry, Kind, Map, Value},
};

/// Writes a document under a header comment.
pub fn write<M: Clone + PartialEq>(header: &str, header_mark: &M, document: &Value<M>) -> Written<M> {
    let mut out = Writer::default();
    comment(&mut out, 0, header, header_mark);
    if !header.is_empty() {
        out.newline();
    }
    put_document(&mut out, document, &Texts::new());
    out.finish()
}

/// Texts that were written before: where one of them is a value, its lines keep their marks.
pub type Texts<'a, M> = HashMap<&'a str, &'a Written<M>>;

/// Writes several documents under a header comment, `---` in front of each.
pub fn write_all<M: Clone + PartialEq>(
    header: &str,
    header_mark: &M,
    documents: &[Value<M>],
    texts: &Texts<'_, M>,
) -> Written<M> {
    let mut out = Writer::default();
    comment(&mut out, 0, header, header_mark);
    for document in documents {
        out.line("---", &document.mark);
        put_document(&mut out, document, texts);
    }
    out.finish()
}

fn put_document<M: Clone + PartialEq>(out: &mut Writer<M>, document: &Value<M>, texts: &Texts<'_, M>) {
    match &document.kind {
        Kind::Map(map) if !map.is_empty() => put_map(out, map, 0, false, texts),
        Kind::Seq(seq) if !seq.items.is_empty() && !seq.flow => put_block(out, &seq.items, 0, texts),
        _ => {
            put_inline(out, document);
            out.newline();
        }
    }
}

/// Comment lines at `indent`; an empty line of text becomes a bare `#`.
pub(crate) fn comment<M: Clone + PartialEq>(out: &mut Writer<M>, indent: usize, text: &str, mark: &M) {
    for line in text.lines() {
        out.raw(&" ".repeat(indent));
        out.line(format!("# {line}").trim_end(), mark);
    }
}

/// `inline_first`: the first key stands behind a `- ` that is already written.
fn put_map<M: Clone + PartialEq>(
    out: &mut Writer<M>,
    map: &Map<M>,
    indent: usize,
    inline_first: bool,
    texts: &Texts<'_, M>,
) {
    for (at, entry) in map.iter().enumerate() {
        let behind_dash = inline_first && at == 0;
        if !behind_dash {
            if entry.gap {
                out.newline();
            }
            if let Some(text) = &entry.comment {
                comment(out, indent, text, &entry.key_mark);
            }
            out.raw(&" ".repeat(indent));
        }
        put_entry(out, entry, indent, texts);
    }
}

fn put_entry<M: Clone + PartialEq>(out: &mut Writer<M>, entry: &Entry<M>, indent: usize, texts: &Texts<'_, M>) {
    out.push(&scalar(&entry.key), &entry.key_mark);
    out.raw(":");
    match &entry.value.kind {
        Kind::Null => {
            out.note(&entry.value.mark);
            out.newline();
        }
        Kind::Map(map) if !map.is_empty() => {
            out.note(&entry.value.mark);
            out.newline();
            put_map(out, map, indent + 2, false, texts);
        }
        Kind::Seq(seq) if !(seq.items.is_empty() || seq.flow && fits(&seq.items)) => {
            out.note(&entry.value.mark);
            out.newline();
            put_block(out, &seq.items, indent + 2, texts);
        }
        Kind::String(text) if is_block_text(text) => {
            out.raw(" ");
            out.push(if text.ends_with('\n') { "|" } else { "|-" }, &entry.value.mark);
            out.newline();
            if let Some(written) = texts.get(text.as_str()) {
                out.embed(written, &" ".repeat(indent + 2));
                return;
            }
            for line in text.lines() {
                if !line.is_empty() {
                    out.raw(&" ".repeat(indent + 2));
                }
                out.line(line, &entry.value.mark);
            }
        }
        _ => {
            out.raw(" ");
            put_inline(out, &entry.value);
            out.newline();
        }
    }
}

fn put_block<M: Clone + PartialEq>(out: &mut Writer<M>, items: &[Value<M>], indent: usize, texts: &Texts<'_, M>) {
    for item in items {
        out.raw(&" ".repeat(indent));
        out.push("-", &item.mark);
        out.raw(" ");
        match &item.kind {
            Kind::Map(map) if !map.is_empty() => put_map(out, map, indent + 2, true, texts),
            _ => {
                put_inline(out, item);
                out.newline();
            }
        }
    }
}

fn put_inline<M: Clone + PartialEq>(out: &mut Writer<M>, value: &Value<M>) {
    match &value.kind {
        Kind::Null => out.push("null", &value.mark),
        Kind::Bool(it) => out.push(if *it { "true" } else { "false" }, &value.mark),
        Kind::Int(it) => out.push(&it.to_string(), &value.mark),
        Kind::Float(it) => out.push(&float(*it), &value.mark),
        Kind::String(it) => out.push(&scalar(it), &value.mark),
        Kind::Seq(seq) => {
            out.push("[", &value.mark);
            for (at, item) in seq.items.iter().enumerate() {
                out.raw(if at > 0 { ", " } else { "" });
                put_flow(out, item);
            }
            out.push("]", &value.mark);
        }
        Kind::Map(map) => {
            out.push("{", &value.mark);
            for (at, entry) in map.iter().enumerate() {
                out.raw(if at > 0 { ", " } else { "" });
                out.push(&flow_scalar(&entry.key), &entry.key_mark);
                out.raw(": ");
                put_flow(out, &entry.value);
            }
            out.push("}", &value.mark);
        }
    }
}

/// Inside brackets, brackets and commas need quotes too.
fn put_flow<M: Clone + PartialEq>(out: &mut Writer<M>, value: &Value<M>) {
    match &value.kind {
        Kind::String(it) => out.push(&flow_scalar(it), &value.mark),
        _ => put_inline(out, value),
    }
}

pub(crate) fn flow_scalar(text: &str) -> String {
    if text.contains([',', '[', ']', '{', '}']) { quoted(text) } else { scalar(text) }
}

fn fits<M>(items: &[Value<M>]) -> bool {
    const LONGEST_LINE: usize = 88;
    let mut length = 0;
    for item in items {
        length += 2 + match &item.kind {
            Kind::String(text) => text.len(),
            Kind::Seq(seq) if seq.items.is_empty() => 2,
            Kind::Map(_) | Kind::Seq(_) => return false,
            _ => 5,
        };
    }
    length <= LONGEST_LINE
}

/// Text of several lines that reads best as a block: nothing that a block cannot hold exactly.
pub(crate) fn is_block_text(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n', '\t'])
        && text.lines().all(|line| !line.ends_with([' ', '\t']))
        && text
            .chars()
            .all(|c| c == '\n' || (!c.is_control() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')))
}

pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        ".nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() }
    } else {
        let text = number.to_string();
        // Without a point, readers would take it for a whole number.
        if text.contains('.') { text } else { text + ".0" }
    }
}

/// A string as a plain scalar if every YAML 1.1 and 1.2 reader takes it for that string; else in the
/// quotes that need the fewest escapes.
pub(crate) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let escapes = text.contains(['"', '\\']);
    let printable = text.chars().all(|c| (' '..='~').contains(&c));
    if escapes && printable && !text.contains('\'') { format!("'{text}'") } else { quote(text) }
}

fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    // At the start of a line `...` ends the document.
    if text.trim() != text || text.starts_with("...") || looks_like_another_type(text) {
        return false;
    }
    let starts_plainly = first.is_alphanumeric() || matches!(first, '_' | '/' | '.' | '$' | '(' | '^' | '+');
    let mut letters = text.trim_start_matches('-').chars();
    let starts_like_option =
        text.starts_with('-') && !text.starts_with("---") && letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    if !(starts_plainly || starts_like_option) {
        return false;
    }
    let awkward =
        |c: char| c.is_control() || matches!(c, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}' | '"' | '\'' | '`');
    let ends_a_value = text.contains(": ") || text.ends_with(':') || text.contains(" #");
    // `${env:X}` is fine outside brackets; other braces confuse readers, and people.
    let braces = text.contains('{') && !text.starts_with("${");
    !(text.chars().any(awkward) || ends_a_value || braces)
}

/// Would some YAML reader take the plain text for a number, a truth value, null, a date, a merge key
/// or a base-60 number?
fn looks_like_another_type(text: &str) -> bool {
    const WORDS: [&str; 13] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "~", "<<", "="];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) || matches!(lower.trim_start_matches(['+', '-']), ".inf" | ".nan") {
        return true;
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let number = unsigned.replace('_', "").parse::<f64>().is_ok();
    let based = ["0x", "0o", "0b"].iter().any(|prefix| lower.trim_start_matches(['+', '-']).starts_with(prefix));
    let sixties = unsigned.contains(':')
        && unsigned.replace('.', "").split(':').all(digits)
        && unsigned.split(':').next().is_some_and(digits);
    let mut date = unsigned.splitn(3, '-');
    let date = date.next().is_some_and(|year| year.len() == 4 && digits(year))
        && date.next().is_some_and(digits)
        && date.next().is_some_and(|day| day.starts_with(|c: char| c.is_ascii_digit()));
    number || based || sixties || date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_where_safe_and_quoted_where_not() {
        for plain in [
            "otlp",
            "0.0.0.0:4317",
            "0.158.0",
            "${env:X}",
            "/etc/x",
            "5s",
            "80%",
            "http://loki:3100/otlp",
            "--config=/a",
            "2GiB",
        ] {
            assert_eq!(scalar(plain), plain);
        }
        for quoted in [
            "...",
            "... a",
            "",
            " a",
            "yes",
            "No",
            "on",
            "y",
            "~",
            "<<",
            "=",
            "1_000",
            "12:30:45",
            "2024-01-01",
            "0x1F",
            "1e3",
            "4317:4317",
            "a: b",
            "a #b",
            "- a",
            "-",
            "---",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "a:",
            "[a]",
            "{a}",
            "#a",
            "\"a",
            "3.8",
        ] {
            assert!(scalar(quoted).starts_with(['"', '\'']), "{quoted} must be quoted");
        }
    }
}
