//! `diff A B`: what differs between two stacks: nodes, links, settings, files.

use std::collections::BTreeMap;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};
use telstack_syntax::tree::Kind as Tree;
use telstack_system::{Edge, Node, NodeId, Purpose, System, Value};
use telstack_tools::Artefact;

use crate::{compile::Compiled, ir};

/// Lines around a change.
const CONTEXT: usize = 2;
/// Parts of a node that are compared in their own way: by name, as links, as files.
const ELSEWHERE: [&str; 6] = ["name", "kind", "product", "version", "distribution", "listeners"];
/// Lists whose items are settings of their own.
const ARGUMENTS: [&str; 3] = ["flags", "command", "owned_paths"];
/// Parts of a node that come again in its container.
const AGAIN: [&str; 2] = ["flags", "environment"];

/// What happened to something.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Only the second stack has it.
    Added,
    /// Only the first stack has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
}

/// A value that differs.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Change {
    /// What it is: `image`, `memory`, `processors.batch.timeout`.
    pub what: String,
    /// In the first stack; none where it is not there.
    pub before: Option<String>,
    /// In the second stack; none where it is not there.
    pub after: Option<String>,
}

/// A node that differs.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct NodeDiff {
    /// Its name.
    pub name: String,
    /// `collector`, `store`, `viewer`, `alert manager`, `external`.
    pub kind: &'static str,
    /// What happened to it.
    pub change: Kind,
    /// What runs: `Loki 2.9.3`; none where it is not there.
    pub before: Option<String>,
    /// The same in the second stack.
    pub after: Option<String>,
    /// Its image, its resources, then its settings.
    pub changes: Vec<Change>,
}

/// A link that differs.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct EdgeDiff {
    /// The node that dials.
    pub from: String,
    /// The node that listens.
    pub to: String,
    /// `telemetry`, `scrape`, `query`, `alerts`.
    pub purpose: &'static str,
    /// What happened to it.
    pub change: Kind,
    /// Protocol, port, encryption, signals, exporter, tenant. For a link that is new or gone, all of them.
    pub changes: Vec<Change>,
}

/// A file that differs.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct FileDiff {
    /// Its path below the output folder.
    pub path: String,
    /// What happened to it.
    pub change: Kind,
    /// Lines that only the second stack writes.
    pub lines_added: usize,
    /// Lines that only the first stack writes.
    pub lines_removed: usize,
    /// The difference as a unified diff, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// All that differs between two stacks.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct StackDiff {
    /// The version of this format.
    pub version: u32,
    /// Name and platform.
    pub stack: Vec<Change>,
    /// Nodes in the order of the first stack, then those that are new.
    pub nodes: Vec<NodeDiff>,
    /// Links, in the same order.
    pub edges: Vec<EdgeDiff>,
    /// Files, in the same order.
    pub files: Vec<FileDiff>,
}

impl StackDiff {
    /// Do both stacks compile to the same?
    pub fn is_empty(&self) -> bool {
        self.stack.is_empty() && self.nodes.is_empty() && self.edges.is_empty() && self.files.is_empty()
    }

    /// As JSON, with a newline at its end.
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }
}

/// Compares two compiled stacks; with `text` every file that differs comes with its difference. None if one
/// of them is no System.
pub fn diff(before: &Compiled, after: &Compiled, text: bool) -> Option<StackDiff> {
    let (a, b) = (&*before.whole()?, &*after.whole()?);
    let stack = |system: &System| {
        vec![("name".to_owned(), system.name.clone()), ("platform".to_owned(), system.platform.value.id().to_owned())]
    };
    Some(StackDiff {
        version: 1,
        stack: changes(&stack(a), &stack(b)),
        nodes: nodes(a, b),
        edges: edges(a, b),
        files: files(&before.artefacts, &after.artefacts, text),
    })
}

/// Pairs of both sides by key: those of the first side in its order, then the rest of the second.
fn paired<'a, K: PartialEq, T>(a: &'a [(K, T)], b: &'a [(K, T)]) -> Vec<(&'a K, Option<&'a T>, Option<&'a T>)> {
    let find = |list: &'a [(K, T)], key: &K| list.iter().find(|(known, _)| known == key).map(|(_, it)| it);
    let mut out: Vec<_> = a.iter().map(|(key, it)| (key, Some(it), find(b, key))).collect();
    out.extend(b.iter().filter(|(key, _)| find(a, key).is_none()).map(|(key, it)| (key, None, Some(it))));
    out
}

fn kind<T>(before: Option<&T>, after: Option<&T>) -> Kind {
    match (before, after) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        _ => Kind::Changed,
    }
}

/// What differs between two lists of named values.
fn changes(before: &[(String, String)], after: &[(String, String)]) -> Vec<Change> {
    let mut out: Vec<Change> = paired(before, after)
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(what, before, after)| Change { what: what.clone(), before: before.cloned(), after: after.cloned() })
        .collect();
    // What is new stands beside what went from the same part.
    let part = |change: &Change| change.what.split(['.', '[']).next().unwrap_or_default().to_owned();
    let mut parts: Vec<String> = Vec::new();
    for name in out.iter().map(part) {
        if !parts.contains(&name) {
            parts.push(name);
        }
    }
    out.sort_by_cached_key(|change| parts.iter().position(|known| *known == part(change)));
    out
}

fn nodes(a: &System, b: &System) -> Vec<NodeDiff> {
    let named = |system: &System| -> Vec<(String, NodeId)> {
        system.nodes().map(|(id, node)| (node.name.clone(), id)).collect()
    };
    let mut out = Vec::new();
    for (name, before, after) in paired(&named(a), &named(b)) {
        let title = |system: &System, id: Option<&NodeId>| {
            id.map(|id| system.node(*id)).map(|node| node.product().map_or("outside".to_owned(), |_| node.title()))
        };
        let values = |system: &System, id: Option<&NodeId>| id.map(|id| settings(system, *id)).unwrap_or_default();
        let Some(node) = after.map(|id| b.node(*id)).or_else(|| before.map(|id| a.node(*id))) else { continue };
        let change = kind(before, after);
        let (old, new) = (title(a, before), title(b, after));
        let changes = if change == Kind::Changed { changes(&values(a, before), &values(b, after)) } else { Vec::new() };
        if change == Kind::Changed && old == new && changes.is_empty() {
            continue;
        }
        out.push(NodeDiff { name: name.clone(), kind: ir::kind(node), change, before: old, after: new, changes });
    }
    out
}

/// Everything that is set for a node, by path. Exporters that serve a link are named after its end: what an
/// upgrade renames is the same thing.
fn settings(system: &System, id: NodeId) -> Vec<(String, String)> {
    let node: &Node = system.node(id);
    let mut serves: BTreeMap<String, String> = BTreeMap::new();
    for (edge, to) in system.outgoing(id, Purpose::Telemetry) {
        if let Some(exporter) = system.edge(edge).exporter() {
            serves.insert(exporter.to_string(), format!("to `{}`", system.node(to).name));
        }
    }
    let mut out = Vec::new();
    let value = ir::node(node);
    let again = |key: &str| node.container.is_some() && AGAIN.contains(&key);
    let compared = |key: &str| !ELSEWHERE.contains(&key) && !again(key);
    for entry in value.as_map().into_iter().flatten().filter(|entry| compared(&entry.key)) {
        match entry.key.as_str() {
            "exporters" => {
                for exporter in entry.value.as_map().into_iter().flatten() {
                    let path = serves
                        .get(&exporter.key)
                        .map_or_else(|| format!("exporters.{}", exporter.key), |to| format!("exporter {to}"));
                    flatten(&exporter.value, &path, &serves, &mut out);
                }
            }
            // What people say without the word container.
            "container" => {
                for part in entry.value.as_map().into_iter().flatten().filter(|part| part.key != "files") {
                    flatten(&part.value, &part.key, &serves, &mut out);
                }
            }
            "resources" => flatten(&entry.value, "", &serves, &mut out),
            key => flatten(&entry.value, key, &serves, &mut out),
        }
    }
    // What an operator looks at first.
    let first = ["image", "cpu", "memory", "cpu_request", "memory_request"];
    out.sort_by_key(|(path, _)| first.iter().position(|known| known == path).unwrap_or(first.len()));
    out
}

fn flatten(value: &Value, path: &str, serves: &BTreeMap<String, String>, out: &mut Vec<(String, String)>) {
    let list = path.rsplit('.').next().unwrap_or_default();
    match &value.kind {
        Tree::Seq(seq) if ARGUMENTS.contains(&list) => {
            for word in seq.items.iter().filter_map(ir::plain) {
                let (name, value) = word.split_once('=').unwrap_or((&word, ""));
                out.push((format!("{path} {}", name.trim_start_matches('-')), value.to_owned()));
            }
        }
        Tree::Seq(seq) if path.starts_with("pipelines.") && list == "exporters" => {
            let names: Vec<String> = seq.items.iter().filter_map(ir::plain).collect();
            let names = names.into_iter().map(|id| serves.get(&id).cloned().unwrap_or(id));
            out.push((path.to_owned(), names.collect::<Vec<_>>().join(", ")));
        }
        _ if ir::plain(value).is_some() => {
            let path = path.strip_suffix(".value").unwrap_or(path);
            out.extend(ir::plain(value).map(|text| (path.to_owned(), text)));
        }
        Tree::Map(map) => {
            // The name of an item is in its path already.
            let named = path.ends_with(']');
            for entry in map.iter().filter(|entry| !(named && entry.key == "name")) {
                flatten(&entry.value, &ir::join(path, &entry.key), serves, out);
            }
        }
        Tree::Seq(seq) => {
            for (at, item) in seq.items.iter().enumerate() {
                flatten(item, &ir::join(path, &ir::item_name(item, at)), serves, out);
            }
        }
        _ => {}
    }
}

/// What a link is found by: the node that dials, the one that listens, and what for.
type Ends = (String, String, Purpose);

fn edges(a: &System, b: &System) -> Vec<EdgeDiff> {
    let named = |system: &System| -> Vec<(Ends, Vec<(String, String)>)> {
        let key = |from: NodeId, to: NodeId, edge: &Edge| {
            (system.node(from).name.clone(), system.node(to).name.clone(), edge.purpose)
        };
        system.edges().map(|(_, from, edge, to)| (key(from, to, edge), facts(edge))).collect()
    };
    let mut out = Vec::new();
    for ((from, to, purpose), before, after) in paired(&named(a), &named(b)) {
        let none = Vec::new();
        let changes = changes(before.unwrap_or(&none), after.unwrap_or(&none));
        let change = kind(before, after);
        if change == Kind::Changed && changes.is_empty() {
            continue;
        }
        let (from, to) = (from.clone(), to.clone());
        out.push(EdgeDiff { from, to, purpose: ir::purpose(*purpose), change, changes });
    }
    out
}

/// What a link is compared by.
fn facts(edge: &Edge) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut put = |what: &str, text: Option<String>| out.extend(text.map(|text| (what.to_owned(), text)));
    put("signals", (!edge.signals.is_empty()).then(|| edge.signals.to_string()));
    if let Some(dial) = &edge.dial {
        put("exporter", edge.exporter().map(ToString::to_string));
        put("protocol", Some(dial.protocol.title().to_owned()));
        put("host", Some(dial.host.clone()));
        put("port", Some(dial.port.to_string()));
        put("path", Some(dial.path.clone()).filter(|path| !path.is_empty()));
        put("encryption", ir::tls(dial.tls).map(str::to_owned));
        put("tenant", dial.tenant.clone());
    }
    out
}

fn files(a: &[Artefact], b: &[Artefact], text: bool) -> Vec<FileDiff> {
    let named = |list: &[Artefact]| -> Vec<(String, String)> {
        list.iter().map(|it| (it.path.clone(), it.written.text.clone())).collect()
    };
    let mut out = Vec::new();
    for (path, before, after) in paired(&named(a), &named(b)) {
        if before == after {
            continue;
        }
        let (old, new) = (before.map_or("", String::as_str), after.map_or("", String::as_str));
        let lines = TextDiff::from_lines(old, new);
        let count = |tag| lines.iter_all_changes().filter(|change| change.tag() == tag).count();
        let name = |side: &str, there: bool| if there { format!("{side}/{path}") } else { "/dev/null".to_owned() };
        let (from, to) = (name("a", before.is_some()), name("b", after.is_some()));
        out.push(FileDiff {
            path: path.clone(),
            change: kind(before, after),
            lines_added: count(ChangeTag::Insert),
            lines_removed: count(ChangeTag::Delete),
            diff: text.then(|| lines.unified_diff().context_radius(CONTEXT).header(&from, &to).to_string()),
        });
    }
    out
}
