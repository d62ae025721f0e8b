//! Doors: the ways into a receiver, and the exporters that find them.

use telstack_catalog::{
    Distribution, Signal, SignalSet, Version,
    otelcol::{self, Presence},
    product::{Endpoint, Product},
};

use super::super::{encryption, listeners::listeners_to_be};
use crate::{
    known::Known,
    model::{Collector, ExternalEndpoint, Listener, Node, NodeKind, Protocol, Tls},
    origin::Origin,
};

/// What is chosen first where several protocols would do: the receiver's own ingest protocol for
/// metrics, OTLP for the rest, older protocols last.
pub(super) const PREFERENCE: [Protocol; 7] = [
    Protocol::REMOTE_WRITE,
    Protocol::OTLP_GRPC,
    Protocol::OTLP_HTTP,
    Protocol::LOKI_PUSH,
    Protocol("jaeger-grpc"),
    Protocol("jaeger-thrift-http"),
    Protocol("zipkin"),
];

/// One way into a receiver.
pub(super) struct Door {
    pub(super) protocol: Protocol,
    pub(super) signals: SignalSet,
    pub(super) place: Place,
}

impl Door {
    /// Must the sender show a certificate of its own?
    pub(super) fn wants_certificate(&self) -> bool {
        matches!(&self.place, Place::Inside(address) if address.tls == Tls::Mutual)
    }
}

/// Where a door is.
pub(super) enum Place {
    /// In the stack.
    Inside(Address),
    /// Outside: the address as written.
    Outside(ExternalEndpoint),
}

/// A door of a node of the stack.
pub(super) struct Address {
    pub(super) port: u16,
    /// What an exporter's endpoint ends with.
    pub(super) path: String,
    pub(super) tls: Tls,
    /// What opens it, if something other than the node does.
    pub(super) origin: Option<Origin>,
}

/// The ways into a node, the best first.
pub(super) fn doors(node: &Node) -> Vec<Door> {
    let mut doors: Vec<Door> = match (&node.kind, node.version()) {
        (NodeKind::External(external), _) => external
            .endpoints
            .iter()
            .map(|it| Door { protocol: it.protocol, signals: it.signals, place: Place::Outside(it.clone()) })
            .collect(),
        (NodeKind::Store(store), Some(version)) => product_doors(node, store.product(), version),
        (NodeKind::Collector(collector), Some(version)) => collector_doors(collector, version),
        _ => Vec::new(),
    };
    let own = |door: &Door| node.collector().is_some() && !is_otlp(door.protocol);
    let rank = |door: &Door| PREFERENCE.iter().position(|it| *it == door.protocol).unwrap_or(PREFERENCE.len());
    // What a collector takes in is OTLP inside, whatever brings it.
    doors.sort_by_key(|door| (own(door), rank(door)));
    doors
}

fn is_otlp(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::OTLP_GRPC | Protocol::OTLP_HTTP)
}

/// The doors of a product at a release, for a node that runs it or might.
pub(super) fn product_doors(node: &Node, product: Product, version: Version) -> Vec<Door> {
    let door = |it: &Endpoint| {
        let path = exporter_path(Protocol(it.protocol), it.base, it.path);
        let place = Address { port: it.port, path, tls: encryption::of_endpoint(node, it), origin: None };
        Door { protocol: Protocol(it.protocol), signals: it.signals, place: Place::Inside(place) }
    };
    product.endpoints(version).iter().filter(|it| !it.signals.is_empty()).map(door).collect()
}

/// The receivers of a collector that feed a pipeline, as far as telstack can write an exporter for them.
fn collector_doors(collector: &Collector, version: Version) -> Vec<Door> {
    let door = |listener: Listener| {
        let path = exporter_path(listener.protocol, Some(""), path_of(listener.protocol));
        let tls = match listener.tls {
            Known::Value(tls) => tls,
            Known::Absent | Known::Unknown => Tls::Off,
        };
        let place = Address { port: listener.port, path, tls, origin: Some(listener.origin) };
        Door { protocol: listener.protocol, signals: listener.signals, place: Place::Inside(place) }
    };
    let takes = |it: &Listener| !it.signals.is_empty() && PREFERENCE.contains(&it.protocol);
    listeners_to_be(collector, version).into_iter().filter(takes).map(door).collect()
}

/// An OTLP/HTTP exporter adds `/v1/<signal>` itself; others call what they are given.
fn exporter_path(protocol: Protocol, base: Option<&str>, path: Option<&str>) -> String {
    let path = if protocol == Protocol::OTLP_HTTP { base } else { base.filter(|it| !it.is_empty()).or(path) };
    path.unwrap_or_default().to_owned()
}

/// The path that a protocol has wherever it is spoken, from the products that speak it.
fn path_of(protocol: Protocol) -> Option<&'static str> {
    let endpoints = Product::ALL.iter().flat_map(|product| product.endpoints(product.newest()));
    endpoints.filter(|it| it.protocol == protocol.0).find_map(|it| it.path)
}

/// The exporters that speak a protocol, in any release.
pub(super) fn speakers(protocol: Protocol) -> Vec<otelcol::Component> {
    otelcol::plain_exporters(protocol.0)
}

/// The exporter of a release that speaks a protocol for a signal.
pub(super) fn speaker(
    protocol: Protocol,
    signal: Signal,
    distribution: Distribution,
    version: Version,
) -> Option<otelcol::Component> {
    speakers(protocol).into_iter().find(|it| {
        it.presence(distribution, version) == Presence::Present
            && it.signals(version).is_none_or(|signals| signals.contains(signal))
    })
}

/// What `protocol="otlp"` may mean.
pub(super) fn is_wanted(wanted: Protocol, protocol: Protocol) -> bool {
    wanted == protocol || (wanted.0 == "otlp" && is_otlp(protocol))
}

/// Does any release of the receiver take the signal? Then the versions are at fault, not the idea.
pub(super) fn takes_elsewhen(receiver: &Node, signal: Signal) -> bool {
    let Some(store) = receiver.store() else { return false };
    let product = store.product();
    product
        .minors()
        .into_iter()
        .any(|version| product.endpoints(version).iter().any(|endpoint| endpoint.signals.contains(signal)))
}
