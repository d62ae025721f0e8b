//! JSON, indented by two, in the order of the tree.

use std::fmt::Write as _;

use crate::{
    Writer, Written,
    tree::{Kind, Value},
};

/// Writes a value. Comments and gaps of the tree are left out: JSON has none.
pub fn write<M: Clone + PartialEq>(value: &Value<M>) -> Written<M> {
    let mut out = Writer::default();
    put(&mut out, value, 0);
    out.newline();
    out.finish()
}

fn put<M: Clone + PartialEq>(out: &mut Writer<M>, value: &Value<M>, depth: usize) {
    match &value.kind {
        Kind::Null => out.push("null", &value.mark),
        Kind::Bool(it) => out.push(if *it { "true" } else { "false" }, &value.mark),
        Kind::Int(it) => out.push(&it.to_string(), &value.mark),
        Kind::Float(it) => out.push(&it.to_string(), &value.mark),
        Kind::String(it) => out.push(&quote(it), &value.mark),
        Kind::Seq(seq) if seq.items.is_empty() => out.push("[]", &value.mark),
        Kind::Seq(seq) => {
            out.push("[", &value.mark);
            for (at, item) in seq.items.iter().enumerate() {
                if seq.flow {
                    out.raw(if at > 0 { ", " } else { "" });
                } else {
                    next_line(out, at, depth + 1);
                }
                put(out, item, depth + 1);
            }
            if !seq.flow {
                close_line(out, depth);
            }
            out.push("]", &value.mark);
        }
        Kind::Map(map) if map.is_empty() => out.push("{}", &value.mark),
        Kind::Map(map) => {
            out.push("{", &value.mark);
            for (at, entry) in map.iter().enumerate() {
                next_line(out, at, depth + 1);
                out.push(&quote(&entry.key), &entry.key_mark);
                out.raw(": ");
                put(out, &entry.value, depth + 1);
            }
            close_line(out, depth);
            out.push("}", &value.mark);
        }
    }
}

fn next_line<M: Clone + PartialEq>(out: &mut Writer<M>, at: usize, depth: usize) {
    out.raw(if at > 0 { "," } else { "" });
    close_line(out, depth);
}

fn close_line<M: Clone + PartialEq>(out: &mut Writer<M>, depth: usize) {
    out.newline();
    out.raw(&"  ".repeat(depth));
}

/// A JSON string with its quotes; also a valid YAML double-quoted scalar.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Line breaks to YAML 1.1 readers, and what terminals may act on.
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
