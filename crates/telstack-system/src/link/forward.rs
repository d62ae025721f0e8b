//! What proxies hand on, and to whom.

use super::{
    topics::{Channel, consumers, producers},
    way::{Way, way},
};
use crate::{
    graph::{NodeId, System},
    known::Known,
    model::{Dial, Edge, Hop, Layer, Protocol, Proxy, Purpose, Server, Tls},
};

/// Makes an edge from each proxy to each of its servers that is a node, for each port that is dialled there.
pub fn forward(system: &mut System) {
    let mut found = Vec::new();
    for (from, node) in system.nodes() {
        let Some(proxy) = node.proxy() else { continue };
        for (backend, server, at) in servers(proxy) {
            for port in ports(proxy, backend, at) {
                let Way::To(to, via) = way(system, from, &at.host.value, port) else { continue };
                if to == from {
                    continue;
                }
                let mut edge = Edge::new(Purpose::Forward, at.host.origin.clone());
                (edge.hop, edge.via) = (Some(Hop { backend, server }), via);
                edge.dial = Some(Dial {
                    component: None,
                    protocol: Protocol::ANY,
                    host: at.host.value.clone(),
                    port,
                    path: String::new(),
                    only: None,
                    tls: encryption(proxy, backend, at),
                    tenant: None,
                    origin: at.host.origin.clone(),
                });
                found.push((from, to, edge));
            }
        }
    }
    for (from, to, edge) in found {
        system.connect(from, to, edge);
    }
}

fn servers(proxy: &Proxy) -> impl Iterator<Item = (usize, usize, &Server)> {
    let backends = proxy.backends.iter().enumerate();
    backends.flat_map(|(backend, it)| it.servers.iter().enumerate().map(move |(at, server)| (backend, at, server)))
}

/// The ports that a server is dialled on: its own, else those that clients dial.
fn ports(proxy: &Proxy, backend: usize, server: &Server) -> Vec<u16> {
    if let Some(port) = server.port {
        return vec![port];
    }
    let doors = proxy.before(backend).flat_map(|it| &it.doors);
    let mut ports: Vec<u16> = doors.map(|door| door.port).collect();
    ports.sort_unstable();
    ports.dedup();
    // As many are a range, which says nothing of any of them.
    if ports.len() > MOST_PORTS { Vec::new() } else { ports }
}

/// Most ports that one server is looked at for.
const MOST_PORTS: usize = 16;

/// Bytes that a proxy does not encrypt itself go on as they come.
fn encryption(proxy: &Proxy, backend: usize, server: &Server) -> Known<Tls> {
    let through = proxy.backends[backend].layer.as_ref().is_none_or(|it| it.value == Layer::Connections);
    match server.tls {
        Known::Value(Tls::Off) if through => Known::Unknown,
        tls => tls,
    }
}

/// Somebody who sends telemetry to a node.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Who.
    pub from: NodeId,
    /// The exporter's edge, or that of the proxy where nobody of the System sends to it.
    pub dial: Dial,
    /// What stands between and spreads it over several.
    pub through: Option<Spread>,
}

/// Something that spreads what it takes over several nodes.
#[derive(Clone, Debug)]
pub struct Spread {
    /// The proxy, or the broker of a topic.
    pub node: NodeId,
    /// The number of the proxy's backend; none for a topic.
    pub backend: Option<usize>,
    /// All nodes that get a share, in order; several of one node are one.
    pub over: Vec<NodeId>,
    /// How many get a share; none where run time decides.
    pub count: Option<u64>,
    /// Does what belongs together reach the same one? Not known where something in it decides.
    pub keyed: Known<bool>,
}

/// Who sends telemetry to a node, and through what that spreads it: a proxy, or a topic that several read together. A
/// proxy that nobody of the System sends to is a sender itself: applications send to it.
pub fn senders(system: &System, to: NodeId) -> Vec<Sender> {
    let mut found = Vec::new();
    for (edge, from) in system.incoming(to, Purpose::Telemetry) {
        if let Some(dial) = &system.edge(edge).dial {
            found.push(Sender { from, dial: dial.clone(), through: None });
        }
    }
    for (edge, proxy) in system.incoming(to, Purpose::Forward) {
        let edge = system.edge(edge);
        let (Some(hop), Some(dial)) = (edge.hop, &edge.dial) else { continue };
        let Some(spread) = spread(system, proxy, hop.backend) else { continue };
        let before = clients(system, proxy, hop.backend);
        if before.is_empty() {
            found.push(Sender { from: proxy, dial: dial.clone(), through: Some(spread.clone()) });
        }
        for (from, dial) in before {
            found.push(Sender { from, dial, through: Some(spread.clone()) });
        }
    }
    found.extend(over_topics(system, to));
    found
}

/// Who writes to topics that a node reads.
fn over_topics(system: &System, to: NodeId) -> Vec<Sender> {
    let (writers, readers) = (producers(system), consumers(system));
    let mut found = Vec::new();
    for reader in readers.iter().filter(|it| it.node == to) {
        let same = |it: &&Channel| it.signal == reader.signal && it.same_topic(reader);
        let together = readers.iter().filter(same).filter(|it| it.group == reader.group);
        let mut over: Vec<NodeId> = together.map(|it| it.node).collect();
        over.sort_unstable();
        over.dedup();
        for writer in writers.iter().filter(same) {
            let mine = system.outgoing(writer.node, Purpose::Telemetry).into_iter().find_map(|(edge, node)| {
                let dial = system.edge(edge).dial.clone()?;
                (dial.component.as_ref()?.id == writer.component).then_some((node, dial))
            });
            let Some((node, dial)) = mine else { continue };
            let count = u64::try_from(over.len()).ok();
            let spread = Spread { node, backend: None, over: over.clone(), count, keyed: writer.keyed };
            found.push(Sender { from: writer.node, dial, through: Some(spread) });
        }
    }
    found
}

/// Who dials a frontend before a backend of a proxy, with what they dial.
pub fn clients(system: &System, proxy: NodeId, backend: usize) -> Vec<(NodeId, Dial)> {
    let Some(it) = system.node(proxy).proxy() else { return Vec::new() };
    let incoming = system.incoming(proxy, Purpose::Telemetry).into_iter();
    let reaches = |edge: &Edge| {
        let dialled = edge.dial.as_ref().map(|dial| dial.port);
        let port = edge.via.map_or(dialled, |via| via.port);
        port.is_some_and(|port| it.before(backend).any(|frontend| frontend.door(port).is_some()))
    };
    let edges = incoming.map(|(edge, from)| (system.edge(edge), from)).filter(|(edge, _)| reaches(edge));
    edges.filter_map(|(edge, from)| Some((from, edge.dial.clone()?))).collect()
}

fn spread(system: &System, proxy: NodeId, backend: usize) -> Option<Spread> {
    let it = system.node(proxy).proxy()?.backends.get(backend)?;
    let forwards = system.outgoing(proxy, Purpose::Forward).into_iter();
    let turns = |hop: Hop| hop.backend == backend && it.servers.get(hop.server).is_some_and(|it| it.takes_turns);
    let here = forwards.filter(|(edge, _)| system.edge(*edge).hop.is_some_and(turns));
    let mut over: Vec<NodeId> = here.map(|(_, to)| to).collect();
    over.sort_unstable();
    over.dedup();
    Some(Spread { node: proxy, backend: Some(backend), over, count: it.turns(), keyed: it.keyed })
}
