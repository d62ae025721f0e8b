//! What the writers share: origins of what a tool writes by itself, headers, and maps put together
//! entry by entry.

use sha2::{Digest, Sha256};
use telstack_syntax::{
    tree::{Entry, Kind, Map, Value as Tree},
    yaml,
};
use telstack_system::{ConfigFile, Listener, Node, NodeKind, Origin, Settings, System, Value};

use crate::Artefact;

/// The step that `telstack why` names for what is added while writing.
pub(crate) const STEP: &str = "emit";
/// Where comments are broken.
const COMMENT_WIDTH: usize = 92;

/// telstack chose it for `from`.
pub(crate) fn chosen(reason: impl Into<String>, from: &Origin) -> Origin {
    Origin::builtin(STEP, reason, &[from])
}

/// It follows from `from`.
pub(crate) fn follows(reason: impl Into<String>, from: &[&Origin]) -> Origin {
    Origin::derived(STEP, reason, from)
}

/// It follows from all of `from`; `fallback` where there are none.
pub(crate) fn follows_all<'a>(
    reason: impl Into<String>,
    from: impl IntoIterator<Item = &'a Origin>,
    fallback: &'a Origin,
) -> Origin {
    let mut from: Vec<&Origin> = from.into_iter().collect();
    if from.is_empty() {
        from.push(fallback);
    }
    Origin::derived(STEP, reason, &from)
}

/// The tool at that version wants it so, for `from`.
pub(crate) fn fact(reason: impl Into<String>, from: &[&Origin]) -> Origin {
    Origin::fact(STEP, reason, from)
}

/// A map under construction, in the order a reader expects.
#[derive(Default)]
pub(crate) struct Block {
    entries: Settings,
    gap: bool,
    comment: Option<String>,
}

impl Block {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds an entry; the key has the value's origin.
    pub(crate) fn put(&mut self, key: &str, value: Value) -> &mut Self {
        let mut entry = Entry::new(key, value);
        // A line above the first entry would part it from its parent.
        entry.gap = std::mem::take(&mut self.gap) && !self.entries.is_empty();
        entry.comment = self.comment.take();
        self.entries.push(entry);
        self
    }

    /// Adds an entry if there is something to say.
    pub(crate) fn put_some(&mut self, key: &str, value: Option<Value>) -> &mut Self {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    /// Puts an empty line above the next entry.
    pub(crate) fn gap(&mut self) -> &mut Self {
        self.gap = true;
        self
    }

    /// Puts a comment above the next entry, broken where it gets long.
    pub(crate) fn comment(&mut self, text: &str) -> &mut Self {
        self.comment = Some(wrap(text));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The map; its line in the file has `origin`.
    pub(crate) fn finish(&mut self, origin: &Origin) -> Value {
        Value { kind: Kind::Map(std::mem::take(&mut self.entries)), mark: origin.clone() }
    }

    /// The map, if anything is in it.
    pub(crate) fn finish_some(&mut self, origin: &Origin) -> Option<Value> {
        if self.is_empty() { None } else { Some(self.finish(origin)) }
    }
}

/// A map as a value, with what its entries come from.
pub(crate) fn map_of(settings: &Settings, reason: &str, fallback: &Origin) -> Value {
    let origin = follows_all(reason, settings.iter().map(|entry| &entry.key_mark), fallback);
    Value { kind: Kind::Map(settings.clone()), mark: origin }
}

/// The same tree with `escape` applied to every text, keys left alone.
pub(crate) fn map_text(value: &Value, escape: &impl Fn(&str) -> String) -> Value {
    let kind = match &value.kind {
        Kind::String(text) => Kind::String(escape(text)),
        Kind::Seq(seq) => {
            let mut seq = seq.clone();
            seq.items = seq.items.iter().map(|item| map_text(item, escape)).collect();
            Kind::Seq(seq)
        }
        Kind::Map(map) => {
            let escaped = |entry: &Entry<Origin>| Entry { value: map_text(&entry.value, escape), ..entry.clone() };
            Kind::Map(map.iter().map(escaped).collect::<Map<Origin>>())
        }
        other => other.clone(),
    };
    Tree { kind, mark: value.mark.clone() }
}

/// A short name for what several texts say, in hexadecimal: other texts have another one.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>, bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        // Keeps two texts apart from one.
        hash.update([0]);
    }
    hash.finalize().iter().take(bytes).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// `$` written so that a reader that expands variables takes it for itself.
pub(crate) fn double_dollar(text: &str) -> String {
    text.replace('$', "$$")
}

/// The listener of the first of those names that is there.
pub(crate) fn listener<'a>(node: &'a Node, names: &[&str]) -> Option<&'a Listener> {
    names.iter().find_map(|name| node.listeners.iter().find(|listener| listener.name == *name))
}

/// `OpenTelemetry Collector 0.158.0 (contrib)`, `Loki 3.7.6`.
pub(crate) fn title(node: &Node) -> String {
    match (&node.kind, node.product(), node.version()) {
        (NodeKind::Collector(it), Some(product), Some(version)) => {
            format!("{product} {version} ({})", it.distribution.value)
        }
        _ => node.title(),
    }
}

/// The lines at the top of a file: what it is, and where it comes from.
pub(crate) fn header(system: &System, what: &str, path: &str) -> String {
    let path = in_place(system, path);
    format!(
        "{what}\nCompiled by telstack from the stack \"{}\". Change the stack, not this file:\n\
         `telstack why {path}:LINE` tells where a line comes from.",
        system.name
    )
}

/// A path as it is below the output folder: each environment and cluster of several has a folder of its own.
pub(crate) fn in_place(system: &System, path: &str) -> String {
    system.place().map_or_else(|| path.to_owned(), |it| format!("{it}/{path}"))
}

/// A YAML file of a node.
pub(crate) fn node_yaml(
    system: &System,
    node: &Node,
    file: &ConfigFile,
    what: Option<&str>,
    document: &Value,
) -> Artefact {
    let title = what.map_or_else(|| title(node), |what| format!("{what} for {}", title(node)));
    // What is part of a manifest stands below that one's.
    let pod = node.container.as_ref().and_then(|it| it.pod.as_ref());
    let alone = pod.is_none();
    let mut header = if alone { header(system, &format!("{}: {title}", node.name), &file.path) } else { String::new() };
    if let (Some(_), Some(collector), Some(version)) = (&node.machine, node.collector(), node.version()) {
        // No image says it there.
        header += &format!("\ntelstack: otelcol={version} distribution={}", collector.distribution.value);
    }
    let origin = follows("says what the file is and which stack it comes from", &[&node.origin, &system.origin]);
    let inside = pod.is_some_and(|it| it.operated).then(|| document.clone());
    Artefact { document: inside, ..Artefact::new(&file.path, yaml::write(&header, &origin, document)) }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn enumerate(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// A reason as the first words of a comment: a capital letter, unless they name something.
pub(crate) fn sentence(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    let is_prose = word.trim_end_matches(',').chars().all(|c| c.is_ascii_lowercase());
    match text.chars().next() {
        Some(first) if is_prose => format!("{}{}", first.to_ascii_uppercase(), &text[first.len_utf8()..]),
        _ => text.to_owned(),
    }
}

/// The same text in lines that are not too long for a comment.
pub(crate) fn wrap(text: &str) -> String {
    let mut out = String::new();
    for (at, paragraph) in text.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let mut width = 0;
        for word in paragraph.split(' ') {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > COMMENT_WIDTH {
                out.push('\n');
                width = 0;
            } else if width > 0 {
                out.push(' ');
                width += 1;
            }
            out.push_str(word);
            width += length;
        }
    }
    out
}
