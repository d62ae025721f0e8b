//! Follows each link to its end: the node, the port, the listener that answers.

mod written;

use std::borrow::Cow;

use telstack_catalog::product::{Endpoint, Need};
use telstack_system::{Dial, Listener, Node, NodeId, Protocol, Purpose, System};

use crate::words::is_reference;

/// Somebody dials a node: along an edge, or because an exporter's endpoint was written out.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// What the sending side does.
    pub(crate) dial: Cow<'a, Dial>,
    /// Who dials.
    pub(crate) from: &'a Node,
    /// Who is dialled.
    pub(crate) to: &'a Node,
    /// Its id.
    pub(crate) to_id: NodeId,
    /// Are both ends the same node?
    pub(crate) inside: bool,
    /// Where it arrives.
    pub(crate) arrival: Arrival<'a>,
}

/// Where a link arrives. Each case rules out what only the later ones can get wrong.
#[derive(Debug)]
pub(crate) enum Arrival<'a> {
    /// It cannot be known: something outside, an address that run time decides.
    Unknown,
    /// The store has a door there, but opens it only when a flag says so.
    Closed(Endpoint),
    /// Nothing listens on that port.
    Nothing,
    /// Something listens there, but it speaks something else.
    Stranger(&'a Listener),
    /// The one that answers.
    Answer(&'a Listener),
    /// A door of a store behind a port that is open for something else too: it answers just as well.
    Shared(Box<Listener>),
}

impl<'a> Link<'a> {
    /// The listener on the port dialled, whether or not it understands.
    pub(crate) fn listener(&self) -> Option<&'a Listener> {
        match self.arrival {
            Arrival::Stranger(listener) | Arrival::Answer(listener) => Some(listener),
            Arrival::Unknown | Arrival::Closed(_) | Arrival::Nothing | Arrival::Shared(_) => None,
        }
    }

    /// The listener that answers.
    pub(crate) fn answer(&self) -> Option<&Listener> {
        match &self.arrival {
            Arrival::Answer(listener) => Some(listener),
            Arrival::Shared(listener) => Some(listener),
            _ => None,
        }
    }

    /// Who dials, in words: ``exporter `otlp` of `agent` ``, or the node's name.
    pub(crate) fn dialer(&self) -> String {
        match &self.dial.component {
            Some(component) => format!("{} `{}` of `{}`", component.kind, component.id, self.from.name),
            None => format!("`{}`", self.from.name),
        }
    }

    /// What to write in place of an address to a store: then exporter, port, path and protocol follow.
    pub(crate) fn better(&self) -> Option<String> {
        let written = matches!(self.dial, Cow::Owned(_)) && self.to.store().is_some();
        written.then(|| format!("write `to \"{}\"` in the pipeline instead: exporter and address follow", self.to.name))
    }

    /// `host:port` as dialled.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.dial.host, self.dial.port)
    }
}

pub(super) fn links(system: &System) -> Vec<Link<'_>> {
    let edges = system.edges().filter_map(|(_, from, edge, to)| {
        let dial = edge.dial.as_ref()?;
        Some(link(system, edge.purpose, Cow::Borrowed(dial), from, to))
    });
    let written = written::dials(system)
        .into_iter()
        .map(|(from, dial, to)| link(system, Purpose::Telemetry, Cow::Owned(dial), from, to));
    edges.chain(written).collect()
}

fn link<'a>(system: &'a System, purpose: Purpose, dial: Cow<'a, Dial>, from: NodeId, to_id: NodeId) -> Link<'a> {
    let to = system.node(to_id);
    let arrival = arrival(&dial, to);
    Link { purpose, dial, from: system.node(from), to, to_id, inside: from == to_id, arrival }
}

fn arrival<'a>(dial: &Dial, to: &'a Node) -> Arrival<'a> {
    if to.external().is_some() || to.listeners.is_empty() || dial.host != to.name {
        return Arrival::Unknown;
    }
    let here = || to.listeners.iter().filter(|listener| listener.port == dial.port);
    if let Some(listener) = here().find(|listener| understands(listener.protocol, dial.protocol)) {
        return Arrival::Answer(listener);
    }
    let open = here().next();
    if let Some(door) = door(to, dial) {
        if let Some(Need::Flag(name)) = door.needs {
            let facet = to.store().and_then(|store| store.prometheus());
            let set = facet.is_some_and(|facet| facet.flag(name.trim_start_matches('-')).is_some());
            return if set { Arrival::Unknown } else { Arrival::Closed(door) };
        }
        if let Some(open) = open {
            return Arrival::Shared(Box::new(Listener {
                name: door.name.to_owned(),
                protocol: dial.protocol,
                signals: door.signals,
                path: door.path.map(str::to_owned),
                base: door.base.map(str::to_owned),
                requirement: None,
                ..open.clone()
            }));
        }
    }
    match open {
        Some(stranger) => Arrival::Stranger(stranger),
        None if opens_unknown_ports(to) => Arrival::Unknown,
        None => Arrival::Nothing,
    }
}

/// The door that a product has on the port and for the protocol dialled, open or not.
fn door(to: &Node, dial: &Dial) -> Option<Endpoint> {
    let mut endpoints = to.store()?.product().endpoints(to.version()?).into_iter();
    endpoints.find(|it| it.port == dial.port && it.protocol == dial.protocol.0 && !it.signals.is_empty())
}

/// Does a collector open a port that only run time knows?
fn opens_unknown_ports(node: &Node) -> bool {
    let (Some(collector), Some(version)) = (node.collector(), node.version()) else { return false };
    collector.components.iter().any(|component| {
        component.fact().is_none_or(|fact| {
            let mut listens = fact.listens(version).into_iter();
            listens.any(|listen| {
                component.settings.at(listen.setting).and_then(|value| value.as_str()).is_some_and(is_reference)
            })
        })
    })
}

fn understands(listener: Protocol, dial: Protocol) -> bool {
    // Queries, scrapes and probes are plain requests; what they ask for is the path's affair.
    let plain = [Protocol::HTTP, Protocol::EXPOSITION];
    listener == dial || (plain.contains(&listener) && plain.contains(&dial))
}
