//! `build --explain`: everything that was derived, with its reason, decision by decision. The origins are
//! those that `why` answers from.

use telstack_syntax::tree::Kind;
use telstack_system::{Origin, OriginKind, Value};

use crate::{compile::Compiled, ir};

/// How much of a map that has one origin is shown.
const SHOWN: usize = 4;

/// All that was derived for a stack.
#[derive(Clone, PartialEq, Debug)]
pub struct Derivation {
    /// The stack's name.
    pub stack: String,
    /// What follows from the stack, what the catalog decides, what telstack chose.
    pub groups: Vec<DerivedGroup>,
}

/// Decisions of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct DerivedGroup {
    /// Whose decisions.
    pub kind: OriginKind,
    /// Each decision once, in the order met.
    pub decisions: Vec<Decision>,
}

/// A decision, and all that follows from it.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// The pass that made it.
    pub pass: &'static str,
    /// Why. A product that differs from node to node is called `each`.
    pub reason: String,
    /// The nodes that it is about; none for the stack as a whole.
    pub nodes: Vec<String>,
    /// What follows: `exporters.otlp_http/loki.endpoint: http://loki:3100/otlp`.
    pub things: Vec<String>,
}

/// What was derived for a node, or for the stack as a whole.
struct OfNode {
    name: Option<String>,
    reasons: Vec<Reason>,
}

struct Reason {
    kind: OriginKind,
    pass: &'static str,
    text: String,
    things: Vec<String>,
}

impl OfNode {
    fn add(&mut self, origin: &Origin, thing: String) {
        let (kind, pass) = (origin.kind(), origin.pass().unwrap_or_default());
        let same = |it: &&mut Reason| it.kind == kind && it.pass == pass && it.text == origin.reason();
        match self.reasons.iter_mut().find(same) {
            Some(reason) if reason.things.contains(&thing) => {}
            Some(reason) => reason.things.push(thing),
            None => self.reasons.push(Reason { kind, pass, text: origin.reason().to_owned(), things: vec![thing] }),
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
    let system = compiled.whole()?;
    let mut nodes: Vec<OfNode> = system
        .nodes()
        .map(|(_, node)| {
            let mut group = OfNode { name: Some(node.name.clone()), reasons: Vec::new() };
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
        let Some(group) = nodes.iter_mut().find(|it| it.name.as_ref() == Some(&from.name)) else { continue };
        let ends = ["from", "to", "purpose"];
        for entry in value.as_map().into_iter().flatten().filter(|entry| !ends.contains(&entry.key.as_str())) {
            let path = format!("{} to {}.{}", ir::purpose(edge.purpose), to.name, entry.key);
            group.walk(&entry.value, &path, &entry.key_mark);
        }
    }
    let mut whole = OfNode { name: None, reasons: Vec::new() };
    // Scripts are programs: what is ours in them is no decision.
    let is_script = |path: &str| std::path::Path::new(path).extension().is_some_and(|it| it == "sh");
    for artefact in compiled.artefacts.iter().filter(|it| !is_script(&it.path)) {
        let owner = system.nodes().find(|(_, node)| {
            node.container.as_ref().is_some_and(|it| it.files.iter().any(|file| file.path == artefact.path))
        });
        let owner = owner.and_then(|(_, node)| nodes.iter_mut().find(|it| it.name.as_ref() == Some(&node.name)));
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
    nodes.push(whole);
    let titles = system.nodes().filter(|(_, node)| node.product().is_some()).map(|(_, node)| node.title());
    Some(Derivation { stack: system.name.clone(), groups: grouped(nodes, &titles.collect::<Vec<_>>()) })
}

/// The decisions of all nodes, those that differ in the product alone as one.
fn grouped(nodes: Vec<OfNode>, titles: &[String]) -> Vec<DerivedGroup> {
    // What each became one for, with what it was for the first node.
    let mut joined: Vec<(String, OriginKind, Decision)> = Vec::new();
    for node in nodes {
        for Reason { kind, pass, text: reason, things } in node.reasons {
            let each = titles.iter().fold(reason.clone(), |text, title| text.replace(title.as_str(), EACH));
            let same = |(known, of, it): &&mut (String, OriginKind, Decision)| {
                *known == each && *of == kind && it.pass == pass
            };
            if let Some((each, _, decision)) = joined.iter_mut().find(same) {
                if decision.reason != reason {
                    decision.reason.clone_from(each);
                }
                decision.nodes.extend(node.name.clone());
                decision.things.extend(things);
            } else {
                let nodes = node.name.iter().cloned().collect();
                joined.push((each, kind, Decision { pass, reason, nodes, things }));
            }
        }
    }
    let of = |kind| {
        let decisions = joined.iter().filter(|it| it.1 == kind).map(|it| it.2.clone()).collect();
        DerivedGroup { kind, decisions }
    };
    let groups = [OriginKind::Derived, OriginKind::Fact, OriginKind::Builtin].map(of);
    groups.into_iter().filter(|it| !it.decisions.is_empty()).collect()
}

/// What stands for a product that differs from node to node.
const EACH: &str = "each";
