//! YAML to the stack tree. Every word, value and property keeps its place.

use std::collections::BTreeSet;

use telstack_diagnostics::{FileId, Span};

use super::{BETWEEN, BLOCK, REFERENCES, VALUES, Words, child, is_explicit, looks_nameless};
use crate::{
    stack::{
        Atom, Document, Node, Notes, Prop, Scalar, Spanned, SyntaxError,
        notes::{Comment, plain_lines},
    },
    tree::{Entry, Kind, Map, Value},
    yaml::{Read, Tagged, merge_keys, read_marked},
};

type Yaml = Value<Tagged>;

/// Reads a stack in YAML. `words` are those of the file.
pub fn parse_yaml(file: FileId, text: &str, words: &dyn Words) -> (Document, Vec<SyntaxError>) {
    let mut reader = Reader { errors: Vec::new() };
    let Read { mut documents, .. } = match read_marked::<Tagged>(file, text) {
        Ok(read) => read,
        Err(error) => {
            let message = format!("this is not YAML: {}", error.message);
            let error = SyntaxError { message, span: error.span, help: None, grammatical: false };
            return (Document { nodes: Vec::new(), holes: true }, vec![error]);
        }
    };
    let mut document = Document::default();
    documents.iter_mut().for_each(merge_keys);
    for (at, value) in documents.iter().enumerate() {
        if at > 0 {
            reader.fault(
                value.mark.span,
                "a stack file holds one YAML document",
                "put the second into a file of its own",
            );
            document.holes = true;
            break;
        }
        let (nodes, holes) = reader.block(value, words);
        document = Document { nodes, holes };
    }
    (document, reader.errors)
}

/// The comments of a YAML text around the lines of its tree.
pub fn yaml_notes(file: FileId, text: &str, document: &Document) -> Notes {
    let comments = read_marked::<Tagged>(file, text).map(|it| it.comments).unwrap_or_default();
    let comment = |span: Span| {
        let text = text.get(span.range()).unwrap_or_default();
        Comment { at: span.start as usize, lines: plain_lines(text.trim_start_matches('#')) }
    };
    Notes::new(text, &document.nodes, comments.into_iter().map(comment).collect())
}

struct Reader {
    errors: Vec<SyntaxError>,
}

fn node(word: &str, span: Span) -> Node {
    let name = Spanned { value: word.to_owned(), span };
    Node { name, args: Vec::new(), props: Vec::new(), children: None, span, head: span, broken: false, holes: false }
}

/// The scalar that a value is; a reference counts as one.
fn atom(value: &Yaml) -> Option<Atom> {
    let span = value.mark.span;
    let tag = value.mark.tag.clone().map(|value| Spanned { value, span });
    let scalar = match &value.kind {
        Kind::Null => Scalar::Null,
        Kind::Bool(it) => Scalar::Bool(*it),
        Kind::Int(it) => Scalar::Int(*it),
        Kind::Float(it) => Scalar::Float(*it),
        Kind::String(it) => Scalar::String(it.clone()),
        Kind::Map(map) => return reference(map, span),
        Kind::Seq(_) => return None,
    };
    Some(Atom { tag, scalar, span })
}

/// `{env: NAME}`.
fn reference(map: &Map<Tagged>, span: Span) -> Option<Atom> {
    let mut entries = map.iter();
    let (entry, None) = (entries.next()?, entries.next()) else { return None };
    let Kind::String(text) = &entry.value.kind else { return None };
    if !REFERENCES.contains(&entry.key.as_str()) || entry.value.mark.tag.is_some() {
        return None;
    }
    let tag = Some(Spanned { value: entry.key.clone(), span: entry.key_mark.span });
    Some(Atom { tag, scalar: Scalar::String(text.clone()), span })
}

impl Reader {
    fn fault(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        const MOST: usize = 100;
        if self.errors.len() < MOST {
            let (message, help) = (message.into(), Some(help.into()));
            self.errors.push(SyntaxError { message, span, help, grammatical: false });
        }
    }

    /// The entries of a map, each key once.
    fn entries<'a>(&mut self, map: &'a Map<Tagged>) -> Vec<&'a Entry<Tagged>> {
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for entry in map {
            if seen.insert(entry.key.as_str()) {
                entries.push(entry);
                continue;
            }
            let help = "keep one of them; several of a kind are a list, or stand below one key by their names";
            self.fault(entry.key_mark.span, format!("`{}` stands twice in this map", entry.key), help);
        }
        entries
    }

    /// The lines of a block, and whether some could not be read.
    fn block(&mut self, value: &Yaml, words: &dyn Words) -> (Vec<Node>, bool) {
        let errors = self.errors.len();
        let mut nodes = Vec::new();
        match &value.kind {
            Kind::Null => {}
            Kind::Map(map) => {
                for entry in self.entries(map) {
                    self.line(entry, words, &mut nodes);
                }
            }
            Kind::Seq(seq) => {
                for item in &seq.items {
                    match &item.kind {
                        Kind::Map(map) => {
                            for entry in self.entries(map) {
                                self.line(entry, words, &mut nodes);
                            }
                        }
                        _ => self.no_words(item),
                    }
                }
            }
            _ => self.no_words(value),
        }
        (nodes, self.errors.len() > errors)
    }

    fn no_words(&mut self, value: &Yaml) {
        let message = format!("here stand words with their values, not {}", value.describe());
        self.fault(value.mark.span, message, "write `word: value`");
    }

    /// The lines of an entry: several if it is a map by name, or a list.
    fn line(&mut self, entry: &Entry<Tagged>, parent: &dyn Words, nodes: &mut Vec<Node>) {
        let (word, key) = (entry.key.as_str(), entry.key_mark.span);
        let words = child(parent, word);
        let value = &entry.value;
        if words.is_named() {
            return self.named(word, key, value, words, nodes);
        }
        match &value.kind {
            Kind::Seq(seq) if words.takes_one() || !seq.items.iter().all(|item| atom(item).is_some()) => {
                for item in &seq.items {
                    nodes.push(self.one(word, key, item, words));
                }
            }
            _ => nodes.push(self.one(word, key, value, words)),
        }
    }

    fn named(&mut self, word: &str, key: Span, value: &Yaml, words: &dyn Words, nodes: &mut Vec<Node>) {
        match &value.kind {
            Kind::Map(map) if !map.iter().any(|entry| is_explicit(&entry.key)) => {
                let inner = |value: &Yaml| matches!(value.kind, Kind::Map(_) | Kind::Null | Kind::Seq(_));
                let keys = map.iter().map(|entry| (entry.key.as_str(), inner(&entry.value)));
                if words.may_be_nameless() && (map.is_empty() || looks_nameless(words, keys)) {
                    nodes.push(self.one(word, key, value, words));
                    return;
                }
                for entry in self.entries(map) {
                    let span = entry.key_mark.span;
                    let mut node = node(word, span);
                    let names: Vec<&str> =
                        if words.takes_several() { entry.key.split(BETWEEN).collect() } else { vec![&entry.key] };
                    for name in names {
                        node.args.push(Atom { tag: None, scalar: Scalar::String(name.to_owned()), span });
                    }
                    self.fill(&mut node, &entry.value, words);
                    nodes.push(node);
                }
            }
            Kind::Seq(seq) => {
                for item in &seq.items {
                    nodes.push(self.one(word, key, item, words));
                }
            }
            _ => nodes.push(self.one(word, key, value, words)),
        }
    }

    /// One line.
    fn one(&mut self, word: &str, key: Span, value: &Yaml, words: &dyn Words) -> Node {
        let mut node = node(word, key);
        match &value.kind {
            Kind::Null if value.mark.tag.is_none() => {}
            Kind::Seq(seq) => {
                for item in &seq.items {
                    self.value(&mut node, item);
                }
                node.head = node.head.to(value.mark.span);
            }
            // Settings may have any key: none of them is a reference.
            Kind::Map(_) if words.has_settings() => self.fill(&mut node, value, words),
            _ => match atom(value) {
                Some(atom) => {
                    node.head = node.head.to(atom.span);
                    node.args.push(atom);
                }
                None => self.fill(&mut node, value, words),
            },
        }
        node.span = node.span.to(value.mark.span);
        node
    }

    fn value(&mut self, node: &mut Node, item: &Yaml) {
        if let Some(atom) = atom(item) {
            node.args.push(atom);
            return;
        }
        node.broken = true;
        let message = format!("a value of `{}` is {}", node.name.value, item.describe());
        self.fault(item.mark.span, message, "write a text or a number");
    }

    /// Properties and block of a line.
    fn fill(&mut self, node: &mut Node, value: &Yaml, words: &dyn Words) {
        node.span = node.span.to(value.mark.span);
        let map = match &value.kind {
            Kind::Null => return,
            Kind::Map(map) => map,
            Kind::Seq(_) => return self.children(node, value, words),
            _ => {
                node.broken = true;
                let message = format!("the block of `{}` is {}", node.name.value, value.describe());
                return self.fault(value.mark.span, message, "write its words with their values below it");
            }
        };
        if map.is_empty() {
            node.children = Some(Vec::new());
        }
        // Settings may have any name: such a line is spelt out only if its values come first.
        let settings = words.has_settings();
        let values_first = map.iter().next().is_some_and(|entry| entry.key == VALUES);
        let explicit = !settings || (values_first && node.args.is_empty());
        for entry in self.entries(map) {
            let key = entry.key.as_str();
            if explicit && key == VALUES {
                match &entry.value.kind {
                    Kind::Seq(seq) => seq.items.iter().for_each(|item| self.value(node, item)),
                    _ => self.value(node, &entry.value),
                }
                node.head = node.head.to(entry.value.mark.span);
            } else if !settings && key == BLOCK && matches!(entry.value.kind, Kind::Seq(_)) {
                self.children(node, &entry.value, words);
            } else if let Some(prop) = key.strip_suffix('=').filter(|it| explicit && !it.is_empty()) {
                self.property(node, prop, entry);
            } else if words.has_property(key) {
                self.property(node, key, entry);
            } else if settings {
                let setting = self.setting(key, entry.key_mark.span, &entry.value);
                node.children.get_or_insert_default().push(setting);
            } else {
                let mut children = node.children.take().unwrap_or_default();
                self.line(entry, words, &mut children);
                node.children = Some(children);
            }
        }
    }

    fn children(&mut self, node: &mut Node, value: &Yaml, words: &dyn Words) {
        let (children, holes) = self.block(value, words);
        node.children.get_or_insert_default().extend(children);
        node.holes |= holes;
    }

    fn property(&mut self, node: &mut Node, key: &str, entry: &Entry<Tagged>) {
        let span = entry.key_mark.span;
        if let Some(value) = atom(&entry.value) {
            node.props.push(Prop { key: Spanned { value: key.to_owned(), span }, value });
            return;
        }
        node.broken = true;
        let message = format!("`{key}` of `{}` is {}", node.name.value, entry.value.describe());
        self.fault(entry.value.mark.span, message, "write one text or number");
    }

    /// A setting: whatever YAML it is.
    fn setting(&mut self, key: &str, span: Span, value: &Yaml) -> Node {
        let mut node = node(key, span);
        node.span = span.to(value.mark.span);
        match &value.kind {
            Kind::Null if value.mark.tag.is_none() => {}
            Kind::Map(map) => {
                let entries = self.entries(map);
                let children = entries.iter().map(|it| self.setting(&it.key, it.key_mark.span, &it.value)).collect();
                node.children = Some(children);
            }
            Kind::Seq(seq) => {
                let scalar = |item: &Yaml| !matches!(item.kind, Kind::Map(_) | Kind::Seq(_));
                if seq.flow && seq.items.len() > 1 && seq.items.iter().all(scalar) {
                    node.args = seq.items.iter().filter_map(atom).collect();
                    node.head = node.head.to(value.mark.span);
                } else if seq.items.is_empty() {
                    node.broken = true;
                    self.fault(value.mark.span, "a stack cannot hold an empty list", "leave the setting out");
                } else {
                    let item = |reader: &mut Self, it: &Yaml| reader.setting("-", it.mark.span, it);
                    node.children = Some(seq.items.iter().map(|it| item(self, it)).collect());
                }
            }
            _ => {
                if let Some(atom) = atom(value) {
                    node.head = node.head.to(atom.span);
                    node.args.push(atom);
                }
            }
        }
        node
    }
}
