//! The stack tree as YAML.

use std::collections::BTreeSet;

use telstack_diagnostics::Span;

use super::{
    BETWEEN, BLOCK, REFERENCES, VALUES, Words, child, is_explicit,
    layout::{self, Entry, Yaml},
    looks_nameless,
};
use crate::{
    stack::{Atom, Document, Node, Note, Notes, Scalar},
    yaml::{float, flow_scalar, is_block_text, scalar},
};

/// Something that one syntax can say and the other cannot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsayable {
    /// What.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Writes a stack as YAML, with its comments.
pub fn write_yaml(document: &Document, notes: &Notes, words: &dyn Words) -> Result<String, Unsayable> {
    let writer = Writer { notes };
    let top = match writer.block(&document.nodes, words)? {
        Some(entries) => Yaml::Map(entries),
        None => writer.spelt_out(&document.nodes, words)?,
    };
    Ok(layout::text(&top, &notes.end))
}

struct Writer<'a> {
    notes: &'a Notes,
}

type Written<T> = Result<T, Unsayable>;

impl Writer<'_> {
    /// A block as a map; none if that would lose the order of its lines.
    fn block(&self, nodes: &[Node], words: &dyn Words) -> Written<Option<Vec<Entry>>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeSet::new();
        for group in nodes.chunk_by(|a, b| a.name.value == b.name.value) {
            let word = &group[0].name.value;
            if !seen.insert(word.clone()) {
                return Ok(None);
            }
            let (value, named) = self.group(group, child(words, word))?;
            // What is noted of the first of several by name stands above the word.
            let mut note = self.notes.of(&group[0]);
            if named || group.len() > 1 {
                note.behind.clear();
            }
            entries.push(Entry { note, key: word.clone(), value });
        }
        Ok(Some(entries))
    }

    /// A block as a list of lines, where a map cannot hold it.
    fn spelt_out(&self, nodes: &[Node], words: &dyn Words) -> Written<Yaml> {
        if nodes.is_empty() {
            return Ok(Yaml::Inline("[]".to_owned()));
        }
        let mut items = Vec::new();
        for node in nodes {
            let (value, named) = self.group(std::slice::from_ref(node), child(words, &node.name.value))?;
            let mut note = self.notes.of(node);
            if named {
                note.behind.clear();
            }
            let entry = Entry { note, key: node.name.value.clone(), value };
            items.push(Entry { note: Note::default(), key: String::new(), value: Yaml::Map(vec![entry]) });
        }
        Ok(Yaml::List(items))
    }

    /// The value of a word that stands once, or several times in a row; and whether it is a map by name.
    fn group(&self, nodes: &[Node], words: &dyn Words) -> Written<(Yaml, bool)> {
        if words.is_named()
            && let Some(entries) = self.by_name(nodes, words)?
        {
            return Ok((Yaml::Map(entries), true));
        }
        if let [node] = nodes {
            return Ok((self.line(node, words, false)?, false));
        }
        let mut values = nodes.iter().map(|node| self.line(node, words, true)).collect::<Written<Vec<_>>>()?;
        // Somewhere in the list there must be what is no value, or it is a list of values.
        let is_value = |value: &Yaml| match value {
            Yaml::Inline(text) => text != "{}",
            Yaml::Null | Yaml::Text(_) => true,
            Yaml::Map(_) | Yaml::List(_) => false,
        };
        if values.iter().all(is_value) && !words.takes_one() && !words.is_named() {
            values[0] = match self.explicit(&nodes[0], words)? {
                Yaml::Null => {
                    let none = Yaml::Inline("[]".to_owned());
                    Yaml::Map(vec![Entry { note: Note::default(), key: VALUES.to_owned(), value: none }])
                }
                value => value,
            };
        }
        let item = |(node, value)| Entry { note: self.notes.of(node), key: String::new(), value };
        let mut items: Vec<Entry> = nodes.iter().zip(values).map(item).collect();
        if let Some(first) = items.first_mut() {
            let behind = std::mem::take(&mut first.note.behind);
            first.note = Note { behind, ..Note::default() };
        }
        Ok((Yaml::List(items), false))
    }

    /// Lines that have a name each, as a map; none if their names are no keys.
    fn by_name(&self, nodes: &[Node], words: &dyn Words) -> Written<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, node) in nodes.iter().enumerate() {
            let names: Option<Vec<&str>> =
                node.args.iter().map(|it| it.as_str().filter(|_| it.tag.is_none())).collect();
            let Some(names) = names else { return Ok(None) };
            let several = names.len() > 1 && words.takes_several();
            let known =
                |name: &&str| words.may_be_nameless() && (words.child(name).is_some() || words.has_property(name));
            let awkward =
                |name: &&str| is_explicit(name) || known(name) || (words.takes_several() && name.contains(BETWEEN));
            if names.is_empty() || (names.len() > 1 && !several) || names.iter().any(awkward) {
                return Ok(None);
            }
            let key = names.join(BETWEEN);
            if !seen.insert(key.clone()) || is_explicit(&key) {
                return Ok(None);
            }
            let Some(value) = self.body(node, words)? else { return Ok(None) };
            let mut note = self.notes.of(node);
            if at == 0 {
                note = Note { behind: note.behind, ..Note::default() };
            }
            entries.push(Entry { note, key, value });
        }
        Ok(Some(entries))
    }

    /// Properties and block as a map; none if they must be spelt out.
    fn body(&self, node: &Node, words: &dyn Words) -> Written<Option<Yaml>> {
        if words.has_settings() {
            let own = |key: &str| words.has_property(key);
            if node.children().iter().any(|it| own(&it.name.value)) {
                return Err(unsayable(node.name.span, "a setting has the name of a property"));
            }
            let body = self.settings(node)?;
            let spelt = matches!(&body, Yaml::Map(entries) if entries.first().is_some_and(|it| it.key == VALUES));
            return Ok(if spelt && node.args.is_empty() { None } else { Some(body) });
        }
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        for prop in &node.props {
            let key = &prop.key.value;
            if !words.has_property(key) || is_explicit(key) || !seen.insert(key.as_str()) {
                return Ok(None);
            }
            entries.push(Entry { note: Note::default(), key: key.clone(), value: one(&prop.value, true)? });
        }
        // A map of one key may read like a reference.
        let reference = |entries: &[Entry]| {
            node.args.is_empty() && matches!(entries, [one] if REFERENCES.contains(&one.key.as_str()))
        };
        let Some(children) = &node.children else {
            if reference(&entries) {
                return Ok(None);
            }
            return Ok(Some(if entries.is_empty() { Yaml::Null } else { Yaml::Map(entries) }));
        };
        if children.is_empty() {
            return Ok(entries.is_empty().then(|| Yaml::Inline("{}".to_owned())));
        }
        if children.iter().any(|it| is_explicit(&it.name.value) || words.has_property(&it.name.value)) {
            return Ok(None);
        }
        let Some(block) = self.block(children, words)? else { return Ok(None) };
        entries.extend(block);
        Ok(if reference(&entries) { None } else { Some(Yaml::Map(entries)) })
    }

    /// A line; `item` if it stands in a list of lines.
    fn line(&self, node: &Node, words: &dyn Words, item: bool) -> Written<Yaml> {
        let bare = node.props.is_empty() && node.children.is_none();
        match node.args.as_slice() {
            [] if words.is_named() && !words.may_be_nameless() && !bare => self.explicit(node, words),
            [] => match self.body(node, words)? {
                Some(Yaml::Map(entries)) if words.is_named() => {
                    let scalar = |text: &str| !text.starts_with(['{', '[']);
                    let inner = |value: &Yaml| match value {
                        Yaml::Inline(text) => !scalar(text),
                        Yaml::Text(_) => false,
                        Yaml::Null | Yaml::Map(_) | Yaml::List(_) => true,
                    };
                    let keys = entries.iter().map(|entry| (entry.key.as_str(), inner(&entry.value)));
                    if looks_nameless(words, keys) { Ok(Yaml::Map(entries)) } else { self.explicit(node, words) }
                }
                Some(value) => Ok(value),
                None => self.explicit(node, words),
            },
            [value] if bare && !(value.scalar == Scalar::Null && value.tag.is_none()) => {
                one(value, !item && !words.is_named() && !words.has_settings())
            }
            [_, _, ..] if bare && !item && !words.takes_one() && !words.is_named() => flow(&node.args),
            _ => self.explicit(node, words),
        }
    }

    /// A line with everything in its own place.
    fn explicit(&self, node: &Node, words: &dyn Words) -> Written<Yaml> {
        let entry = |key: String, value| Entry { note: Note::default(), key, value };
        let mut entries = Vec::new();
        let settings = words.has_settings();
        match node.args.as_slice() {
            [] if words.is_named() || settings => entries.push(entry(VALUES.to_owned(), Yaml::Inline("[]".to_owned()))),
            [] => {}
            [value] => entries.push(entry(VALUES.to_owned(), one(value, false)?)),
            values => entries.push(entry(VALUES.to_owned(), flow(values)?)),
        }
        let mut seen = BTreeSet::new();
        for prop in &node.props {
            if !seen.insert(&prop.key.value) || prop.key.value.is_empty() {
                return Err(unsayable(prop.key.span, "YAML cannot hold a key twice, or an empty one"));
            }
            let key = prop.key.value.as_str();
            let known = words.has_property(key) && !is_explicit(key) && !REFERENCES.contains(&key);
            let key = if known { prop.key.value.clone() } else { format!("{}=", prop.key.value) };
            entries.push(entry(key, one(&prop.value, true)?));
        }
        if let Some(children) = &node.children {
            if settings {
                match self.settings(&Node { props: Vec::new(), ..node.clone() })? {
                    Yaml::Map(settings) if settings.iter().any(|it| is_explicit(&it.key)) => {
                        return Err(unsayable(node.name.span, "YAML cannot hold settings of these names here"));
                    }
                    Yaml::Map(settings) => entries.extend(settings),
                    _ if entries.is_empty() => return Ok(Yaml::Inline("{}".to_owned())),
                    _ => return Err(unsayable(node.name.span, "YAML cannot hold this empty block")),
                }
            } else {
                entries.push(entry(BLOCK.to_owned(), self.spelt_out(children, words)?));
            }
        }
        Ok(if entries.is_empty() { Yaml::Null } else { Yaml::Map(entries) })
    }

    /// Settings as plain YAML: properties are keys like any other.
    fn settings(&self, node: &Node) -> Written<Yaml> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut args: Vec<(String, Vec<Atom>)> = Vec::new();
        for prop in &node.props {
            args.push((prop.key.value.clone(), vec![prop.value.clone()]));
            entries.push(Entry { note: Note::default(), key: prop.key.value.clone(), value: one(&prop.value, false)? });
        }
        for line in node.children() {
            let key = &line.name.value;
            let bare = line.props.is_empty() && line.children.is_none() && !line.args.is_empty();
            args.push((key.clone(), if bare { line.args.clone() } else { Vec::new() }));
            let Some(old) = entries.iter().position(|it| it.key == *key) else {
                entries.push(Entry { note: self.notes.of(line), key: key.clone(), value: self.setting(line)? });
                continue;
            };
            // A list that is set twice adds up.
            let same: Vec<&(String, Vec<Atom>)> = args.iter().filter(|it| it.0 == *key).collect();
            if same.iter().any(|it| it.1.is_empty()) {
                return Err(unsayable(line.name.span, "YAML cannot hold a setting twice"));
            }
            let all: Vec<Atom> = same.into_iter().flat_map(|it| it.1.iter().cloned()).collect();
            entries[old].value = flow(&all)?;
            let Note { above, behind, .. } = self.notes.of(line);
            entries[old].note.above.extend(above);
            entries[old].note.behind.extend(behind);
        }
        if entries.is_empty() {
            let empty = Yaml::Inline("{}".to_owned());
            return Ok(if node.children.is_some() { empty } else { Yaml::Null });
        }
        Ok(Yaml::Map(entries))
    }

    fn setting(&self, line: &Node) -> Written<Yaml> {
        let keyed = !line.props.is_empty() || line.children.is_some();
        if !line.args.is_empty() && keyed {
            return Err(unsayable(line.name.span, "in YAML a setting is a value or a map, not both"));
        }
        match line.args.as_slice() {
            [] => {}
            [value] => return one(value, false),
            values => return flow(values),
        }
        let items = line.children().iter().filter(|it| it.name.value == "-").count();
        if items == 0 {
            return self.settings(line);
        }
        if items < line.children().len() || !line.props.is_empty() {
            return Err(unsayable(line.name.span, "in YAML a setting is a list or a map, not both"));
        }
        let item = |it: &Node| Ok(Entry { note: self.notes.of(it), key: String::new(), value: self.setting(it)? });
        Ok(Yaml::List(line.children().iter().map(item).collect::<Written<Vec<_>>>()?))
    }
}

fn unsayable(span: Span, message: &str) -> Unsayable {
    Unsayable { message: message.to_owned(), span }
}

/// A value. References are maps of one key where nothing else can be meant.
fn one(atom: &Atom, references: bool) -> Written<Yaml> {
    if let (Some(tag), Scalar::String(text)) = (&atom.tag, &atom.scalar)
        && references
        && REFERENCES.contains(&tag.value.as_str())
    {
        return Ok(Yaml::Inline(format!("{{{}: {}}}", tag.value, flow_scalar(text))));
    }
    match &atom.scalar {
        Scalar::String(text) if atom.tag.is_none() && is_block_text(text) => Ok(Yaml::Text(text.clone())),
        _ => Ok(Yaml::Inline(inline(atom, scalar)?)),
    }
}

fn flow(atoms: &[Atom]) -> Written<Yaml> {
    let items = atoms.iter().map(|it| inline(it, flow_scalar)).collect::<Written<Vec<_>>>()?;
    Ok(Yaml::Inline(format!("[{}]", items.join(", "))))
}

fn inline(atom: &Atom, text: impl Fn(&str) -> String) -> Written<String> {
    let value = match &atom.scalar {
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(it) => it.to_string(),
        Scalar::Int(it) => it.to_string(),
        Scalar::Float(it) => float(*it),
        Scalar::String(it) => text(it),
    };
    let Some(tag) = &atom.tag else { return Ok(value) };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if tag.value.is_empty() || !tag.value.chars().all(plain) {
        return Err(unsayable(tag.span, "YAML cannot hold this tag"));
    }
    Ok(format!("!{} {value}", tag.value))
}
