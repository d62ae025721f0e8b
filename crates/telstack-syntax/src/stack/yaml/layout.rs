//! Lines of YAML: keys, dashes, indentation and comments.

use crate::{stack::Note, yaml::scalar};

/// A value as it is laid out.
pub(super) enum Yaml {
    /// Nothing behind the key.
    Null,
    /// On the line of its key.
    Inline(String),
    /// A text of several lines.
    Text(String),
    /// One key a line.
    Map(Vec<Entry>),
    /// One item a line.
    List(Vec<Entry>),
}

/// A key and its value; an item has no key.
pub(super) struct Entry {
    pub note: Note,
    pub key: String,
    pub value: Yaml,
}

/// A whole file, with the comments at its end.
pub(super) fn text(top: &Yaml, end: &[String]) -> String {
    let mut out = String::new();
    match top {
        Yaml::Map(entries) => put_map(&mut out, entries, 0, false),
        Yaml::List(items) => put_list(&mut out, items, 0),
        Yaml::Null | Yaml::Inline(_) | Yaml::Text(_) => {}
    }
    for line in end {
        out += &comment(0, line);
    }
    out
}

fn comment(indent: usize, text: &str) -> String {
    format!("{}{}\n", " ".repeat(indent), format!("# {text}").trim_end())
}

fn put_map(out: &mut String, entries: &[Entry], indent: usize, behind_dash: bool) {
    for (at, entry) in entries.iter().enumerate() {
        if !(behind_dash && at == 0) {
            put_note(out, &entry.note, indent, at > 0);
            *out += &" ".repeat(indent);
        }
        *out += &scalar(&entry.key);
        out.push(':');
        put_value(out, entry, indent);
    }
}

fn put_note(out: &mut String, note: &Note, indent: usize, gap: bool) {
    if note.gap && gap {
        out.push('\n');
    }
    for line in &note.above {
        match line {
            Some(line) => *out += &comment(indent, line),
            None => out.push('\n'),
        }
    }
}

/// The value behind a key or a dash, and the end of its line.
fn put_value(out: &mut String, entry: &Entry, indent: usize) {
    let behind = entry.note.behind.iter().fold(String::new(), |text, line| text + " # " + line);
    let behind = behind.trim_end();
    match &entry.value {
        Yaml::Null => *out += &format!("{behind}\n"),
        Yaml::Inline(text) => *out += &format!(" {text}{behind}\n"),
        Yaml::Text(text) => {
            *out += &format!(" {}{behind}\n", if text.ends_with('\n') { "|" } else { "|-" });
            for line in text.lines() {
                if !line.is_empty() {
                    *out += &" ".repeat(indent + 2);
                }
                *out += &format!("{line}\n");
            }
        }
        Yaml::Map(entries) => {
            *out += &format!("{behind}\n");
            put_map(out, entries, indent + 2, false);
        }
        Yaml::List(items) => {
            *out += &format!("{behind}\n");
            put_list(out, items, indent + 2);
        }
    }
}

fn put_list(out: &mut String, items: &[Entry], indent: usize) {
    for (at, item) in items.iter().enumerate() {
        put_note(out, &item.note, indent, at > 0);
        match &item.value {
            Yaml::Map(entries) if !entries.is_empty() => {
                put_note(out, &entries[0].note, indent, at > 0);
                *out += &" ".repeat(indent);
                if item.note.behind.is_empty() {
                    *out += "- ";
                    put_map(out, entries, indent + 2, true);
                } else {
                    *out += &format!(
                        "- {}\n",
                        item.note.behind.iter().map(|it| "# ".to_owned() + it).collect::<Vec<_>>().join(" ")
                    );
                    *out += &" ".repeat(indent + 2);
                    put_map(out, entries, indent + 2, true);
                }
            }
            Yaml::Null => {
                *out += &format!("{}- null", " ".repeat(indent));
                put_value(out, &Entry { note: item.note.clone(), key: String::new(), value: Yaml::Null }, indent);
            }
            _ => {
                *out += &format!("{}-", " ".repeat(indent));
                put_value(out, item, indent);
            }
        }
    }
}
