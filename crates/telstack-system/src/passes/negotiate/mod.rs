//! Negotiation: the protocols that the sender can speak meet those that the receiver accepts.

mod doors;
mod findings;
mod settings;

use telstack_catalog::{ComponentKind, Signal, SignalSet, product::Product};
use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    graph::{EdgeId, NodeId, System},
    model::{Collector, Component, ComponentId, ComponentRef, EnvValue, EnvVar, Node, Purpose, Reference},
    origin::{Origin, Sourced},
};
use doors::{Door, Place, doors, is_wanted, speaker, takes_elsewhen};

const NAME: &str = "negotiate";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "choose, for each edge, the protocol that both versions have, and the exporter that speaks it",
    run,
};

fn run(system: &mut System, diagnostics: &mut Diagnostics) {
    let open: Vec<EdgeId> = system
        .edge_ids()
        .into_iter()
        .filter(|edge| system.edge(*edge).purpose == Purpose::Telemetry && system.edge(*edge).dial.is_none())
        .collect();
    // Before any exporter is written: a store that tells tenants apart wants one from every sender.
    for edge in &open {
        tell_tenants_apart(system, *edge);
    }
    for edge in open {
        negotiate(system, edge, diagnostics);
    }
}

/// A tenant named by a sender alone: the store must tell tenants apart, and its readers name it too.
fn tell_tenants_apart(system: &mut System, edge: EdgeId) {
    let (_, to) = system.ends(edge);
    let Some(tenant) = system.edge(edge).tenant.clone() else { return };
    if let Some(store) = system.node_mut(to).store_mut()
        && matches!(store.product(), Product::Loki | Product::Tempo)
        && store.tenant.is_none()
    {
        let reason = "the sender names a tenant, so the store tells tenants apart";
        store.tenant = Some(Sourced::new(tenant.value, Origin::derived(NAME, reason, &[&tenant.origin])));
    }
}

fn negotiate(system: &mut System, edge_id: EdgeId, diagnostics: &mut Diagnostics) {
    let (from, to) = system.ends(edge_id);
    let (sender, receiver, edge) = (system.node(from), system.node(to), system.edge(edge_id));
    let (Some(collector), Some(version)) = (sender.collector(), sender.version()) else { return };
    let distribution = collector.distribution.value;

    // A receiver or pipeline of another collector that was not understood is not one that is missing.
    let may_lack = !system.complete && receiver.collector().is_some();
    let doors = doors(receiver);
    let mut wanted_signals = SignalSet::default();
    for pipeline in &edge.pipelines {
        let signal = collector.pipelines[pipeline.value].signal;
        if doors.iter().any(|door| door.signals.contains(signal)) || takes_elsewhen(receiver, signal) {
            wanted_signals.insert(signal);
        } else if !may_lack {
            diagnostics.push(findings::signal_not_accepted(system, receiver, signal, &pipeline.origin));
        }
    }
    if wanted_signals.is_empty() {
        return;
    }
    let reaches = |door: &Door, signal| {
        door.signals.contains(signal) && speaker(door.protocol, signal, distribution, version).is_some()
    };
    let serves = |door: &&Door| wanted_signals.iter().all(|signal| reaches(door, signal));
    let usable: Vec<&Door> = doors.iter().filter(serves).collect();
    let fits = |door: &&Door| edge.wanted.as_ref().is_none_or(|wanted| is_wanted(wanted.value, door.protocol));
    let fitting: Vec<&Door> = usable.iter().copied().filter(fits).collect();
    let Some(door) = fitting.iter().copied().find(|door| !door.wants_certificate()) else {
        if may_lack && fitting.is_empty() {
            return;
        }
        let lost = wanted_signals.iter().find(|signal| !doors.iter().any(|door| reaches(door, *signal)));
        diagnostics.push(match (fitting.first(), &edge.wanted, lost) {
            (Some(door), _, _) => findings::wants_certificate(sender, receiver, door, edge),
            (None, Some(wanted), _) if !usable.is_empty() => findings::not_available(sender, receiver, wanted, &usable),
            (_, _, Some(signal)) => findings::no_common_protocol(sender, receiver, distribution, version, signal, edge),
            (_, _, None) => findings::no_single_protocol(sender, receiver, wanted_signals, &doors, edge),
        });
        return;
    };
    let signal = wanted_signals.iter().next().unwrap_or(Signal::Logs);
    let Some(exporter) = speaker(door.protocol, signal, distribution, version) else { return };
    let ty = exporter.name_at(version);
    let why = reason(sender, receiver, door, ty, edge.wanted.is_some());
    let mut because = vec![&edge.origin];
    because.extend(edge.wanted.iter().map(|wanted| &wanted.origin));
    because.extend(sender.version.iter().chain(&receiver.version).map(|version| &version.origin));
    let origin = Origin::fact(NAME, why, &because);
    let id = exporter_id(collector, ty, receiver);
    let tenant = edge.tenant.clone().or_else(|| receiver.store().and_then(|store| store.tenant.clone()));
    let tree = exporter.settings(version);
    let (settings, mut dial) =
        settings::Edge { sender, receiver, door, tenant: tenant.as_ref(), tree: tree.as_deref(), origin: &origin }
            .settings();
    dial.component = Some(ComponentRef { kind: ComponentKind::Exporter, id: id.clone() });
    let pipelines = edge.pipelines.clone();
    let tokens = match &door.place {
        Place::Outside(it) => it.token.clone(),
        Place::Inside(_) => None,
    };

    let node = system.node_mut(from);
    if let Some(token) = tokens
        && let Some(name) = token.value.variable()
        && !node.environment.iter().any(|it| it.name == name)
    {
        let value = EnvValue::Required(token.value);
        node.environment.push(EnvVar::new(name, value, token.origin));
    }
    if let Some(collector) = node.collector_mut() {
        collector.components.push(Component {
            kind: ComponentKind::Exporter,
            id: id.clone(),
            settings,
            origin: origin.clone(),
        });
        for pipeline in &pipelines {
            let signal = collector.pipelines[pipeline.value].signal;
            if wanted_signals.contains(signal) {
                let origin = Origin::derived(NAME, "the exporter that serves this edge", &[&pipeline.origin]);
                collector.pipelines[pipeline.value].exporters.push(Reference { id: id.clone(), origin });
            }
        }
    }
    let edge = system.edge_mut(edge_id);
    edge.signals = wanted_signals;
    edge.dial = Some(dial);
}

fn exporter_id(collector: &Collector, ty: &str, receiver: &Node) -> ComponentId {
    let plain = ComponentId::new(ty, None);
    let says_it = ty == receiver.name;
    if says_it && collector.component(ComponentKind::Exporter, &plain).is_none() {
        return plain;
    }
    let mut id = ComponentId::new(ty, Some(&receiver.name));
    let mut count = 2;
    while collector.component(ComponentKind::Exporter, &id).is_some() {
        id.name = Some(format!("{}_{count}", receiver.name));
        count += 1;
    }
    id
}

/// Collectors by their names, which tell more than their release.
fn called(node: &Node) -> String {
    if node.collector().is_some() { format!("`{}`", node.name) } else { node.title() }
}

fn reason(sender: &Node, receiver: &Node, door: &Door, ty: &str, asked: bool) -> String {
    let (from, to, protocol) = (sender.title(), called(receiver), door.protocol.title());
    if asked {
        format!("{protocol}, because the stack asks for it; {from} calls the exporter `{ty}`")
    } else {
        format!("{protocol}, which {to} takes; {from} calls the exporter `{ty}`")
    }
}

/// The id of every node that an edge of a purpose reaches, for other passes.
pub(super) fn telemetry_into(system: &System, node: NodeId) -> Vec<EdgeId> {
    system.incoming(node, Purpose::Telemetry).into_iter().map(|(edge, _)| edge).collect()
}
