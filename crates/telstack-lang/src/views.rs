//! `grafana` and `alertmanager`.

use telstack_catalog::product::Product;
use telstack_diagnostics::Diagnostic;
use telstack_syntax::stack::Node as Line;
use telstack_system::{
    Alerter, Edge, Node, NodeId, NodeKind, Origin, Purpose, Store, System, Viewer, Webhook, is_declared_in_stacks,
};

use crate::{
    check::{twice, value},
    codes,
    names::{did_you_mean, one_of},
    stack::{Context, PASS, name_of, resources, what},
    words::{self, sourced, sourced_text, text},
};

/// The node of a `grafana` line.
pub(crate) fn grafana(line: &Line, context: &mut Context<'_>) -> Node {
    let viewer = Viewer {
        admin_user: value(line, "admin_user").and_then(sourced_text),
        admin_password: value(line, "admin_password").and_then(words::secret),
        ..Viewer::default()
    };
    let version = context.versions.of(Product::Grafana, line);
    let kind = NodeKind::Viewer(Box::new(viewer));
    let mut node = Node::new(name_of(line), Origin::written(line.head()), Some(version), kind);
    node.resources = resources(line);
    node
}

/// The node of an `alertmanager` line.
pub(crate) fn alertmanager(line: &Line, context: &mut Context<'_>) -> Node {
    let mut alerter = Alerter {
        repeat_interval: value(line, "repeat_interval").and_then(|atom| Some(sourced(atom, words::period(atom)?))),
        ..Alerter::default()
    };
    for atom in line.children().iter().filter(|it| it.name.value == "webhook").filter_map(|it| it.args.first()) {
        let Some(url) = text(atom).filter(|url| words::is_url(url)) else { continue };
        match alerter.webhooks.iter().find(|it| it.url == url).and_then(|it| it.origin.span()) {
            Some(first) => context.out.push(twice(format!("alerts go to `{url}` twice"), atom.span, first)),
            None => alerter.webhooks.push(Webhook { url: url.to_owned(), origin: Origin::written(atom.span) }),
        }
    }
    let version = context.versions.of(Product::Alertmanager, line);
    let kind = NodeKind::Alerter(Box::new(alerter));
    let mut node = Node::new(name_of(line), Origin::written(line.head()), Some(version), kind);
    node.resources = resources(line);
    node
}

/// Edges from Grafana to what it reads: what `reads` names, else every store.
pub(crate) fn reads(system: &mut System, id: NodeId, line: &Line, context: &mut Context<'_>) {
    let mut lines = line.children().iter().filter(|it| it.name.value == "reads").peekable();
    if lines.peek().is_none() {
        let origin = system.node(id).origin.clone();
        let stores: Vec<_> = system.nodes().filter(|it| it.1.store().is_some()).map(|it| it.0).collect();
        for store in stores {
            let reason = "without `reads`, Grafana reads every store of the stack";
            let origin = Origin::derived(PASS, reason, &[&origin, &system.node(store).origin]);
            system.connect(id, store, Edge::new(Purpose::Query, origin));
        }
        return;
    }
    for atom in lines.flat_map(|it| &it.args) {
        let Some(name) = text(atom) else { continue };
        let Some(other) = system.find(name) else {
            if !context.incomplete {
                let known = readable(system);
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("`reads` names `{name}`, but nothing in this stack has that name");
                let finding = Diagnostic::new(&codes::UNKNOWN_NAME, message).at(atom.span, "unknown");
                let finding = did_you_mean(finding, name, &known, "stores");
                let store = Product::parse(name).filter(|it| is_declared_in_stacks(*it) && Store::new(*it).is_some());
                context.out.push(match store {
                    Some(product) => finding.help(format!("declare it: a line `{}` in the stack", product.id())),
                    None => finding,
                });
            }
            continue;
        };
        let node = system.node(other);
        if node.store().is_none() && node.alerter().is_none() {
            let message = format!("Grafana cannot read `{name}`: it is {}", what(node));
            let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "nothing to read here");
            let known = readable(system);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let finding = finding.label(node.span(), "declared here");
            context.out.push(finding.help(format!("name a store: {}", one_of(&known))));
            continue;
        }
        let queries = system.outgoing(id, Purpose::Query);
        if let Some((edge, _)) = queries.iter().find(|it| it.1 == other) {
            let first = system.edge(*edge).origin.span().unwrap_or(atom.span);
            context.out.push(twice(format!("`{name}` is read twice"), atom.span, first));
            continue;
        }
        system.connect(id, other, Edge::new(Purpose::Query, Origin::written(atom.span)));
    }
}

fn readable(system: &System) -> Vec<String> {
    let stores = system.nodes().filter(|it| it.1.store().is_some() || it.1.alerter().is_some());
    stores.map(|it| it.1.name.clone()).collect()
}

/// Edges from everything that evaluates alert rules to an Alertmanager.
pub(crate) fn alerts(system: &mut System, id: NodeId) {
    let origin = system.node(id).origin.clone();
    let evaluates = |product| matches!(product, Some(Product::Prometheus | Product::Loki));
    let senders: Vec<_> = system.nodes().filter(|it| evaluates(it.1.product())).map(|it| it.0).collect();
    for sender in senders {
        system.connect(sender, id, Edge::new(Purpose::Alert, origin.clone()));
    }
}
