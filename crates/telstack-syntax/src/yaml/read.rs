//! A span-exact YAML reader: events of the parser into one tree, with duplicates kept for rules to see.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use telstack_diagnostics::{FileId, Span};

use crate::tree::{Entry, Kind, Map, Seq, Value};

/// Why a text is not YAML, or not YAML that is read here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// What is wrong.
    pub message: String,
    /// Where the reader noticed.
    pub span: Span,
}

/// Deepest nesting that is read.
const DEEPEST: usize = 256;
/// Most values that are read, with what anchors keep and aliases repeat: no file may fill the memory, and a large
/// one of a collector has some thousand.
const MOST_VALUES: usize = 1_000_000;
/// So many bytes of text count as a value of their own.
const LONG: usize = 64;

/// What hangs on a value that was read.
pub(crate) trait Mark: Clone {
    /// Are local tags (`!env`) kept? Else a tagged scalar is a text.
    const TAGS: bool;
    /// Is the text read as Go's reader does, where that is not YAML 1.2?
    const LIKE_GO: bool;
    /// The mark of a value at a place, with its local tag.
    fn new(span: Span, tag: Option<String>) -> Self;
    /// The place.
    fn span(&self) -> Span;
    /// The same at another place: where an alias stands.
    fn moved(&self, span: Span) -> Self;
}

impl Mark for Span {
    const TAGS: bool = false;
    const LIKE_GO: bool = true;

    fn new(span: Span, _: Option<String>) -> Self {
        span
    }

    fn span(&self) -> Span {
        *self
    }

    fn moved(&self, span: Span) -> Self {
        span
    }
}

/// A place and a local tag, without its `!`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tagged {
    pub span: Span,
    pub tag: Option<String>,
}

impl Mark for Tagged {
    const TAGS: bool = true;
    const LIKE_GO: bool = false;

    fn new(span: Span, tag: Option<String>) -> Self {
        Self { span, tag }
    }

    fn span(&self) -> Span {
        self.span
    }

    fn moved(&self, span: Span) -> Self {
        Self { span, tag: self.tag.clone() }
    }
}

/// Documents, and where comments stand.
pub(crate) struct Read<M> {
    pub documents: Vec<Value<M>>,
    pub comments: Vec<Span>,
}

/// Reads every document of `text`. Scalars get their YAML 1.2 core type; aliases are expanded within
/// bounds; merge keys stay keys, for the caller to apply where the tool does.
pub fn read(file: FileId, text: &str) -> Result<Vec<Value<Span>>, ReadError> {
    read_marked(file, text).map(|it| it.documents)
}

/// The same with marks of one's own, and the comments.
pub(crate) fn read_marked<M: Mark>(file: FileId, text: &str) -> Result<Read<M>, ReadError> {
    let mut builder = Builder {
        text,
        documents: Vec::new(),
        comments: Vec::new(),
        open: Vec::new(),
        anchors: HashMap::new(),
        values: 0,
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                let span = byte_span(file, text, &span);
                builder.event(event, span)?;
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                let message = match error.info().as_str() {
                    "recursion limit exceeded" => too_deep(),
                    other => other.to_owned(),
                };
                return Err(ReadError { message, span: Span::new(file, at, at) });
            }
        }
    }
    Ok(Read { documents: builder.documents, comments: builder.comments })
}

fn too_deep() -> String {
    format!("it is nested more than {DEEPEST} deep")
}

fn byte_span(file: FileId, text: &str, span: &granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or(0).min(text.len());
    let end = span.end.byte_offset().unwrap_or(start).clamp(start, text.len());
    Span::new(file, start, end)
}

enum Open<M> {
    Seq { items: Vec<Value<M>>, flow: bool },
    Map { entries: Map<M>, key: Option<(String, M)>, flow: bool },
}

struct Frame<M> {
    open: Open<M>,
    start: Span,
    anchor: usize,
}

struct Builder<'t, M> {
    text: &'t str,
    documents: Vec<Value<M>>,
    comments: Vec<Span>,
    open: Vec<Frame<M>>,
    anchors: HashMap<usize, Value<M>>,
    values: usize,
}

impl<M: Mark> Builder<'_, M> {
    /// Does Go's reader make the colon behind a plain key a part of it? In `{a:, b: 1}` it does, which YAML 1.2 does not.
    fn takes_colon(&self, key: Span) -> bool {
        let in_flow = matches!(self.open.last(), Some(Frame { open: Open::Map { key: None, flow: true, .. }, .. }));
        let rest = || self.text.get(key.end as usize..).and_then(|rest| rest.strip_prefix(':'));
        M::LIKE_GO && in_flow && rest().is_some_and(|rest| rest.starts_with([',', '}']))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), ReadError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let local =
                    tag.as_ref().filter(|tag| M::TAGS && tag.handle() == "!").map(|tag| tag.suffix().to_owned());
                let plain = style == ScalarStyle::Plain;
                let kind = match tag.as_ref().map(|tag| tag.core_suffix()) {
                    None if plain && self.takes_colon(span) => Kind::String(format!("{text}:")),
                    None if plain => Kind::plain(&text),
                    Some(_) if plain && local.is_some() => Kind::plain(&text),
                    Some(Some(core)) => tagged(core, &text, span)?,
                    _ => Kind::String(text.into_owned()),
                };
                self.value(Value { kind, mark: M::new(span, local) }, anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == granit_parser::StructureStyle::Flow;
                self.push(Open::Seq { items: Vec::new(), flow }, span, anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == granit_parser::StructureStyle::Flow;
                self.push(Open::Map { entries: Map::default(), key: None, flow }, span, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.pop(span),
            Event::Alias(id) => {
                let mut value = self
                    .anchors
                    .get(&id)
                    .cloned()
                    .ok_or_else(|| ReadError { message: "an alias inside the value that it names".to_owned(), span })?;
                value.mark = value.mark.moved(span);
                self.count(&value, span)?;
                self.value(value, 0)
            }
            Event::Comment(..) => {
                self.comments.push(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Counts what a copy of a value takes.
    fn count(&mut self, value: &Value<M>, span: Span) -> Result<(), ReadError> {
        fn size<M>(value: &Value<M>) -> usize {
            match &value.kind {
                Kind::Seq(seq) => 1 + seq.items.iter().map(size).sum::<usize>(),
                Kind::Map(map) => {
                    1 + map.iter().map(|entry| entry.key.len() / LONG + size(&entry.value)).sum::<usize>()
                }
                Kind::String(text) => 1 + text.len() / LONG,
                _ => 1,
            }
        }
        self.add(size(value), span)
    }

    fn add(&mut self, values: usize, span: Span) -> Result<(), ReadError> {
        self.values += values;
        if self.values > MOST_VALUES {
            let counted = if self.anchors.is_empty() { "" } else { "with what its aliases repeat, " };
            let message = format!("{counted}the file holds more than {MOST_VALUES} values");
            return Err(ReadError { message, span });
        }
        Ok(())
    }

    fn push(&mut self, open: Open<M>, start: Span, anchor: usize) -> Result<(), ReadError> {
        if self.open.len() >= DEEPEST {
            return Err(ReadError { message: too_deep(), span: start });
        }
        self.open.push(Frame { open, start, anchor });
        Ok(())
    }

    fn pop(&mut self, end: Span) -> Result<(), ReadError> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        // A block collection has no closing mark: it ends with its last value, not at the next token.
        let last = match &frame.open {
            Open::Seq { items, flow } if !flow => items.last().map(|item| item.mark.span()),
            Open::Map { entries, flow, .. } if !flow => {
                entries.iter().last().map(|entry| entry.key_mark.span().to(entry.value.mark.span()))
            }
            Open::Seq { .. } | Open::Map { .. } => None,
        };
        let mark = frame.start.to(last.unwrap_or(end));
        let kind = match frame.open {
            Open::Seq { items, flow } => Kind::Seq(Seq { items, flow }),
            Open::Map { entries, .. } => Kind::Map(entries),
        };
        self.value(Value { kind, mark: M::new(mark, None) }, frame.anchor)
    }

    fn value(&mut self, value: Value<M>, anchor: usize) -> Result<(), ReadError> {
        self.add(1, value.mark.span())?;
        if anchor > 0 {
            self.count(&value, value.mark.span())?;
            self.anchors.insert(anchor, value.clone());
        }
        let Some(frame) = self.open.last_mut() else {
            self.documents.push(value);
            return Ok(());
        };
        match &mut frame.open {
            Open::Seq { items, .. } => items.push(value),
            Open::Map { entries, key, .. } => match key.take() {
                Some((name, key_mark)) => {
                    entries.push(Entry { key: name, key_mark, value, comment: None, gap: false });
                }
                None => match key_text(&value.kind) {
                    Some(name) => *key = Some((name.into_owned(), value.mark)),
                    None => {
                        return Err(ReadError {
                            message: format!("a map key is {}, not a scalar", value.describe()),
                            span: value.mark.span(),
                        });
                    }
                },
            },
        }
        Ok(())
    }
}

/// What a tag of YAML's own makes of a scalar, in quotes or out of them.
fn tagged<M>(tag: &str, text: &str, span: Span) -> Result<Kind<M>, ReadError> {
    let kind = match (tag, Kind::plain(text)) {
        ("str", _) => return Ok(Kind::String(text.to_owned())),
        #[allow(clippy::cast_precision_loss)]
        ("float", Kind::Int(number)) => Kind::Float(number as f64),
        ("int", kind @ Kind::Int(_))
        | ("float", kind @ Kind::Float(_))
        | ("bool", kind @ Kind::Bool(_))
        | ("null", kind @ Kind::Null) => kind,
        _ => return Err(ReadError { message: format!("`{text}` cannot be a value of the type `!!{tag}`"), span }),
    };
    Ok(kind)
}

fn key_text<M>(kind: &Kind<M>) -> Option<Cow<'_, str>> {
    Some(match kind {
        Kind::String(text) => Cow::Borrowed(text),
        Kind::Null => Cow::Borrowed("null"),
        Kind::Bool(it) => Cow::Owned(it.to_string()),
        Kind::Int(it) => Cow::Owned(it.to_string()),
        Kind::Float(it) => Cow::Owned(it.to_string()),
        Kind::Seq(_) | Kind::Map(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;
    use crate::yaml::write;

    fn parse(text: &str) -> Value<Span> {
        let mut sources = SourceMap::default();
        let file = sources.add("t", text);
        read(file, text).expect("valid").remove(0)
    }

    #[test]
    fn spans_are_bytes() {
        let text = "é: 1\nkey: [ä, b]\n";
        let value = parse(text);
        let seq = value.at("key").expect("key").as_seq().expect("list");
        assert_eq!(&text[seq[0].mark.range()], "ä");
        assert_eq!(&text[seq[1].mark.range()], "b");
    }

    #[test]
    fn what_stands_in_braces_ends_with_them() {
        let slice = |text: &str| text[parse(text).at("k").expect("a key").mark.range()].to_owned();
        assert_eq!(slice("k: {a: 1, b: {c: 2}}  # x\n"), "{a: 1, b: {c: 2}}");
        assert_eq!(slice("k: [a, {b: 1} ]\n"), "[a, {b: 1} ]");
        assert_eq!(slice("k: {\n  a: 1,\n  }\nl: 1\n"), "{\n  a: 1,\n  }");
        assert_eq!(slice("k:\n  a: {b: 1}\n\nl: 1\n"), "a: {b: 1}");
    }

    #[test]
    fn numbers_as_go_reads_them() {
        for (text, wanted) in
            [("0b11", Some(3)), ("1_000", Some(1000)), ("0x1F", Some(31)), ("_1", None), ("1 0", None)]
        {
            assert_eq!(parse(&format!("a: {text}\n")).at("a").and_then(Value::as_int), wanted, "{text}");
        }
    }

    #[test]
    fn tags_of_yaml_itself() {
        let kind = |text: &str| parse(&format!("a: {text}\n")).at("a").map(|it| it.kind.clone());
        for (text, wanted) in [
            ("!!int \"5\"", Kind::Int(5)),
            ("!!float 5", Kind::Float(5.0)),
            ("!!bool 'true'", Kind::Bool(true)),
            ("!!null ~", Kind::Null),
            ("!!str 5", Kind::String("5".to_owned())),
            ("!own 5", Kind::String("5".to_owned())),
        ] {
            assert_eq!(kind(text), Some(wanted), "{text}");
        }
        let mut sources = SourceMap::default();
        let file = sources.add("t", "");
        for text in ["!!int x", "!!int 1.5", "!!int \"\"", "!!bool yes", "!!null x"] {
            assert!(read(file, &format!("a: {text}\n")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_colon_at_a_comma_belongs_to_the_key() {
        let keys = |text: &str| -> Vec<String> {
            parse(text).as_map().expect("a map").iter().map(|entry| entry.key.clone()).collect()
        };
        assert_eq!(keys("{a:, b: 1, c:}\n"), ["a:", "b", "c:"]);
        assert_eq!(keys("{a: , b: 1, c: }\n"), ["a", "b", "c"]);
        assert_eq!(keys("{'a':, \"b\":}\n"), ["a", "b"]);
        assert_eq!(keys("a:\nb:\n"), ["a", "b"]);
    }

    #[test]
    fn duplicate_keys_are_kept() {
        assert_eq!(parse("a: 1\na: 2\n").as_map().expect("map").len(), 2);
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        let mut last = 'a';
        for name in 'b'..='j' {
            text += &format!("{name}: &{name} [{}]\n", vec![format!("*{last}"); 10].join(", "));
            last = name;
        }
        let mut sources = SourceMap::default();
        let file = sources.add("t", text.as_str());
        assert!(read(file, &text).expect_err("too much").message.contains("aliases"));
    }

    fn strip(value: &Value<Span>) -> Value<()> {
        value.map_marks(&mut |_| ())
    }

    proptest::proptest! {
        #[test]
        fn any_string_is_read_back(text in proptest::prelude::any::<String>(), key in "[ -~]{1,12}") {
            let mut map = Map::default();
            map.push(Entry::new(key, Value::string(text.clone(), ())));
            map.push(Entry::new("list", Value::flow(vec![Value::string(text.clone(), ()), Value::int(1, ())], ())));
            map.push(Entry::new("block", Value::block(vec![Value::string(text, ())], ())));
            let document = Value { kind: Kind::Map(map), mark: () };
            let written = write("head", &(), &document);
            let mut back = strip(&parse(&written.text));
            // Layout is not meaning: compare with one layout.
            let relax = |value: &mut Value<()>| if let Kind::Map(map) = &mut value.kind {
                for entry in map.iter_mut() {
                    if let Kind::Seq(seq) = &mut entry.value.kind { seq.flow = false; }
                }
            };
            let mut wanted = document.clone();
            relax(&mut back);
            relax(&mut wanted);
            proptest::prop_assert_eq!(back, wanted, "{}", written.text);
        }
    }
}
