//! Self-monitoring: Prometheus scrapes every part of the stack that has metrics.

use telstack_catalog::product::Product;
use telstack_diagnostics::Diagnostics;

use super::{Pass, encryption};
use crate::{
    graph::{NodeId, System},
    known::Known,
    model::{Dial, Edge, NodeKind, Protocol, Purpose, ScrapeJob, Tls},
    origin::{Origin, Sourced},
};

const NAME: &str = "scrape";

pub(super) const PASS: Pass =
    Pass { name: NAME, reason: "let Prometheus scrape every part of the stack, itself included", run };

fn run(system: &mut System, _: &mut Diagnostics) {
    for prometheus in system.node_ids() {
        if system.node(prometheus).store().is_some_and(|it| it.product() == Product::Prometheus) {
            for target in system.node_ids() {
                scrape(system, prometheus, target);
            }
        }
    }
}

fn scrape(system: &mut System, prometheus: NodeId, target: NodeId) {
    let node = system.node(target);
    if matches!(node.kind, NodeKind::External(_)) {
        return;
    }
    let Some(listener) = node.listeners.iter().find(|it| it.name == "metrics") else { return };
    let itself = prometheus == target;
    let tls = listener.tls.value().unwrap_or(Tls::Off);
    // A certificate names the node, not `localhost`.
    let host = if itself && tls == Tls::Off { "localhost" } else { &node.name };
    let ca = encryption::authority(NAME, Product::Prometheus, node).filter(|_| tls != Tls::Off);
    let own = &system.node(prometheus).origin;
    let reason = format!("{} has metrics of its own, and Prometheus is there to watch them", node.title());
    let origin = Origin::derived(NAME, reason, &[&node.origin, own]);
    let place =
        Origin::fact(NAME, format!("{} shows its metrics here", node.title()), &[&node.origin, &listener.origin]);
    let path = listener.path.clone().unwrap_or_else(|| "/metrics".to_owned());
    let job = ScrapeJob {
        name: node.name.clone(),
        target: Sourced::new(format!("{host}:{}", listener.port), place.clone()),
        path: path.clone(),
        ca,
        origin: origin.clone(),
    };
    let dial = Dial {
        component: None,
        protocol: Protocol::EXPOSITION,
        host: host.to_owned(),
        port: listener.port,
        path,
        tls: Known::Value(tls),
        tenant: None,
        origin: place,
    };
    if !itself {
        let mut edge = Edge::new(Purpose::Scrape, origin);
        edge.dial = Some(dial);
        system.connect(prometheus, target, edge);
    }
    if let Some(facet) = system.node_mut(prometheus).store_mut().and_then(|store| store.prometheus_mut())
        && !facet.jobs.iter().any(|known| known.name == job.name)
    {
        facet.jobs.push(job);
    }
}
