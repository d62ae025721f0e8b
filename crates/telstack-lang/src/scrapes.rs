//! `scrape` of a collector, and `kube-state-metrics`, which is there to be scraped.

use telstack_catalog::{ComponentKind, Signal, operator, otelcol, product::Product};
use telstack_diagnostics::Diagnostic;
use telstack_syntax::{
    stack::{Atom, Node as Line},
    tree,
};
use telstack_system::{
    Collector, Component, ComponentId, Node, NodeId, NodeKind, Origin, Platform, Reference, Scrape, System, Value,
};

use crate::{
    check::twice,
    codes,
    form::{Args, Block, Form, Kind, Props},
    grammar,
    names::{did_you_mean, nearest},
    sidecar,
    stack::{Context, PASS, name_of, resources, what},
    words::{self, sourced, sourced_text, text},
};

/// `scrape` of a collector.
pub(crate) static SCRAPE: Form = Form {
    word: "scrape",
    about: "Metrics that are fetched: from a node of the stack, from pods whose annotations say so (`annotated-pods`), or \
            from what a Service of the cluster leads to.",
    args: Args::One(Kind::Name),
    props: Props::Only(&[
        ("namespace", Kind::Name),
        ("port", Kind::Count),
        ("path", Kind::InnerPath),
        ("interval", Kind::Period),
    ]),
    example: r#"scrape "kube-state-metrics""#,
    ..grammar::PLAIN
};

/// `kube-state-metrics`.
pub(crate) static KUBE_STATE_METRICS: Form = Form {
    word: "kube-state-metrics",
    about: "A kube-state-metrics, which shows what the cluster holds and how it is, as metrics.",
    block: Block::Words(&[&grammar::RESOURCES]),
    example: "kube-state-metrics",
    ..grammar::STORE
};

/// What is declared by its own name, and scraped by it.
const KSM: &str = Product::KubeStateMetrics.id();
/// The receiver that embeds Prometheus.
const RECEIVER: &str = "prometheus";

/// Adds the receiver of a `scrape` line. What is `shared` out among pods is all in one, for the target allocator knows
/// no other.
pub(crate) fn scrape(collector: &mut Collector, line: &Line, shared: bool, context: &mut Context<'_>) {
    let Some(target) = line.args.first().and_then(sourced_text) else { return };
    let id = if shared {
        ComponentId::parse(&operator::allocator().receiver)
    } else {
        ComponentId::new(RECEIVER, Some(&target.value))
    };
    let known = collector.component(ComponentKind::Receiver, &id);
    let again = collector.scrapes.iter().find(|it| it.target.value == target.value).map(|it| &it.origin);
    let own = collector.scrapes.iter().any(|it| it.receiver == id);
    if let Some(first) = known.map(|it| &it.origin).filter(|_| !shared || !own).or(again) {
        let message = format!("`{}` is scraped twice, as the receiver `{id}`", target.value);
        context.out.push(match first.span() {
            Some(span) => twice(message, line.head(), span),
            None => Diagnostic::new(&codes::DECLARED_TWICE, message).at(line.head(), "again here"),
        });
        return;
    }
    let origin = Origin::written(line.head());
    if known.is_none() {
        let settings = Value { kind: tree::Kind::Null, mark: origin.clone() };
        let kind = ComponentKind::Receiver;
        collector.components.push(Component { kind, id: id.clone(), settings, origin: origin.clone() });
    }
    // One that there is not is reported, and still a port.
    let port = |atom: &Atom| Some(sourced(atom, u16::try_from(words::count(atom)?).unwrap_or(u16::MAX)));
    let beyond = |atom: &&Atom| words::count(atom).is_some_and(|it| u16::try_from(it).is_err());
    if let Some(atom) = line.prop("port").filter(beyond) {
        let finding = Diagnostic::new(&codes::WRONG_VALUE, "there is no such port").at(atom.span, "above 65535");
        context.out.push(finding.help("write the port of the pods that answer, such as `port=9400`"));
    }
    collector.scrapes.push(Scrape {
        receiver: id,
        target,
        namespace: line.prop("namespace").and_then(sourced_text),
        port: line.prop("port").and_then(port),
        path: line.prop("path").and_then(sourced_text),
        interval: line.prop("interval").and_then(|atom| Some(sourced(atom, words::period(atom)?))),
        origin,
    });
}

/// Reports targets that nobody knows where to find.
pub(crate) fn targets(system: &System, id: NodeId, context: &mut Context<'_>) {
    let scrapes = system.node(id).collector().map(|it| it.scrapes.clone()).unwrap_or_default();
    for scrape in scrapes {
        let name = scrape.target.value.as_str();
        let in_cluster = context.placed.platform.value == Platform::Kubernetes;
        let at = scrape.target.span();
        let of_cluster = in_cluster && (name == otelcol::ANNOTATED_PODS || scrape.port.is_some());
        match system.find(name).filter(|_| scrape.namespace.is_none()) {
            Some(target) if target == id => {
                let message = format!("`{name}` cannot scrape itself: what it says of itself would go round for ever");
                let finding = Diagnostic::new(&codes::WRONG_END, message).at(at, "the collector itself");
                context.out.push(finding.help("let another collector scrape it, or a `prometheus` of the stack"));
            }
            Some(target) if system.node(target).external().is_some() => {
                let node = system.node(target);
                let message = format!("`scrape` cannot name `{name}`: it is {}", what(node));
                let finding = Diagnostic::new(&codes::WRONG_END, message).at(at, "not the stack's to scrape");
                context.out.push(finding.label(node.span(), "declared here").help(
                    "write the receiver and its jobs yourself: `receiver \"prometheus\" { config { scrape_configs { … } } }`",
                ));
            }
            Some(target) => {
                if let Some(finding) = sidecar::unreached(system.node(target), at) {
                    context.out.push(finding);
                }
            }
            None if of_cluster || context.incomplete => {}
            None => {
                let message = format!("`scrape` names `{name}`, but no node of the stack has that name");
                let finding = Diagnostic::new(&codes::UNKNOWN_NAME, message).at(at, "declared nowhere");
                let mut known: Vec<&str> = system
                    .nodes()
                    .filter(|(other, node)| *other != id && node.external().is_none())
                    .map(|(_, it)| &*it.name)
                    .collect();
                known.extend(in_cluster.then_some(otelcol::ANNOTATED_PODS));
                let finding = if in_cluster && (name == KSM || nearest(name, [KSM].into_iter()).is_some()) {
                    finding.help("declare one: a line `kube-state-metrics` in the stack")
                } else {
                    did_you_mean(finding, name, &known, "nodes")
                };
                context.out.push(if in_cluster {
                    finding.help(format!("of a Service of the cluster, say the port: `scrape \"{name}\" port=9400`"))
                } else {
                    finding
                });
            }
        }
    }
}

/// The receivers of a metrics pipeline that names none: all that is scraped.
pub(crate) fn receivers(collector: &Collector, from: &Line) -> Vec<Reference> {
    let reason = "without `from`, all that the collector scrapes";
    let reference = |it: &Scrape| Reference {
        id: it.receiver.clone(),
        origin: Origin::derived(PASS, reason, &[&it.origin, &Origin::written(from.head())]),
    };
    let mut found: Vec<Reference> = Vec::new();
    for reference in collector.scrapes.iter().map(reference) {
        if !found.iter().any(|it| it.id == reference.id) {
            found.push(reference);
        }
    }
    found
}

/// Reports pipelines that name no source, and carry what nobody scrapes.
pub(crate) fn only_metrics(line: &Line, context: &mut Context<'_>) {
    let others = line.args.iter().find(|atom| words::signal(atom).is_some_and(|it| it.0 != Signal::Metrics));
    if let Some(atom) = others {
        let name = text(atom).unwrap_or_default();
        let message = format!("the pipeline `{name}` has no `from`, and what is scraped are metrics");
        let finding = Diagnostic::new(&codes::MISSING_PART, message).at(atom.span, "`from` is missing");
        context.out.push(finding.help("say where it comes from: `from \"otlp\"`"));
    }
}

/// The node of a `kube-state-metrics` line.
pub(crate) fn informer(line: &Line, context: &mut Context<'_>) -> Node {
    let product = Product::KubeStateMetrics;
    let version = context.versions.of(product, line);
    let mut node = Node::new(name_of(line), Origin::written(line.head()), Some(version), NodeKind::Informer(product));
    node.resources = resources(line);
    node
}
