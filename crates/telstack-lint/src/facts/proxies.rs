//! The servers behind proxies: who they are, what they speak, and how they are asked whether they are well.

use telstack_catalog::{ComponentKind, product::Product};
use telstack_system::{
    Backend, Bind, Component, Dial, Hop, Known, Listener, Node, NodeId, Origin, Proxy, Purpose, Server, System, link,
};

use super::{Facts, links::opens_unknown_ports};

/// The extension that says whether a collector is well.
const HEALTH_CHECK: &str = "health_check";
/// The setting with the path on which it does.
const PATH: &str = "path";

/// A server behind a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Behind<'a> {
    /// Its backend.
    pub(crate) backend: &'a Backend,
    /// The server.
    pub(crate) server: &'a Server,
    /// The port that is dialled.
    pub(crate) port: u16,
    /// The node that it is, if it is one whose listeners are known.
    pub(crate) to: Option<(NodeId, &'a Node)>,
    /// What answers there.
    pub(crate) listener: Option<&'a Listener>,
}

/// All servers of a backend, by number; several ports of one are several.
pub(crate) fn behind(system: &System, proxy: NodeId, number: usize) -> Vec<Behind<'_>> {
    let Some(backend) = system.node(proxy).proxy().and_then(|it| it.backends.get(number)) else { return Vec::new() };
    let mut found = Vec::new();
    let edges = system.outgoing(proxy, Purpose::Forward);
    for (at, server) in backend.servers.iter().enumerate() {
        let mut any = false;
        for (edge, id) in &edges {
            let edge = system.edge(*edge);
            let Some(dial) = edge.dial.as_ref().filter(|_| edge.hop == Some(Hop { backend: number, server: at }))
            else {
                continue;
            };
            any = true;
            let to = system.node(*id);
            let known = to.external().is_none() && !to.listeners.is_empty();
            let port = edge.via.and_then(|via| via.port).unwrap_or(dial.port);
            found.push(Behind {
                backend,
                server,
                port: dial.port,
                to: known.then_some((*id, to)),
                listener: to.listeners.iter().find(|it| known && it.port == port),
            });
        }
        if let (false, Some(port)) = (any, server.port) {
            found.push(Behind { backend, server, port, to: None, listener: None });
        }
    }
    found
}

/// All backends of all proxies, by number.
pub(crate) fn backends(system: &System) -> impl Iterator<Item = (NodeId, &Proxy, usize)> {
    let proxies = system.nodes().filter_map(|(id, node)| Some((id, node.proxy()?)));
    proxies.flat_map(|(id, proxy)| (0..proxy.backends.len()).map(move |at| (id, proxy, at)))
}

/// How sure it is that a server speaks gRPC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Grpc {
    /// What listens there does.
    Surely,
    /// Its port is the one that is for it.
    ByPort,
}

impl<'a> Behind<'a> {
    /// Does it speak gRPC? None if not, or nobody can tell.
    pub(crate) fn grpc(&self) -> Option<Grpc> {
        match (self.to, self.listener) {
            (_, Some(listener)) => listener.protocol.is_grpc().then_some(Grpc::Surely),
            (Some(_), None) => None,
            (None, None) => {
                let endpoints = Product::Otelcol.endpoints(Product::Otelcol.newest());
                let usual = endpoints.iter().any(|it| it.port == self.port && it.protocol.ends_with("grpc"));
                usual.then_some(Grpc::ByPort)
            }
        }
    }

    /// `gateway:4317`.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.server.host.value, self.port)
    }

    /// Is everything known that it opens?
    pub(crate) fn opens_no_other(&self) -> bool {
        self.to.is_some_and(|(_, node)| !opens_unknown_ports(node))
    }

    /// What listens on another port of it.
    pub(crate) fn on(&self, port: u16) -> Option<&'a Listener> {
        self.to.and_then(|(_, node)| node.listeners.iter().find(|it| it.port == port))
    }

    /// The part of it that says whether it is well, if others reach it: where it listens, and whether it answers on
    /// a path.
    pub(crate) fn health(&self, facts: &Facts<'_>, path: &str) -> Option<&'a Listener> {
        let (id, node) = self.to?;
        let is_it = |it: &&Listener| says_health(facts, id, node, it).is_some_and(|says| serves(says, path));
        node.listeners.iter().filter(|it| it.bind == Bind::All).find(is_it)
    }

    /// The same part, where it answers inside its own container only.
    pub(crate) fn hidden_health(&self, facts: &Facts<'_>, path: &str) -> Option<&'a Listener> {
        let (id, node) = self.to?;
        let is_it = |it: &&Listener| says_health(facts, id, node, it).is_some_and(|says| serves(says, path));
        node.listeners.iter().filter(|it| it.bind == Bind::Loopback).find(is_it)
    }
}

/// The path on which a listener says whether its collector is well; none for other listeners, and where run time
/// decides.
pub(crate) fn says_health<'a>(facts: &Facts<'a>, id: NodeId, node: &'a Node, listener: &Listener) -> Option<&'a str> {
    let owner = listener.owner.as_ref().filter(|it| it.kind == ComponentKind::Extension)?;
    let component = node.collector()?.component(owner.kind, &owner.id)?;
    let part = facts.part(component).filter(|part| part.id == id && part.is(HEALTH_CHECK))?;
    match component.text(PATH) {
        Known::Value(path) => Some(path),
        Known::Unknown => None,
        Known::Absent => part.usable()?.0.default_value(PATH, part.usable()?.1)?.as_str(),
    }
}

/// Does a server that answers on a path answer on another one? One that ends with a slash stands for all below.
pub(crate) fn serves(path: &str, asked: &str) -> bool {
    path == asked || path.ends_with('/') && asked.starts_with(path)
}

/// The setting of a receiver beside the address of a listener.
pub(crate) fn beside<'a>(
    facts: &Facts<'a>,
    node: &'a Node,
    listener: &Listener,
    setting: &str,
) -> Option<(&'a Component, Known<&'a Origin>)> {
    let owner = listener.owner.as_ref()?;
    let component = node.collector()?.component(owner.kind, &owner.id)?;
    let (fact, version) = facts.part(component)?.usable()?;
    let mine = fact.listens(version).into_iter().find(|it| it.protocol == Some(listener.protocol.0))?;
    let block = mine.setting.rsplit_once('.').map_or("", |(block, _)| block);
    let path = if block.is_empty() { setting.to_owned() } else { format!("{block}.{setting}") };
    // Anything on the way that stands elsewhere hides what is in it.
    let hidden =
        path.match_indices('.').any(|(at, _)| component.setting(&path[..at]).is_some_and(|it| it.as_str().is_some()));
    let found = match component.setting(&path) {
        Some(value) => Known::Value(&value.mark),
        None if hidden => Known::Unknown,
        None => Known::Absent,
    };
    Some((component, found))
}

/// Who of the System dials a frontend before a backend, with what they dial.
pub(crate) fn clients(system: &System, proxy: NodeId, number: usize) -> Vec<(NodeId, Dial)> {
    link::clients(system, proxy, number)
}
