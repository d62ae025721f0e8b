//! The stack tree as KDL.

use std::fmt::Write as _;

use super::chars::{is_banned, is_bare, is_newline};
use crate::{
    stack::{Atom, Document, Node, Note, Notes, Scalar},
    yaml::{float, is_block_text},
};

/// A block with more lines is not written on one.
const MOST_INLINE: usize = 3;
/// A line with such a block is no longer than this, in characters.
const WIDEST: usize = 100;
const STEP: usize = 4;

/// Writes a stack as KDL, with its comments.
pub fn write_kdl(document: &Document, around: &Notes) -> String {
    let mut out = String::new();
    lines(&mut out, &document.nodes, around, 0);
    for line in &around.end {
        out += &comment(line);
        out.push('\n');
    }
    out
}

fn lines(out: &mut String, nodes: &[Node], around: &Notes, level: usize) {
    let indent = " ".repeat(level * STEP);
    for (at, node) in nodes.iter().enumerate() {
        let note = around.of(node);
        if note.gap && at > 0 {
            out.push('\n');
        }
        for line in &note.above {
            match line {
                Some(line) => *out += &format!("{indent}{}\n", comment(line)),
                None => out.push('\n'),
            }
        }
        let behind = note.behind.iter().map(|line| format!(" {}", comment(line))).collect::<Vec<_>>().join(" ");
        *out += &indent;
        *out += &head(node, around, level);
        let Some(children) = node.children.as_deref().filter(|_| !is_flat_item(node, around)) else {
            *out += &format!("{behind}\n");
            continue;
        };
        let inline = format!("{}{} {}", indent, head(node, around, level), inline_block(children, level));
        if children.is_empty() || (is_short(children, around) && inline.chars().count() <= WIDEST) {
            *out += &format!(" {}{behind}\n", inline_block(children, level));
            continue;
        }
        *out += &format!(" {{{behind}\n");
        lines(out, children, around, level + 1);
        let _ = writeln!(out, "{indent}}}");
    }
}

fn is_short(children: &[Node], around: &Notes) -> bool {
    let plain = |node: &Node| {
        let several = node.args.iter().any(|atom| atom.as_str().is_some_and(|text| text.contains('\n')));
        node.children.is_none() && !several && around.of(node) == Note::default()
    };
    children.len() <= MOST_INLINE && children.iter().all(plain)
}

fn inline_block(children: &[Node], level: usize) -> String {
    if children.is_empty() {
        return "{}".to_owned();
    }
    let lines: Vec<String> = children.iter().map(|node| head(node, &Notes::default(), level)).collect();
    format!("{{ {} }}", lines.join("; "))
}

/// A list item whose block is nothing but keys with one value each reads best as properties.
fn is_flat_item(node: &Node, around: &Notes) -> bool {
    let flat = |it: &Node| {
        it.args.len() == 1 && it.props.is_empty() && it.children.is_none() && around.of(it) == Note::default()
    };
    let children = node.children();
    let once = |it: &Node| children.iter().filter(|other| other.name.value == it.name.value).count() == 1;
    node.name.value == "-"
        && node.args.is_empty()
        && node.props.is_empty()
        && !children.is_empty()
        && children.iter().all(|it| flat(it) && once(it) && it.name.value != "-")
}

/// A line without its block.
fn head(node: &Node, around: &Notes, level: usize) -> String {
    let mut out = word(&node.name.value);
    for value in &node.args {
        out += &format!(" {}", atom(value, level));
    }
    for prop in &node.props {
        out += &format!(" {}={}", word(&prop.key.value), atom(&prop.value, level));
    }
    if is_flat_item(node, around) {
        for child in node.children() {
            for value in &child.args {
                out += &format!(" {}={}", word(&child.name.value), atom(value, level));
            }
        }
    }
    out
}

fn atom(atom: &Atom, level: usize) -> String {
    let tag = atom.tag.as_ref().map_or(String::new(), |tag| format!("({})", word(&tag.value)));
    let value = match &atom.scalar {
        Scalar::Null => "#null".to_owned(),
        Scalar::Bool(it) => format!("#{it}"),
        Scalar::Int(it) => it.to_string(),
        Scalar::Float(it) if it.is_finite() => float(*it),
        Scalar::Float(it) if it.is_nan() => "#nan".to_owned(),
        Scalar::Float(it) => if *it > 0.0 { "#inf" } else { "#-inf" }.to_owned(),
        Scalar::String(it) => text(it, level),
    };
    tag + &value
}

/// A word, without quotes where it can be.
fn word(text: &str) -> String {
    let habit = text.ends_with([':', ',']) || text.starts_with(['\'', '“', '”', '„', '‘', '’']);
    if is_bare(text) && !habit { text.to_owned() } else { quoted(text) }
}

fn text(text: &str, level: usize) -> String {
    if is_block_text(text) && !text.ends_with('\n') && !text.chars().any(is_banned) {
        let indent = " ".repeat((level + 1) * STEP);
        let mut out = "\"\"\"\n".to_owned();
        for line in text.split('\n') {
            if !line.is_empty() {
                out += &format!("{indent}{}", line.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\""));
            }
            out.push('\n');
        }
        return format!("{out}{indent}\"\"\"");
    }
    let raw = text.contains(['"', '\\'])
        && !text.contains("\"#")
        && !text.starts_with('"')
        && !text.ends_with('"')
        && !text.chars().any(|c| is_banned(c) || is_newline(c) || c.is_control());
    if raw { format!("#\"{text}\"#") } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            _ if is_banned(c) || is_newline(c) => out += &format!("\\u{{{:x}}}", u32::from(c)),
            _ => out.push(c),
        }
    }
    out + "\""
}

fn comment(line: &str) -> String {
    let plain: String = line.chars().filter(|c| !is_banned(*c) && !is_newline(*c)).collect();
    format!("// {plain}").trim_end().to_owned()
}
