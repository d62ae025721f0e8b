//! A setting is written into whatever YAML there is, and everything else is read as before.

use proptest::prelude::*;
use telstack_diagnostics::{Diagnostic, Diagnostics, Fix, SourceMap, apply};
use telstack_syntax::{
    tree::{self, Entry, Kind, Map, Seq},
    yaml,
};
use telstack_system::{Origin, Value};

/// Without marks.
type Plain = tree::Value<()>;

/// A value, and how it is written.
#[derive(Clone, Debug)]
enum Written {
    Scalar(usize),
    Map { entries: Vec<Written>, how: How },
    List { items: Vec<Written>, how: How },
}

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way to write a map of its own")]
struct How {
    flow: bool,
    /// In braces on several lines.
    lines: bool,
    remark: bool,
    comma: bool,
    anchor: bool,
    blank: bool,
}

/// Scalars as they stand in lines; those behind are for there alone.
const SCALARS: [&str; 10] = [
    "1",
    "a b",
    "'x: {y}'",
    "\"#}\"",
    "",
    "~",
    "${env:X}",
    "|\n@  text {\n@\n@  more",
    ">+\n@  kept\n@",
    "one\n@  two",
];
const IN_BRACES: usize = 6;

fn how() -> impl Strategy<Value = How> {
    any::<[bool; 6]>().prop_map(|[flow, lines, remark, comma, anchor, blank]| How {
        flow,
        lines,
        remark,
        comma,
        anchor,
        blank,
    })
}

fn written() -> impl Strategy<Value = Written> {
    let leaf = (0..SCALARS.len()).prop_map(Written::Scalar);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => (prop::collection::vec(inner.clone(), 0..4), how()).prop_map(|(entries, how)| Written::Map { entries, how }),
            1 => (prop::collection::vec(inner, 0..3), how()).prop_map(|(items, how)| Written::List { items, how }),
        ]
    })
}

fn in_braces(value: &Written, indent: usize, out: &mut String) {
    let (open, close, inner, how) = match value {
        Written::Scalar(at) => return out.push_str(SCALARS[at % IN_BRACES]),
        Written::Map { entries, how } => ("{", "}", entries, how),
        Written::List { items, how } => ("[", "]", items, how),
    };
    out.push_str(open);
    let pad = " ".repeat(indent + 2);
    for (at, it) in inner.iter().enumerate() {
        if how.lines {
            out.push_str(&format!("\n{pad}"));
        }
        if open == "{" {
            out.push_str(&format!("k{at}: "));
            in_braces(it, indent + 2, out);
        } else if matches!(it, Written::Scalar(4)) {
            // Nothing between commas is no item.
            out.push('~');
        } else {
            in_braces(it, indent + 2, out);
        }
        let last = at + 1 == inner.len();
        if how.lines && how.remark && last {
            out.push_str(" # {");
            out.push_str(&format!("\n{pad}"));
        }
        if !last || how.comma {
            out.push_str(if how.blank { " , " } else { "," });
        }
        if how.lines && how.remark && !last {
            out.push_str(" # , }");
        }
    }
    if how.lines {
        out.push_str(&format!("\n{pad}"));
    }
    out.push_str(close);
}

/// Behind a key or a dash, with the end of the line.
fn in_lines(value: &Written, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    let (inner, how, map) = match value {
        Written::Scalar(at) => {
            out.push_str(&format!(" {}\n", SCALARS[*at].replace('@', &pad)));
            return;
        }
        Written::Map { entries, how } => (entries, how, true),
        Written::List { items, how } => (items, how, false),
    };
    if how.anchor {
        out.push_str(&format!(" &a{}", out.len()));
    }
    if how.flow || inner.is_empty() {
        out.push(' ');
        in_braces(value, indent, out);
        out.push_str(if how.remark { " # , }\n" } else { "\n" });
        return;
    }
    out.push_str(if how.remark { " # x\n" } else { "\n" });
    for (at, it) in inner.iter().enumerate() {
        out.push_str(&pad);
        out.push_str(&if map { format!("k{at}:") } else { "-".to_owned() });
        in_lines(it, indent + 2, out);
        if how.blank {
            out.push_str(if how.remark { "\n# y\n" } else { "\n" });
        }
    }
}

/// The keys to each map, and to what holds nothing, by indices where lists are.
fn places(value: &Value, path: &[usize], out: &mut Vec<Vec<usize>>) {
    match &value.kind {
        Kind::Map(map) => {
            out.push(path.to_vec());
            for (at, entry) in map.iter().enumerate() {
                places(&entry.value, &[path, &[at]].concat(), out);
            }
        }
        Kind::Seq(seq) => {
            // An item that holds nothing has no key.
            for (at, item) in seq.items.iter().enumerate().filter(|(_, it)| !matches!(it.kind, Kind::Null)) {
                places(item, &[path, &[at]].concat(), out);
            }
        }
        Kind::Null => out.push(path.to_vec()),
        _ => {}
    }
}

fn found<'a>(root: &'a Value, path: &[usize]) -> (&'a Origin, &'a Value) {
    let (mut key, mut here) = (&root.mark, root);
    for at in path {
        (key, here) = match &here.kind {
            Kind::Map(map) => map.iter().nth(*at).map(|it| (&it.key_mark, &it.value)).expect("an entry"),
            Kind::Seq(seq) => (&seq.items[*at].mark, &seq.items[*at]),
            _ => panic!("nothing below"),
        };
    }
    (key, here)
}

/// The tree with one more entry, without marks and layout.
fn with_entry(value: &Value, path: &[usize], entry: &Plain) -> Plain {
    let below = |at: usize| path.first().filter(|it| **it == at).map(|_| &path[1..]);
    let next = |at: usize, it: &Value| match below(at) {
        Some(rest) => with_entry(it, rest, entry),
        None => plain(it),
    };
    let kind = match &value.kind {
        Kind::Map(map) => {
            let mut new = Map::default();
            for (at, it) in map.iter().enumerate() {
                new.push(Entry::new(it.key.clone(), next(at, &it.value)));
            }
            if path.is_empty() {
                new.push(Entry::new("new", entry.clone()));
            }
            Kind::Map(new)
        }
        Kind::Null if path.is_empty() => {
            let mut new = Map::default();
            new.push(Entry::new("new", entry.clone()));
            Kind::Map(new)
        }
        Kind::Seq(seq) => {
            let items = seq.items.iter().enumerate().map(|(at, it)| next(at, it)).collect();
            Kind::Seq(Seq { items, flow: false })
        }
        _ => return value.map_marks(&mut |_| ()),
    };
    Plain { kind, mark: () }
}

fn plain(value: &Value) -> Plain {
    with_entry(value, &[usize::MAX], &Plain { kind: Kind::Null, mark: () })
}

fn read(text: &str) -> (SourceMap, Option<Value>) {
    let mut sources = SourceMap::default();
    let file = sources.add("a.yaml", text);
    let value = yaml::read(file, text).ok().and_then(|all| all.into_iter().next());
    (sources, value.map(|it| it.map_marks(&mut |span| Origin::written(*span))))
}

/// The text with a fix done, if it can be.
fn done(sources: &SourceMap, text: &str, changes: Option<Vec<telstack_diagnostics::Change>>) -> Option<String> {
    let mut all = Diagnostics::default();
    all.push(Diagnostic::new(crate::RULES[0], "x").fix(Fix::safe("x", changes?)));
    let sorted = all.sorted(sources);
    let fix = sorted[0].fix.as_ref()?;
    Some(apply(text, &fix.edits.iter().collect::<Vec<_>>()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_setting_comes_into_any_map(
        top in prop::collection::vec(written(), 1..4), how in how(), windows: bool, which: prop::sample::Index
    ) {
        let mut text = String::from("top:");
        in_lines(&Written::Map { entries: top, how: How { flow: false, ..how } }, 2, &mut text);
        text.push_str("end: 1\n");
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let (sources, value) = read(&text);
        let value = value.expect("what is written here can be read");
        let mut all = Vec::new();
        places(&value, &[], &mut all);
        let path = which.get(&all);
        let (key, here) = found(&value, path);
        if let Some(after) = done(&sources, &text, super::set(key, here, "new.deep", "60s")) {
            let (_, again) = read(&after);
            let again = again.unwrap_or_else(|| panic!("cannot be read:\n{after}"));
            let mut deep = Map::default();
            deep.push(Entry::new("deep", Plain::string("60s", ())));
            let wanted = with_entry(&value, path, &Plain { kind: Kind::Map(deep), mark: () });
            prop_assert_eq!(plain(&again), wanted, "\n{}\n--\n{}", text, after);
            let remarks = |text: &str| text.matches('#').count();
            prop_assert_eq!(remarks(&text), remarks(&after));
        } else {
            // Only where the layout does not allow it.
            let odd = ["~", ">+"].iter().any(|it| text.contains(it));
            prop_assert!(odd, "nothing is done:\n{}", text);
        }
    }
}
