//! Stores: what they must open, keep and be told, so that the edges that reach them work.

use telstack_catalog::product::{Endpoint, Need, Product};
use telstack_diagnostics::Diagnostics;

use super::{Pass, encryption, negotiate::telemetry_into};
use crate::{
    graph::{NodeId, System},
    known::Known,
    link::{self, Door, FEATURES},
    model::{Bind, Flag, JaegerStorage, Node, NodeKind, Protocol, Purpose, SchemaPeriod, StoreFacet},
    origin::{Origin, Sourced},
    units::Period,
};

const NAME: &str = "backends";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "give each store the listeners, flags, schema and retention that its edges and its release need",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        needed_flags(system, id);
        let exemplars = exemplars_are_read(system, id);
        let node = system.node_mut(id);
        let (origin, version) = (node.origin.clone(), node.version.clone());
        if let NodeKind::Store(store) = &mut node.kind {
            let retention = store.retention.clone();
            let size = store.size.clone();
            match &mut store.facet {
                StoreFacet::Prometheus(facet) => {
                    if facet.scrape_interval.is_none() {
                        let reason =
                            "15 s: fine enough for alerts that wait minutes, at a quarter of the default's gap";
                        facet.scrape_interval =
                            Some(Sourced::new(Period::from_secs(15), Origin::builtin(NAME, reason, &[&origin])));
                    }
                    // What the stack states is given even where a flag says otherwise: that is a finding, not a choice.
                    let stated = |name: &str, value: String, origin: Origin| Flag {
                        name: name.to_owned(),
                        value: Some(value),
                        origin,
                    };
                    if let Some(retention) = &retention {
                        let origin = retention.origin.clone();
                        facet.flags.push(stated("storage.tsdb.retention.time", retention.value.prometheus(), origin));
                    }
                    if let Some(size) = &size {
                        let reason = format!("{} in Prometheus's units, which are powers of two", size.value);
                        let origin = Origin::fact(NAME, reason, &[&size.origin]);
                        facet.flags.push(stated("storage.tsdb.retention.size", size.value.prometheus(), origin));
                    }
                    if let Some(link) = exemplars {
                        let reason = "Grafana links exemplars to traces, so Prometheus has to keep them";
                        let origin = Origin::derived(NAME, reason, &[&link]);
                        facet.enable(Flag {
                            name: FEATURES.to_owned(),
                            value: Some("exemplar-storage".to_owned()),
                            origin,
                        });
                    }
                }
                StoreFacet::Loki(facet) => {
                    if facet.schema.is_empty() {
                        let reason = "the schema that OTLP and structured metadata need; the day lies before any data";
                        facet.schema.push(SchemaPeriod {
                            from: "2024-01-01".to_owned(),
                            store: "tsdb".to_owned(),
                            schema: "v13".to_owned(),
                            origin: Origin::builtin(NAME, reason, &[&origin]),
                        });
                    }
                    if let Some(retention) = retention {
                        let reason = "without it Loki keeps everything, whatever `retention_period` says";
                        let enabled = Origin::fact(NAME, reason, &[&retention.origin]);
                        facet.retention_enabled.get_or_insert(Sourced::new(true, enabled));
                        let reason =
                            "where the compactor keeps its marks; Loki does not start with retention but without it";
                        let mut because = vec![&retention.origin];
                        because.extend(version.iter().map(|version| &version.origin));
                        let store = Origin::fact(NAME, reason, &because);
                        facet.delete_request_store.get_or_insert(Sourced::new("filesystem".to_owned(), store));
                    }
                }
                StoreFacet::Jaeger(storage) => {
                    let reason = "Badger keeps spans on disk; Jaeger's default forgets them at each restart";
                    storage
                        .get_or_insert(Sourced::new(JaegerStorage::Badger, Origin::builtin(NAME, reason, &[&origin])));
                }
                StoreFacet::Tempo(_) | StoreFacet::Mimir(_) => {}
            }
        }
        open(system, id);
    }
}

/// The Grafana line that reads both this Prometheus and a trace store.
fn exemplars_are_read(system: &System, prometheus: NodeId) -> Option<Origin> {
    system.node(prometheus).store()?.prometheus()?;
    system.incoming(prometheus, Purpose::Query).into_iter().find_map(|(edge, viewer)| {
        let traces = system.outgoing(viewer, Purpose::Query).into_iter().any(|(_, read)| {
            system.node(read).store().is_some_and(|it| matches!(it.product(), Product::Tempo | Product::Jaeger))
        });
        traces.then(|| system.edge(edge).origin.clone())
    })
}

/// Who dials a node, by what protocol: along which edge.
fn dialled(system: &System, id: NodeId) -> Vec<(Protocol, Origin)> {
    let edges = telemetry_into(system, id).into_iter().map(|edge| system.edge(edge));
    edges.filter_map(|edge| Some((edge.dial.as_ref()?.protocol, edge.origin.clone()))).collect()
}

/// The flags without which Prometheus does not take what it is sent.
fn needed_flags(system: &mut System, id: NodeId) {
    let node = system.node(id);
    let (Some(product), Some(version)) = (node.product(), node.version()) else { return };
    let dialled = dialled(system, id);
    let mut flags: Vec<Flag> = Vec::new();
    for endpoint in product.endpoints(version) {
        let use_of = dialled.iter().find(|(protocol, _)| protocol.0 == endpoint.protocol);
        let (Some((_, edge)), Some(need)) = (use_of, endpoint.needs) else { continue };
        let reason = format!("{} answers {} only with this flag", node.title(), endpoint.path.unwrap_or(endpoint.name));
        let origin = Origin::fact(NAME, reason, &[edge, &node.origin]);
        match need {
            Need::Flag(name) => {
                flags.push(Flag { name: name.trim_start_matches('-').to_owned(), value: None, origin });
            }
            Need::Feature(name) => {
                flags.push(Flag { name: FEATURES.to_owned(), value: Some(name.to_owned()), origin });
            }
            // Settings and environment are written by the store's own tool from its listeners.
            Need::Setting(_) | Need::Env(_) => {}
        }
    }
    if let Some(facet) = system.node_mut(id).store_mut().and_then(|store| store.prometheus_mut()) {
        for flag in flags {
            if flag.name == FEATURES || facet.flag(&flag.name).is_none() {
                facet.enable(flag);
            }
        }
    }
}

/// Opens what is dialled, and what the product always opens.
fn open(system: &mut System, id: NodeId) {
    let node = system.node(id);
    let (Some(product), Some(version)) = (node.product(), node.version()) else { return };
    if product == Product::Otelcol {
        return;
    }
    let dialled = dialled(system, id);
    let listeners = link::listeners(node, product, version, |endpoint| {
        let use_of = dialled.iter().find(|(protocol, _)| protocol.0 == endpoint.protocol);
        if !endpoint.signals.is_empty() && use_of.is_none() && !opens_by_itself(node, endpoint) {
            return None;
        }
        let origin = if let Some((_, edge)) = use_of {
            let reason = format!("{} takes {} here", node.title(), Protocol(endpoint.protocol).title());
            Origin::fact(NAME, reason, &[edge, &node.origin])
        } else {
            let default = endpoint.port;
            let reason = match endpoint.better_port {
                Some(_) => format!("{} would answer on {default}; later releases answer here", node.title()),
                None => format!("{} answers here", node.title()),
            };
            Origin::fact(NAME, reason, &[&node.origin])
        };
        // Every listener of a store that telstack runs is told to bind all interfaces of its container.
        let tls = Known::Value(encryption::of_endpoint(node, endpoint));
        Some(Door { port: endpoint.better_port.unwrap_or(endpoint.port), bind: Bind::All, tls, origin })
    });
    system.node_mut(id).listeners = listeners;
}

/// Does the product open a telemetry endpoint whether or not anything is sent there? Tempo and Jaeger open
/// what their configuration lists; Jaeger 1 has none and opens all it has.
fn opens_by_itself(node: &Node, endpoint: &Endpoint) -> bool {
    let lists_receivers = matches!(node.product(), Some(Product::Tempo | Product::Jaeger));
    let has_file = || Some(node.product()?.layout(node.version()?)?.config_path.is_some());
    match endpoint.needs {
        None => !(lists_receivers && has_file() == Some(true)),
        Some(Need::Flag(_) | Need::Feature(_)) => true,
        Some(Need::Setting(_)) => !lists_receivers,
        Some(Need::Env(_)) => false,
    }
}
