//! `build --explain`: everything that was derived, with its reason, node by node. The origins are those that
//! `why` answers from.

use telstack_syntax::tree::Kind;
use telstack_system::{Origin, OriginKind, Value};

use crate::{compile::Compiled, ir, why::WhyOrigin};

/// How much of a map that has one origin is shown.
const SHOWN: usize = 4;

/// All that was derived for a stack.
#[derive(Clone, PartialEq, Debug)]
pub struct Derivation {
    /// The stack's name.
    pub stack: String,
    /// The nodes in the order of the stack, then what belongs to none of them.
    pub groups: Vec<DerivedGroup>,
}

/// What was derived for a node.
#[derive(Clone, PartialEq, Debug)]
pub struct DerivedGroup {
    /// The node's name; none for the stack as a whole.
    pub node: Option<String>,
    /// What the node is: `Loki 3.7.6`.
    pub title: String,
    /// Each reason once, in the order met.
    pub reasons: Vec<DerivedReason>,
}

/// A reason, and all that follows from it.
#[derive(Clone, PartialEq, Debug)]
pub struct DerivedReason {
    /// Kind, pass, reason, and the places in the stack.
    pub origin: WhyOrigin,
    /// What follows: `exporters.otlp_http/loki.endpoint: http://loki:3100/otlp`.
    pub things: Vec<String>,
}

impl DerivedGroup {
    fn add(&mut self, origin: &Origin, thing: String) {
        let new = WhyOrigin::new(origin);
        let same = |known: &&mut DerivedReason| {
            let known = &known.origin;
            (known.kind, known.pass, &known.reason) == (new.kind, new.pass, &new.reason)
        };
        let Some(reason) = self.reasons.iter_mut().find(same) else {
            self.reasons.push(DerivedReason { origin: new, things: vec![thing] });
            return;
        };
        for span in new.spans {
            if !reason.origin.spans.contains(&span) {
                reason.origin.spans.push(span);
            }
        }
        if !reason.things.contains(&thing) {
            reason.things.push(thing);
        }
    }

    /// Adds what was derived below `value`. `key` is the origin of its key.
    fn walk(&mut self, value: &Value, path: &str, key: &Origin) {
        let whole = uniform(value, &value.mark);
        match &value.kind {
            Kind::Map(map) if !whole => {
                for entry in map {
                    self.walk(&entry.value, &ir::join(path, &entry.key), &entry.key_mark);
                }
            }
            Kind::Seq(seq) if !whole => {
                for (at, item) in seq.items.iter().enumerate() {
                    // The number of an argument says nothing.
                    let named = item.as_map().is_some();
                    let path = if named { ir::join(path, &ir::item_name(item, at)) } else { path.to_owned() };
                    self.walk(item, &path, &item.mark);
                }
            }
            _ => {
                let origin = if value.mark.is_written() { key } else { &value.mark };
                if origin.kind() != OriginKind::Written {
                    self.add(origin, thing(path, value));
                }
            }
        }
    }
}

/// Does all below a value follow from one origin?
fn uniform(value: &Value, origin: &Origin) -> bool {
    value.mark == *origin
        && match &value.kind {
            Kind::Map(map) => map.iter().all(|entry| uniform(&entry.value, origin)),
            Kind::Seq(seq) => seq.items.iter().all(|item| uniform(item, origin)),
            _ => true,
        }
}

/// A path with its value; of a map the first few settings.
fn thing(path: &str, value: &Value) -> String {
    if let Some(text) = ir::plain(value) {
        return format!("{path}: {text}");
    }
    let parts: Vec<String> = value
        .as_map()
        .into_iter()
        .flatten()
        .filter(|entry| entry.key != "name")
        .filter_map(|entry| Some(format!("{} {}", entry.key, ir::plain(&entry.value)?)))
        .take(SHOWN)
        .collect();
    if parts.is_empty() { path.to_owned() } else { format!("{path}: {}", parts.join(", ")) }
}

/// What was derived for a compiled stack, and why; none if there is no System.
pub fn derivation(compiled: &Compiled) -> Option<Derivation> {
    let system = compiled.system.as_ref()?;
    let mut groups: Vec<DerivedGroup> = system
        .nodes()
        .map(|(_, node)| {
            let title = node.product().map_or_else(|| "outside the stack".to_owned(), |_| node.title());
            let mut group = DerivedGroup { node: Some(node.name.clone()), title, reasons: Vec::new() };
            let value = ir::node(node);
            // The environment of a node comes again in its container.
            let twice = |key: &str| key == "environment" && node.container.is_some();
            for entry in value.as_map().into_iter().flatten().filter(|entry| !twice(&entry.key)) {
                group.walk(&entry.value, &entry.key, &entry.key_mark);
            }
            group
        })
        .collect();
    for (_, from, edge, to) in system.edges() {
        let (from, to) = (system.node(from), system.node(to));
        let value = ir::edge(edge, &from.name, &to.name);
        let Some(group) = groups.iter_mut().find(|it| it.node.as_ref() == Some(&from.name)) else { continue };
        let ends = ["from", "to", "purpose"];
        for entry in value.as_map().into_iter().flatten().filter(|entry| !ends.contains(&entry.key.as_str())) {
            let path = format!("{} to {}.{}", ir::purpose(edge.purpose), to.name, entry.key);
            group.walk(&entry.value, &path, &entry.key_mark);
        }
    }
    let mut whole = DerivedGroup { node: None, title: "the stack as a whole".to_owned(), reasons: Vec::new() };
    for artefact in &compiled.artefacts {
        let owner = system.nodes().find(|(_, node)| {
            node.container.as_ref().is_some_and(|it| it.files.iter().any(|file| file.path == artefact.path))
        });
        let owner = owner.and_then(|(_, node)| groups.iter_mut().find(|it| it.node.as_ref() == Some(&node.name)));
        let group = owner.unwrap_or(&mut whole);
        for (text, origins) in artefact.written.text.lines().zip(&artefact.written.lines) {
            let text = text.trim();
            // What stands in the System was listed with it, and where a file puts that is no decision; braces,
            // comments and the heads of maps say nothing.
            let says =
                !text.starts_with('#') && !text.ends_with([':', '{', '[']) && text.contains(char::is_alphanumeric);
            let decided = |it: &&Origin| {
                it.pass() == Some(telstack_tools::STEP.0) && matches!(it.kind(), OriginKind::Fact | OriginKind::Builtin)
            };
            for origin in origins.iter().filter(|_| says).filter(decided) {
                group.add(origin, format!("{}: {text}", artefact.path));
            }
        }
    }
    groups.push(whole);
    groups.retain(|group| !group.reasons.is_empty());
    Some(Derivation { stack: system.name.clone(), groups })
}
