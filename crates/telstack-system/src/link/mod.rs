//! Links: what is dialled, as settings and files say it, and the node that answers.
//!
//! The one home for both doors: a stack whose exporters were written out, and files that people wrote.

mod dials;
mod doors;
mod forward;
mod reach;
mod sdk;
mod topics;
mod way;

pub use dials::{Address, of_exporter as exporter_dials, own_address};
pub(crate) use dials::{HTTPS_PORT, TENANT};
pub(crate) use doors::FEATURES;
pub use doors::{Door, JAEGER_1_TLS, is_met, listeners};
pub use forward::{Sender, Spread, clients, forward, senders};
pub use reach::Hearing;
pub use sdk::programs;
pub use topics::{Channel, consumers, producers};
pub use way::{Way, leading_to, way};

use std::{cell::LazyCell, collections::HashSet};

use telstack_catalog::{ComponentKind, SignalSet, otelcol};

use crate::{
    graph::{NodeId, System},
    model::{Dial, Edge, External, ExternalEndpoint, Node, NodeKind, Purpose},
    origin::Sourced,
    wiring::Wiring,
};

/// Somebody dials an address.
#[derive(Clone, Debug)]
pub struct Call {
    /// What for.
    pub purpose: Purpose,
    /// Who dials.
    pub from: NodeId,
    /// Where, and how.
    pub dial: Dial,
    /// The signals that flow, for telemetry.
    pub signals: SignalSet,
    /// In a collector, the pipelines that feed it, with the place that says so.
    pub pipelines: Vec<Sourced<usize>>,
}

/// What the exporters of all collectors dial, and the receivers that read messages, as far as their settings say. An
/// exporter that an edge has already is left out, and one that no pipeline feeds dials nobody.
pub fn telemetry(system: &System) -> Vec<Call> {
    let mut calls = Vec::new();
    for (from, node, collector) in system.collectors() {
        let wiring = Wiring::of(collector);
        let served = system
            .outgoing(from, Purpose::Telemetry)
            .iter()
            .filter_map(|(edge, _)| system.edge(*edge).exporter())
            .collect::<HashSet<_>>();
        for exporter in collector.of_kind(ComponentKind::Exporter).filter(|it| !served.contains(&it.id)) {
            for (dial, goes) in exporter_dials(exporter, node.version()) {
                let carries = |at: usize| goes.contains(collector.pipelines[at].signal);
                let fed = wiring.feeding(&exporter.id).iter().filter(|(at, _)| carries(*at));
                let mut pipelines: Vec<Sourced<usize>> =
                    fed.map(|(at, reference)| Sourced::new(*at, reference.origin.clone())).collect();
                pipelines.dedup_by_key(|it| it.value);
                if pipelines.is_empty() {
                    continue;
                }
                let signals = pipelines.iter().map(|it| collector.pipelines[it.value].signal).collect();
                calls.push(Call { purpose: Purpose::Telemetry, from, dial, signals, pipelines });
            }
        }
        topics::calls(system, (from, collector), &mut calls);
    }
    calls
}

/// What the receivers of collectors scrape that take a part of Prometheus's configuration, as far as it is written
/// out and nothing changes it.
pub fn scrapes(system: &System) -> Vec<Call> {
    let mut calls = Vec::new();
    for (from, _, collector) in system.collectors() {
        let wiring = LazyCell::new(|| Wiring::of(collector));
        for receiver in collector.of_kind(ComponentKind::Receiver) {
            let block = receiver.fact().and_then(otelcol::Component::server_only).map(|(block, _)| block);
            let config = block.and_then(|block| receiver.setting(block));
            if config.is_none() || wiring.mentions(receiver).next().is_none() {
                continue;
            }
            let jobs = config.and_then(|it| it.at("scrape_configs")?.as_seq()).unwrap_or_default();
            for dial in jobs.iter().flat_map(|job| dials::of_job(receiver, job)) {
                let (purpose, signals, pipelines) = (Purpose::Scrape, SignalSet::default(), Vec::new());
                calls.push(Call { purpose, from, dial, signals, pipelines });
            }
        }
    }
    calls
}

/// Makes an edge of each call: to the node that answers to the host's name, else to something outside that
/// is called after the host. Who dials itself makes none.
pub fn connect(system: &mut System, calls: Vec<Call>) {
    for call in calls {
        let Call { purpose, from, dial, signals, pipelines } = call;
        let (to, via) = match way(system, from, &dial.host, dial.port) {
            Way::To(to, via) => (to, via),
            Way::Service(via) => (system.add(outside(&dial, signals)), Some(via)),
            Way::Out => (system.add(outside(&dial, signals)), None),
            Way::Nowhere => continue,
        };
        if to == from && purpose != Purpose::Telemetry {
            continue;
        }
        let mut edge = Edge::new(purpose, dial.origin.clone());
        (edge.signals, edge.pipelines, edge.dial, edge.via) = (signals, pipelines, Some(dial), via);
        system.connect(from, to, edge);
    }
}

fn outside(dial: &Dial, signals: SignalSet) -> Node {
    let endpoint = ExternalEndpoint {
        protocol: dial.protocol,
        signals,
        endpoint: Sourced::new(format!("{}:{}", dial.host, dial.port), dial.origin.clone()),
        in_settings: false,
        token: None,
        settings: Vec::new(),
        origin: dial.origin.clone(),
    };
    let kind = NodeKind::External(Box::new(External { endpoints: vec![endpoint], ..External::default() }));
    Node::new(&dial.host, dial.origin.clone(), None, kind)
}
