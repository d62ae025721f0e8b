//! The value tree: scalars, sequences and maps, each with a mark.

use std::borrow::Cow;

/// A value with a mark of type `M` on every node and key.
#[derive(Clone, PartialEq, Debug)]
pub struct Value<M> {
    /// What it is.
    pub kind: Kind<M>,
    /// Where it comes from.
    pub mark: M,
}

/// What a value is.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind<M> {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Seq(Seq<M>),
    /// A map in the order written.
    Map(Map<M>),
}

impl<M> Kind<M> {
    /// The type of a plain scalar by the YAML 1.2 core schema, with the numbers that Go's readers add to it.
    pub fn plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".inf" | ".Inf" | ".INF" | "+.inf" => return Self::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => return Self::Float(f64::NEG_INFINITY),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            _ => {}
        }
        // Go's readers, which all our tools have, also know `0b11` and `1_000`.
        let digits = if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')) {
            Cow::Owned(text.replace('_', ""))
        } else {
            Cow::Borrowed(text)
        };
        let based = |prefix: &str, radix| {
            digits.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok())
        };
        let number = digits.parse().ok().or_else(|| based("0x", 16)).or_else(|| based("0o", 8));
        if let Some(number) = number.or_else(|| based("0b", 2)) {
            return Self::Int(number);
        }
        let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
            && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E'));
        match text.parse() {
            // What is too large for Go is text to it.
            Ok(number) if numeric && f64::is_finite(number) => Self::Float(number),
            _ => Self::String(text.to_owned()),
        }
    }
}

/// A list.
#[derive(Clone, PartialEq, Debug)]
pub struct Seq<M> {
    /// The items.
    pub items: Vec<Value<M>>,
    /// Written on one line, where the format can.
    pub flow: bool,
}

/// A map. Small in practice, so lookup is a scan.
#[derive(Clone, PartialEq, Debug)]
pub struct Map<M> {
    entries: Vec<Entry<M>>,
}

/// A key and its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry<M> {
    /// The key.
    pub key: String,
    /// Where the key comes from.
    pub key_mark: M,
    /// The value.
    pub value: Value<M>,
    /// A comment for the line above, without its `#`; may hold several lines.
    pub comment: Option<String>,
    /// An empty line above.
    pub gap: bool,
}

impl<M> Default for Map<M> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<M> Map<M> {
    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry<M>> {
        self.entries.iter()
    }

    /// The entries in order, to change.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Entry<M>> {
        self.entries.iter_mut()
    }

    /// The value of the first entry named `key`.
    pub fn get(&self, key: &str) -> Option<&Value<M>> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of the first entry named `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<M>> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// The first entry named `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry<M>> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Is there such a key?
    pub fn contains(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Adds an entry at the end; the caller sees to it that keys are unique where they must be.
    pub fn push(&mut self, entry: Entry<M>) {
        self.entries.push(entry);
    }

    /// Adds an entry at the front.
    pub fn push_front(&mut self, entry: Entry<M>) {
        self.entries.insert(0, entry);
    }

    /// Removes and returns the value of `key`.
    pub fn remove(&mut self, key: &str) -> Option<Value<M>> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// No entries?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<M: Clone> Map<M> {
    /// Sets `key` in place, or adds it at the end. The key carries the value's mark.
    pub fn set(&mut self, key: &str, value: Value<M>) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.push(Entry::new(key, value)),
        }
    }

    /// The map under `key`, made with `mark` if there is none or it is not a map.
    pub fn map_mut(&mut self, key: &str, mark: &M) -> &mut Map<M> {
        let at = self.entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            self.entries.push(Entry::new(key, Value::map(mark.clone())));
            self.entries.len() - 1
        });
        let value = &mut self.entries[at].value;
        if !matches!(value.kind, Kind::Map(_)) {
            *value = Value::map(mark.clone());
        }
        match &mut value.kind {
            Kind::Map(map) => map,
            _ => unreachable!("made a map just above"),
        }
    }
}

impl<'a, M> IntoIterator for &'a Map<M> {
    type Item = &'a Entry<M>;
    type IntoIter = std::slice::Iter<'a, Entry<M>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<M> IntoIterator for Map<M> {
    type Item = Entry<M>;
    type IntoIter = std::vec::IntoIter<Entry<M>>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a, M> IntoIterator for &'a mut Map<M> {
    type Item = &'a mut Entry<M>;
    type IntoIter = std::slice::IterMut<'a, Entry<M>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<M> FromIterator<Entry<M>> for Map<M> {
    fn from_iter<I: IntoIterator<Item = Entry<M>>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl<M: Clone> Entry<M> {
    /// An entry whose key carries the value's mark.
    pub fn new(key: impl Into<String>, value: Value<M>) -> Self {
        Self { key: key.into(), key_mark: value.mark.clone(), value, comment: None, gap: false }
    }
}

impl<M> Value<M> {
    /// A string.
    pub fn string(text: impl Into<String>, mark: M) -> Self {
        Self { kind: Kind::String(text.into()), mark }
    }

    /// A whole number.
    pub fn int(number: i64, mark: M) -> Self {
        Self { kind: Kind::Int(number), mark }
    }

    /// A truth value.
    pub fn bool(truth: bool, mark: M) -> Self {
        Self { kind: Kind::Bool(truth), mark }
    }

    /// An empty map.
    pub fn map(mark: M) -> Self {
        Self { kind: Kind::Map(Map::default()), mark }
    }

    /// A list, one item a line.
    pub fn block(items: Vec<Value<M>>, mark: M) -> Self {
        Self { kind: Kind::Seq(Seq { items, flow: false }), mark }
    }

    /// A list on one line.
    pub fn flow(items: Vec<Value<M>>, mark: M) -> Self {
        Self { kind: Kind::Seq(Seq { items, flow: true }), mark }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map<M>> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The map to change, if it is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map<M>> {
        match &mut self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_seq(&self) -> Option<&[Value<M>]> {
        match &self.kind {
            Kind::Seq(seq) => Some(&seq.items),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a whole one.
    pub fn as_int(&self) -> Option<i64> {
        match self.kind {
            Kind::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// The value at a dotted path of map keys; keys that hold dots cannot be reached this way.
    pub fn at(&self, path: &str) -> Option<&Value<M>> {
        path.split('.').filter(|part| !part.is_empty()).try_fold(self, |value, key| value.as_map()?.get(key))
    }

    /// What it is, in a word for messages: "a list".
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The same tree with other marks.
    pub fn map_marks<N>(&self, mark: &mut impl FnMut(&M) -> N) -> Value<N> {
        let kind = match &self.kind {
            Kind::Null => Kind::Null,
            Kind::Bool(it) => Kind::Bool(*it),
            Kind::Int(it) => Kind::Int(*it),
            Kind::Float(it) => Kind::Float(*it),
            Kind::String(it) => Kind::String(it.clone()),
            Kind::Seq(seq) => {
                Kind::Seq(Seq { items: seq.items.iter().map(|item| item.map_marks(mark)).collect(), flow: seq.flow })
            }
            Kind::Map(map) => Kind::Map(
                map.iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        key_mark: mark(&entry.key_mark),
                        value: entry.value.map_marks(mark),
                        comment: entry.comment.clone(),
                        gap: entry.gap,
                    })
                    .collect(),
            ),
        };
        Value { kind, mark: mark(&self.mark) }
    }
}
