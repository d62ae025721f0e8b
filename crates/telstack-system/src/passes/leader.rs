//! Leaders: of several collectors that could look at the whole cluster one does, and another when that one is gone.

use telstack_catalog::{ComponentKind, Version, otelcol};
use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    access,
    graph::{NodeId, System},
    model::{Collector, Component, ComponentId, ComponentRef, Platform, Reference},
    origin::{Origin, Value},
    wiring::Wiring,
};

const NAME: &str = "leader";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "let one of several collectors look at the whole cluster, and another when that one is gone",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    if system.platform.value != Platform::Kubernetes {
        return;
    }
    for id in system.node_ids() {
        let node = system.node(id);
        let (Some(version), Some(collector), Some(several)) =
            (node.version(), node.collector(), node.placement.several())
        else {
            continue;
        };
        let led: Vec<(ComponentRef, &'static str)> =
            led(collector, version).into_iter().map(|(it, leader)| (it.reference(), leader)).collect();
        for (component, leader) in led {
            elect(system, id, &component, leader, &several);
        }
    }
}

/// Components that one of several is enough of, where the release can choose one: each with the type of the extension
/// that does it, which is what the setting is called too.
fn led(collector: &Collector, version: Version) -> Vec<(&Component, &'static str)> {
    let wiring = Wiring::of(collector);
    let leader = |component: &Component| {
        let once = component.fact()?.once()?;
        let knows = component.fact()?.settings(version)?.at(&once.leader).is_some();
        let open = component.setting(&once.leader).is_none() && !access::is_limited(component, once);
        let can = knows && collector.ships(ComponentKind::Extension, &once.leader, version);
        (open && can && wiring.runs(component)).then_some(once.leader.as_str())
    };
    collector.components.iter().filter_map(|it| Some((it, leader(it)?))).collect()
}

fn elect(system: &mut System, id: NodeId, component: &ComponentRef, leader: &'static str, several: &Origin) {
    let node = system.node_mut(id);
    let (name, namespace) = (node.name.clone(), node.placement.namespace.clone());
    let Some(collector) = node.collector_mut() else { return };
    let Some(at) = collector.component(component.kind, &component.id).map(|it| it.origin.clone()) else { return };
    let reason = "several of it run, and one is enough to look at the whole cluster: they choose one, and another \
                  when that one is gone";
    let origin = Origin::derived(NAME, reason, &[&at, several]);
    let declared = collector.of_kind(ComponentKind::Extension).find(|it| it.id.ty == leader).map(|it| it.id.clone());
    let extension = declared.unwrap_or_else(|| {
        let id = ComponentId::new(leader, None);
        let facts = otelcol::leader();
        let mut settings = Value::map(origin.clone());
        if let Some(map) = settings.as_map_mut() {
            let own = Origin::derived(NAME, "what they hold in turn, called like the collector", &[&origin]);
            map.set(&facts.lease, own.string(name));
            if let Some(namespace) = &namespace {
                let own = Origin::derived(NAME, "in the namespace of the collector", &[&namespace.origin, &origin]);
                map.set(&facts.namespace, own.string(&*namespace.value));
            }
        }
        let kind = ComponentKind::Extension;
        collector.components.push(Component { kind, id: id.clone(), settings, origin: origin.clone() });
        id
    });
    if !collector.is_enabled(&extension) {
        collector.extensions.push(Reference { id: extension.clone(), origin: origin.clone() });
    }
    if let Some(component) = collector.component_mut(component.kind, &component.id) {
        component.put(leader, origin.string(extension.to_string()));
    }
}
