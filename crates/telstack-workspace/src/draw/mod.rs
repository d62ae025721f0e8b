//! The System as a graph to look at: grouped by container, edges labelled by what flows and how.

mod card;
mod layout;
mod scene;
mod svg;
mod text;

use std::fmt::Write as _;

use telstack_system::{Edge, Listener, Node, NodeId, NodeKind, Purpose, System};

pub use svg::{Theme, svg};

/// What an edge says: signals and protocol, or what it is for.
fn label(edge: &Edge) -> String {
    let protocol = edge.dial.as_ref().map(|dial| dial.protocol.title());
    match (edge.purpose, protocol) {
        (Purpose::Telemetry, Some(protocol)) => format!("{}: {protocol}", edge.signals),
        (Purpose::Telemetry, None) => edge.signals.to_string(),
        (Purpose::Scrape, _) => "scrape".to_owned(),
        (Purpose::Query, _) => "queries".to_owned(),
        (Purpose::Alert, _) => "alerts".to_owned(),
        (Purpose::Forward, _) => "forwards".to_owned(),
        (Purpose::Consume, _) => "reads messages".to_owned(),
    }
}

/// Parts of a node in lines: its title, and for a collector its pipelines.
fn lines(node: &Node) -> Vec<String> {
    let mut lines = vec![node.name.clone(), node.title()];
    if let Some(collector) = node.collector() {
        for pipeline in &collector.pipelines {
            let ids = |list: &[telstack_system::Reference]| {
                list.iter().map(|it| it.id.to_string()).collect::<Vec<_>>().join(", ")
            };
            lines.push(format!("{}: {} → {}", pipeline.id(), ids(&pipeline.receivers), ids(&pipeline.exporters)));
        }
    }
    lines
}

/// The listeners of a collector that applications outside the stack send to: those that the host publishes,
/// or before there are containers, those that no other node dials.
fn open_to_applications(system: &System, id: NodeId) -> Vec<&Listener> {
    let node = system.node(id);
    let fed = |port: u16| {
        let inside = system.incoming(id, Purpose::Telemetry);
        inside.into_iter().any(|(edge, _)| system.edge(edge).dial.as_ref().is_some_and(|dial| dial.port == port))
    };
    let open = |listener: &&Listener| match &node.container {
        Some(container) => container.published.iter().any(|it| it.container_port == listener.port),
        None => !fed(listener.port),
    };
    let takes = node.listeners.iter().filter(|it| node.collector().is_some() && !it.signals.is_empty());
    takes.filter(open).collect()
}

/// The ports that applications send to.
fn entries(listeners: &[&Listener]) -> String {
    listeners.iter().map(|it| format!("{} :{}", it.protocol.title(), it.port)).collect::<Vec<_>>().join(", ")
}

/// A Mermaid flowchart.
pub fn mermaid(system: &System) -> String {
    let mut out = String::from("flowchart LR\n");
    let id = |at: usize| format!("n{at}");
    let nodes: Vec<_> = system.nodes().collect();
    let quote = |text: &str| text.replace('"', "#quot;");
    for (at, (_, node)) in nodes.iter().enumerate() {
        let text = lines(node).iter().map(|line| quote(line)).collect::<Vec<_>>().join("<br/>");
        let (open, close) = match node.kind {
            NodeKind::Store(_) => ("[(", ")]"),
            NodeKind::External(_) => ("([", "])"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "    {}{open}\"{text}\"{close}", id(at));
    }
    let position = |wanted| nodes.iter().position(|(node, _)| *node == wanted).unwrap_or_default();
    for (at, (node, _)) in nodes.iter().enumerate() {
        let open = open_to_applications(system, *node);
        if !open.is_empty() {
            let _ = writeln!(out, "    apps([\"applications\"]) -->|\"{}\"| {}", quote(&entries(&open)), id(at));
        }
    }
    for (_, from, edge, to) in system.edges() {
        let arrow = if edge.purpose == Purpose::Telemetry { "-->" } else { "-.->" };
        let _ = writeln!(out, "    {} {arrow}|\"{}\"| {}", id(position(from)), quote(&label(edge)), id(position(to)));
    }
    out
}

/// A Graphviz digraph.
pub fn dot(system: &System) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = format!(
        "digraph \"{}\" {{\n    rankdir=LR;\n    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n    edge [fontname=\"sans-serif\", fontsize=10];\n",
        escape(&system.name)
    );
    for (id, node) in system.nodes() {
        let text = lines(node).iter().map(|line| escape(line)).collect::<Vec<_>>().join("\\n");
        let shape = match node.kind {
            NodeKind::Store(_) => ", shape=cylinder, style=solid",
            NodeKind::External(_) => ", shape=ellipse",
            _ => "",
        };
        let _ = writeln!(out, "    \"{}\" [label=\"{text}\"{shape}];", escape(&node.name));
        let open = open_to_applications(system, id);
        if !open.is_empty() {
            let _ = writeln!(
                out,
                "    \"applications\" -> \"{}\" [label=\"{}\"];",
                escape(&node.name),
                escape(&entries(&open))
            );
        }
    }
    for (_, from, edge, to) in system.edges() {
        let style = if edge.purpose == Purpose::Telemetry { "" } else { ", style=dashed" };
        let (from, to) = (&system.node(from).name, &system.node(to).name);
        let _ = writeln!(
            out,
            "    \"{}\" -> \"{}\" [label=\"{}\"{style}];",
            escape(from),
            escape(to),
            escape(&label(edge))
        );
    }
    out.push_str("}\n");
    out
}
