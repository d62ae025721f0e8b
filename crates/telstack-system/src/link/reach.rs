//! Whom a name reaches from inside a container, and whether the two hear each other at all.

use telstack_catalog::otelcol::Transport;

use super::way::{Way, way};
use crate::{
    graph::{NodeId, System},
    model::{Bind, Container, Network, Node, network},
};

/// Longest chain of containers that share each other's network.
const DEEPEST: usize = 8;

/// Does what is sent arrive?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hearing {
    /// Nothing stands in between.
    Open,
    /// No network holds both.
    Apart,
    /// The one that is dialled has no network of its own, so nothing goes by its name.
    Nameless,
    /// Whoever dials is in the host's network, where names of services mean nothing.
    Outside,
    /// Nobody can tell.
    Unknown,
}

/// Who has one `localhost`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    Of(NodeId),
    Host,
}

impl System {
    /// The node that answers when `from` dials a name and a port; none for something outside, and where nobody can
    /// tell which of several it is.
    pub fn reached(&self, from: NodeId, host: &str, port: u16) -> Option<NodeId> {
        if self.cluster.is_some() {
            return match way(self, from, host, port) {
                Way::To(to, _) => Some(to),
                Way::Service(_) | Way::Out | Way::Nowhere => None,
            };
        }
        let dialer = self.node(from).container.as_ref();
        if dialer.is_some_and(|it| it.hosts.iter().any(|known| known.value == host)) {
            // An address of its own stands for that name.
            return self.nodes().find(|(_, it)| it.container.is_none() && it.name == host).map(|(id, _)| id);
        }
        if Bind::parse(host) == Bind::Loopback {
            return self.beside(from, port);
        }
        let linked = dialer.and_then(|it| it.links.iter().find(|(alias, _)| alias == host));
        let named = linked.map_or_else(|| self.answering(host), |(_, name)| self.find(name)).or_else(|| {
            // Of several that go by one name, the one in a network with whoever asks.
            let mut near = self.nodes().filter(|(id, node)| {
                node.answers_to(host) && node.container.is_some() && self.hearing(from, *id, host) == Hearing::Open
            });
            near.next().filter(|_| near.next().is_none()).map(|(id, _)| id)
        })?;
        let Some(Space::Of(owner)) = self.space(named).filter(|_| self.from_files && !opens(self.node(named), port))
        else {
            return Some(named);
        };
        let mut others = self.sharing(owner).filter(|id| *id != named && opens(self.node(*id), port));
        Some(others.next().unwrap_or(named))
    }

    /// Do both have one `localhost`?
    pub fn share_localhost(&self, one: NodeId, other: NodeId) -> bool {
        let containers = self.node(one).container.as_ref().zip(self.node(other).container.as_ref());
        let in_pod = containers.is_some_and(|(one, other)| one.shares_pod(other));
        one == other || in_pod || self.space(one).is_some_and(|space| self.space(other) == Some(space))
    }

    /// Does what `from` sends to a node by that name arrive there?
    pub fn hearing(&self, from: NodeId, to: NodeId, host: &str) -> Hearing {
        let (Some(dialer), Some(answering)) = (&self.node(from).container, &self.node(to).container) else {
            return Hearing::Open;
        };
        if !self.from_files || self.cluster.is_some() {
            return Hearing::Open;
        }
        if !dialer.runs() || !answering.runs() {
            return Hearing::Unknown;
        }
        let (here, there) = (self.space(from), self.space(to));
        match (here, there) {
            (Some(one), Some(other)) if one == other && Bind::parse(host) == Bind::Loopback => Hearing::Open,
            _ if !matches!(answering.network, Network::Own) && self.node(to).name == host => match answering.network {
                Network::Other(_) => Hearing::Unknown,
                _ => Hearing::Nameless,
            },
            (Some(one), Some(other)) if one == other => Hearing::Open,
            (Some(Space::Host), Some(_)) => match dialer.network {
                Network::Host if self.node(to).name == host => Hearing::Outside,
                _ => Hearing::Unknown,
            },
            (Some(Space::Of(one)), Some(Space::Of(other))) => {
                match (&self.node(one).container, &self.node(other).container) {
                    (Some(one), Some(other)) if !meet(one, other) => Hearing::Apart,
                    _ => Hearing::Open,
                }
            }
            _ => Hearing::Unknown,
        }
    }

    /// Is a node in networks only that no way leads out of?
    pub fn is_shut_in(&self, node: NodeId) -> bool {
        let Some(Space::Of(owner)) = self.space(node) else { return false };
        let joined = self.node(owner).container.as_ref().map(|it| it.networks.as_slice()).unwrap_or_default();
        !joined.is_empty() && joined.iter().all(|it| it.internal)
    }

    /// The other node with the same `localhost` that listens on a port, if there is one.
    fn beside(&self, from: NodeId, port: u16) -> Option<NodeId> {
        let space = self.space(from)?;
        if opens(self.node(from), port) {
            return None;
        }
        let all = self.nodes().map(|(id, _)| id);
        let mut found = all.filter(|id| *id != from && self.space(*id) == Some(space) && opens(self.node(*id), port));
        found.next().filter(|_| found.next().is_none())
    }

    fn sharing(&self, owner: NodeId) -> impl Iterator<Item = NodeId> {
        self.nodes().map(|(id, _)| id).filter(move |id| self.space(*id) == Some(Space::Of(owner)))
    }

    /// Whose `localhost` a node has; none where it is not known.
    fn space(&self, node: NodeId) -> Option<Space> {
        let mut at = node;
        for _ in 0..DEEPEST {
            match self.node(at).container.as_ref().map(|it| &it.network)? {
                Network::Own => return Some(Space::Of(at)),
                Network::Host => return Some(Space::Host),
                Network::With(other) => at = self.find(other)?,
                Network::Other(_) => return None,
            }
        }
        None
    }
}

/// Is there a network that both joined?
fn meet(one: &Container, other: &Container) -> bool {
    let there = network::names(&other.networks);
    network::names(&one.networks).iter().any(|name| there.contains(name))
}

fn opens(node: &Node, port: u16) -> bool {
    node.listeners.iter().any(|it| it.port == port && it.transport == Transport::Tcp)
}
