//! `pipeline`: from receivers through processors to exporters, and over edges to other nodes.

use telstack_catalog::{ComponentKind, Signal, Version, otelcol, product::Product};
use telstack_diagnostics::{Diagnostic, Span};
use telstack_syntax::stack::{Atom, Node as Line};
use telstack_system::{
    Collector, Component, ComponentId, Edge, EdgeId, Node, NodeId, NodeKind, Origin, Pipeline, Protocol, Purpose,
    Reference, Sourced, Store, System, is_declared_in_stacks,
};

use crate::{
    check::twice,
    codes, grammar, machines,
    names::{did_you_mean, listed, nearest},
    scrapes,
    stack::{Context, PASS, what},
    words::{self, sourced, sourced_text, text},
};

/// A place in a pipeline that names components.
struct Place {
    /// The word.
    word: &'static str,
    /// What may stand there, the kind to declare first.
    kinds: &'static [ComponentKind],
    /// Why another kind may not.
    why: &'static str,
}

static FROM: Place = Place {
    word: "from",
    kinds: &[ComponentKind::Receiver, ComponentKind::Connector],
    why: "data comes from receivers and connectors",
};
static THROUGH: Place =
    Place { word: "through", kinds: &[ComponentKind::Processor], why: "data goes through processors" };
static TO: Place = Place {
    word: "to",
    kinds: &[ComponentKind::Exporter, ComponentKind::Connector],
    why: "data goes to exporters, connectors, stores, other collectors and things outside",
};

/// Adds the pipelines of a `collector` line, and the edges that they make.
pub(crate) fn wire(system: &mut System, id: NodeId, line: &Line, context: &mut Context<'_>) {
    let incomplete = line.is_incomplete();
    for line in line.children().iter().filter(|it| it.name.value == "pipeline") {
        context.collector_incomplete = incomplete || line.is_incomplete();
        pipeline(system, id, line, context);
    }
}

/// Where a pipeline's data goes.
enum Target<'a> {
    /// A component of the same collector.
    Component(Reference),
    /// Another node, with the `to` line and the argument that name it.
    Node(NodeId, &'a Line, &'a Atom),
}

fn pipeline(system: &mut System, id: NodeId, line: &Line, context: &mut Context<'_>) {
    let Some(collector) = system.node(id).collector() else { return };
    let from = mentions(line, FROM.word, context);
    let scraped = from.is_empty() && !collector.scrapes.is_empty();
    let receivers: Vec<Reference> = if scraped {
        scrapes::only_metrics(line, context);
        scrapes::receivers(collector, line)
    } else {
        from.into_iter().filter_map(|(_, atom)| component(system, collector, &FROM, atom, context)).collect()
    };
    let through = mentions(line, THROUGH.word, context);
    let ordered = !through.is_empty();
    let processors: Vec<Reference> =
        through.into_iter().filter_map(|(_, atom)| component(system, collector, &THROUGH, atom, context)).collect();
    let targets: Vec<Target<'_>> = mentions(line, TO.word, context)
        .into_iter()
        .filter_map(|(line, atom)| target(system, id, line, atom, context))
        .collect();
    let version = system.node(id).version();

    for atom in &line.args {
        let Some((signal, name)) = words::signal(atom) else { continue };
        let Some(collector) = system.node_mut(id).collector_mut() else { return };
        let known = collector.pipelines.iter().find(|it| it.signal == signal && it.name.as_deref() == name);
        if let Some(known) = known {
            let message = format!("the pipeline `{}` is declared twice", known.id());
            let finding = twice(message, atom.span, known.origin.span().unwrap_or(atom.span));
            context.out.push(finding.help(format!("give the second one a name of its own: `{signal}/name`")));
            continue;
        }
        let origin = Origin::written(atom.span);
        let mut pipeline = Pipeline {
            signal,
            name: name.map(str::to_owned),
            // Nothing but metrics is scraped, which has been said.
            receivers: if scraped && signal != Signal::Metrics { Vec::new() } else { receivers.clone() },
            processors: processors.clone(),
            ordered,
            exporters: Vec::new(),
            open: scraped && signal != Signal::Metrics,
            origin,
        };
        if !ordered {
            pipeline.processors = all_processors(collector, &pipeline, version);
        }
        for target in &targets {
            if let Target::Component(reference) = target {
                pipeline.exporters.push(reference.clone());
            }
        }
        let index = collector.pipelines.len();
        collector.pipelines.push(pipeline);
        for target in &targets {
            if let Target::Node(other, line, atom) = target {
                let Some(other) = machines::reached(system, id, *other, atom, context) else { continue };
                let edge = connect(system, id, other, line, atom, context);
                let edge = system.edge_mut(edge);
                edge.signals.insert(signal);
                edge.pipelines.push(sourced(atom, index));
            }
        }
    }
}

/// The names behind a word of a pipeline, each once.
fn mentions<'a>(line: &'a Line, word: &str, context: &mut Context<'_>) -> Vec<(&'a Line, &'a Atom)> {
    let mut found: Vec<(&Line, &Atom)> = Vec::new();
    for line in line.children().iter().filter(|it| it.name.value == word) {
        for atom in &line.args {
            let Some(name) = text(atom) else { continue };
            match found.iter().find(|it| text(it.1) == Some(name)) {
                Some((_, first)) => {
                    let message = format!("`{word}` names `{name}` twice in one pipeline");
                    context.out.push(twice(message, atom.span, first.span).help("name it once"));
                }
                None => found.push((line, atom)),
            }
        }
    }
    found
}

/// Every processor declared that can treat the pipeline's signal, in the order declared.
fn all_processors(collector: &Collector, pipeline: &Pipeline, version: Option<Version>) -> Vec<Reference> {
    let treats = |component: &&Component| {
        let signals = component.fact().zip(version).and_then(|(fact, version)| fact.signals(version));
        signals.is_none_or(|signals| signals.contains(pipeline.signal))
    };
    let reference = |component: &Component| {
        let reason = "without `through`, every processor of the collector runs, in the order declared";
        Reference {
            id: component.id.clone(),
            origin: Origin::derived(PASS, reason, &[&component.origin, &pipeline.origin]),
        }
    };
    collector.of_kind(ComponentKind::Processor).filter(treats).map(reference).collect()
}

/// The component that a name means at a place of a pipeline. Anything else is reported.
fn component(
    system: &System,
    collector: &Collector,
    place: &Place,
    atom: &Atom,
    context: &mut Context<'_>,
) -> Option<Reference> {
    let id = ComponentId::parse(text(atom)?);
    if place.kinds.iter().any(|kind| collector.component(*kind, &id).is_some()) {
        return Some(Reference { id, origin: Origin::written(atom.span) });
    }
    if let Some(other) = collector.components.iter().find(|it| it.id == id) {
        let message = format!("`{}` cannot name `{id}`: it is declared as {}", place.word, a(other.kind));
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, format!("{} here", a(other.kind)));
        let finding = finding.label(other.origin.span(), "declared here").note(place.why);
        let elsewhere = [&FROM, &THROUGH, &TO].into_iter().find(|it| it.kinds.contains(&other.kind));
        let finding = declare(finding, place, &id);
        context.out.push(match elsewhere {
            Some(other) => finding.help(format!("name `{id}` in `{}`", other.word)),
            None => finding.help("an extension stands in no pipeline: it runs once it is declared"),
        });
        return None;
    }
    if let Some(node) = system.find(&id.to_string()).map(|id| system.node(id)) {
        let message = format!("`{}` cannot name `{id}`: it is {}", place.word, what(node));
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "a node of the stack");
        let finding = finding.label(node.span(), "declared here").note(place.why);
        context.out.push(finding.help("an edge is declared by its sender: `to` in the pipeline that the data leaves"));
        return None;
    }
    if context.collector_incomplete || (context.incomplete && place.word == TO.word) {
        return None;
    }
    let search = context.out.len() < SEARCHED;
    context.out.push(unknown(system, collector, place, &id, atom.span, search));
    None
}

/// For so many findings it is worked out what may have been meant. Who made more did something else wrong, and
/// comparing thousands of names with thousands takes long.
const SEARCHED: usize = 1000;

/// A name that is declared nowhere. `search` for what may have been meant.
fn unknown(
    system: &System,
    collector: &Collector,
    place: &Place,
    id: &ComponentId,
    span: Span,
    search: bool,
) -> Diagnostic {
    let kinds = place.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let message = if place.word == TO.word {
        format!("`to` names `{id}`, but no {kinds} of this collector and no other node has that name")
    } else {
        format!("`{}` names `{id}`, but this collector declares no such {kinds}", place.word)
    };
    let finding = Diagnostic::new(&codes::UNKNOWN_NAME, message).at(span, "declared nowhere");
    if !search {
        return finding;
    }
    let declared = collector.components.iter().filter(|it| place.kinds.contains(&it.kind)).map(|it| it.id.to_string());
    let mut known: Vec<String> = declared.collect();
    if place.word == TO.word {
        let itself = |node: &Node| node.collector().is_some_and(|it| std::ptr::eq(it, collector));
        let others = system.nodes().map(|(_, node)| node).filter(|it| takes_telemetry(it) && !itself(it));
        known.extend(others.map(|it| it.name.clone()));
        let store =
            Product::parse(&id.to_string()).filter(|it| is_declared_in_stacks(*it) && Store::new(*it).is_some());
        if let Some(product) = store {
            return finding.help(format!("declare the store: a line `{}` in the stack", product.id()));
        }
    }
    if place.kinds.iter().any(|kind| otelcol::component(*kind, &id.ty).is_some()) {
        return declare(finding, place, id);
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let slip = nearest(&id.to_string(), known.iter().copied()).is_some();
    let upstream = place.kinds.iter().find_map(|kind| Some((*kind, otelcol::nearest(*kind, &id.ty)?)));
    let finding = did_you_mean(finding, &id.to_string(), &known, "names");
    match upstream.filter(|_| !slip) {
        Some((kind, near)) => finding.help(format!("if you mean upstream's `{near}`, declare it: `{kind} \"{near}\"`")),
        None => finding,
    }
}

/// Proposes to declare a component that the catalog knows.
fn declare(finding: Diagnostic, place: &Place, id: &ComponentId) -> Diagnostic {
    match place.kinds.iter().find(|kind| otelcol::component(**kind, &id.ty).is_some()) {
        Some(kind) => finding.help(format!("declare it: `{kind} \"{id}\"`")),
        None => finding,
    }
}

fn a(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Receiver => "a receiver",
        ComponentKind::Processor => "a processor",
        ComponentKind::Exporter => "an exporter",
        ComponentKind::Connector => "a connector",
        ComponentKind::Extension => "an extension",
    }
}

fn takes_telemetry(node: &Node) -> bool {
    let only_sends = node.external().is_some_and(|it| it.programs.is_some());
    matches!(node.kind, NodeKind::Collector(_) | NodeKind::Store(_) | NodeKind::External(_)) && !only_sends
}

/// What an argument of `to` means: a component of the collector first, then another node.
fn target<'a>(
    system: &System,
    sender: NodeId,
    line: &'a Line,
    atom: &'a Atom,
    context: &mut Context<'_>,
) -> Option<Target<'a>> {
    let collector = system.node(sender).collector()?;
    let name = text(atom)?;
    let id = ComponentId::parse(name);
    let inside = TO.kinds.iter().any(|kind| collector.component(*kind, &id).is_some());
    let outside = system.find(name).filter(|_| !inside);
    let Some(other) = outside else {
        let reference = component(system, collector, &TO, atom, context)?;
        if let Some(prop) = line.props.first() {
            let message =
                format!("`{}` means nothing for `{name}`, a component of the collector itself", prop.key.value);
            let finding =
                Diagnostic::new(&codes::WRONG_VALUE, message).at(prop.key.span, "for what is not in the collector");
            let finding = finding.label(atom.span, "named here");
            context.out.push(
                finding.help(format!("name `{name}` on a `to` line of its own, and set it up where it is declared")),
            );
        }
        return Some(Target::Component(reference));
    };
    let node = system.node(other);
    let itself = other == sender;
    if takes_telemetry(node) && !itself {
        has_tenants(node, line, context);
        return Some(Target::Node(other, line, atom));
    }
    let finding = if itself {
        let message = format!("`to` cannot name `{name}`: it is this collector, and its data would go round for ever");
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "the collector itself");
        finding
            .help("to join two pipelines, declare `connector \"forward\"`: `to` it in the one, `from` it in the other")
    } else {
        let message = format!("`to` cannot name `{name}`: it is {}, which takes no telemetry", what(node));
        let known = takers(system, sender);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "takes no telemetry");
        finding.help(format!("what takes telemetry here: {}", listed(&known)))
    };
    context.out.push(finding.label(node.span(), "declared here"));
    None
}

/// The names of what a collector can send to.
fn takers(system: &System, sender: NodeId) -> Vec<String> {
    let takes = system.nodes().filter(|(id, node)| takes_telemetry(node) && *id != sender);
    takes.map(|(_, node)| node.name.clone()).collect()
}

/// Reports a tenant that is named to a store without tenants.
fn has_tenants(node: &Node, line: &Line, context: &mut Context<'_>) {
    let (Some(store), Some(tenant)) = (node.store(), line.props.iter().find(|it| it.key.value == "tenant")) else {
        return;
    };
    let product = store.product();
    if grammar::STACK.child(product.id()).is_some_and(|form| form.child("tenant").is_some()) {
        return;
    }
    let message = format!("`tenant` means nothing for `{}`: {product} does not tell tenants apart", node.name);
    let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(tenant.key.span, "no tenants there");
    let finding = finding.label(node.span(), "declared here");
    context.out.push(
        finding.help("leave `tenant` out, or name it on a `to` line of its own for the stores that have tenants"),
    );
}

/// The one edge between a collector and another node, made or found, with what a `to` line asks of it.
fn connect(
    system: &mut System,
    from: NodeId,
    to: NodeId,
    line: &Line,
    atom: &Atom,
    context: &mut Context<'_>,
) -> EdgeId {
    let known = system.outgoing(from, Purpose::Telemetry).into_iter().find(|it| it.1 == to).map(|it| it.0);
    let id =
        known.unwrap_or_else(|| system.connect(from, to, Edge::new(Purpose::Telemetry, Origin::written(atom.span))));
    let name = system.node(to).name.clone();
    let edge = system.edge_mut(id);
    let protocol = line.prop("protocol").and_then(|atom| Some(sourced(atom, protocol(text(atom)?)?)));
    merge(&mut edge.wanted, protocol, "protocol", &name, context);
    merge(&mut edge.tenant, line.prop("tenant").and_then(sourced_text), "tenant", &name, context);
    id
}

/// One edge has one protocol and one tenant: two `to` lines must not ask for different ones.
fn merge<T: PartialEq>(
    old: &mut Option<Sourced<T>>,
    new: Option<Sourced<T>>,
    what: &str,
    name: &str,
    context: &mut Context<'_>,
) {
    match (&old, new) {
        (_, None) => {}
        (None, new) => *old = new,
        (Some(old), Some(new)) if old.value == new.value => {}
        (Some(old), Some(new)) => {
            let message = format!("two pipelines ask for different values of `{what}` on the way to `{name}`");
            let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(new.span(), "this one");
            let finding = finding.label(old.span(), "and that one");
            let finding = finding.note("one collector sends to another node in one way, whatever the signal");
            context.out.push(finding.help(format!("ask for the same `{what}` in both, or for none in one of them")));
        }
    }
}

/// What a pipeline may ask for. `otlp` leaves the transport to negotiation.
fn protocol(word: &str) -> Option<Protocol> {
    match word {
        "otlp" => Some(Protocol("otlp")),
        "otlp-grpc" => Some(Protocol::OTLP_GRPC),
        "otlp-http" => Some(Protocol::OTLP_HTTP),
        "remote-write" => Some(Protocol::REMOTE_WRITE),
        "loki" => Some(Protocol::LOKI_PUSH),
        _ => None,
    }
}
