//! Network policies: pods talk to those only that the stack joins them with.

mod beside;

use core::net::IpAddr;

use telstack_catalog::{
    operator as facts,
    otelcol::{self, Transport},
};
use telstack_diagnostics::Diagnostics;

use self::beside::{Beside, Whom};
use super::{
    Pass,
    containers::pods::{picked, resource},
};
use crate::{
    graph::{NodeId, System},
    model::{
        Cluster, Container, Isolation, Listener, Node, NodeKind, Platform, Pod, Purpose, Selector, TargetPort,
        cluster::{IpBlock, Labels, NetworkPolicy, Peer, PolicyPort, PolicyRule, operator},
    },
    origin::{Origin, Sourced},
};

const NAME: &str = "policies";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "where the stack asks for it, let pods talk to those only that they are joined with",
    run,
};

/// The policy that lets nobody talk to anybody.
const DENY: &str = "default-deny";
/// Everything outside.
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

fn run(system: &mut System, _: &mut Diagnostics) {
    let Some(isolation) = system.isolation.clone().filter(|_| system.platform.value == Platform::Kubernetes) else {
        return;
    };
    let mut policies = Vec::new();
    for (id, node) in system.nodes() {
        let Some((container, pod)) = placed(node) else { continue };
        // No policy holds in the network of a machine; and the pods of programs are not the stack's.
        if pod.host_network.is_some() || node.placement.sidecar().is_some() {
            continue;
        }
        let about = About { system, isolation: &isolation, id, node, container, pod };
        policies.push(about.policy());
        policies.extend(about.of_allocator());
    }
    let Some(cluster) = system.cluster.as_deref_mut() else { return };
    if let Some(deny) = &isolation.deny {
        policies.extend(denied(cluster, &policies, deny));
    }
    cluster.policies = policies;
}

fn placed(node: &Node) -> Option<(&Container, &Pod)> {
    let container = node.container.as_ref()?;
    Some((container, container.pod.as_deref()?))
}

/// A policy for each namespace that picks all pods and allows nothing.
fn denied(cluster: &Cluster, others: &[NetworkPolicy], deny: &Origin) -> Vec<NetworkPolicy> {
    let mut name = DENY.to_owned();
    while others.iter().any(|it| it.name == name) {
        name.push_str("-all");
    }
    let reason = "`default=\"deny\"`: what no other policy allows is not allowed";
    let policy = |namespace: &str| {
        let origin = Origin::derived(NAME, reason, &[deny]);
        NetworkPolicy {
            name: name.clone(),
            namespace: Some(namespace.to_owned()),
            pods: Selector { labels: Labels::new(), expressions: Vec::new(), origin: origin.clone() },
            ingress: Some(Vec::new()),
            egress: Some(Vec::new()),
            origin,
        }
    };
    cluster.namespaces.iter().map(|it| policy(&it.name)).collect()
}

/// A node, and what is needed to find out whom it talks to.
struct About<'a> {
    system: &'a System,
    isolation: &'a Isolation,
    id: NodeId,
    node: &'a Node,
    container: &'a Container,
    pod: &'a Pod,
}

impl About<'_> {
    fn policy(&self) -> NetworkPolicy {
        let reason = "it talks to those only that the stack joins it with";
        let origin = self.because(reason, &self.node.origin);
        NetworkPolicy {
            name: self.node.name.clone(),
            namespace: self.pod.namespace.clone(),
            pods: Selector { labels: picked(self.node), expressions: Vec::new(), origin: origin.clone() },
            ingress: Some(self.ingress()),
            egress: Some(self.egress()),
            origin,
        }
    }

    /// What the target allocator of a collector is joined with: that, and the API.
    fn of_allocator(&self) -> Option<NetworkPolicy> {
        let (peer, origin) = self.allocator()?;
        let mut ingress = Rules::default();
        let asks = self.because("the collector asks it for its targets", &origin);
        ingress.allow(Some(self.pods_of(self.node, &asks)), Some((facts::allocator().port, Transport::Tcp)), &asks);
        let mut egress = Rules::default();
        for Beside { whom, reason, from } in beside::api("the target allocator", &origin) {
            if let Whom::Port(port) = whom {
                egress.allow(None, Some((port, Transport::Tcp)), &self.because(&reason, &from));
            }
        }
        Some(NetworkPolicy {
            name: operator::allocator(&self.node.name),
            namespace: self.pod.namespace.clone(),
            pods: peer.pods?,
            ingress: Some(ingress.0),
            egress: Some(egress.0),
            origin,
        })
    }

    /// The pods of its target allocator, if it has one, and why they are named.
    fn allocator(&self) -> Option<(Peer, Origin)> {
        let (asked, operated) = (&self.pod.targets_shared.as_ref()?.origin, self.node.placement.operated.as_ref()?);
        let origin = self.because("the target allocator tells each pod what to scrape", asked);
        let mut labels = operator::allocator_labels(&resource(self.node, operated), self.pod.namespace.as_deref());
        for it in labels.values_mut() {
            it.origin = origin.clone();
        }
        let pods = Selector { labels, expressions: Vec::new(), origin: origin.clone() };
        Some((Peer { pods: Some(pods), namespaces: None, block: None, origin: origin.clone() }, origin))
    }

    fn because(&self, reason: &str, from: &Origin) -> Origin {
        Origin::derived(NAME, reason, &[from, &self.isolation.origin])
    }

    /// What may reach it. The kubelet that probes it needs no rule.
    fn ingress(&self) -> Vec<PolicyRule> {
        let mut rules = Rules::default();
        for (_, from, edge, to) in self.system.edges() {
            let other = self.system.node(from);
            if to != self.id || from == to || placed(other).is_none() {
                continue;
            }
            let (Some(dial), Some(port)) = (&edge.dial, edge.port()) else { continue };
            let reason = format!(
                "`{}` dials `{}` here: {}",
                other.name,
                self.node.name,
                purpose(edge.purpose, dial.protocol.title())
            );
            let origin = self.because(&reason, &edge.origin);
            rules.allow(Some(self.pods_of(other, &origin)), Some((port, transport(self.node, port))), &origin);
        }
        for (listener, reason) in self.doors() {
            let origin = self.because(reason, &listener.origin);
            let anywhere = Selector { labels: Labels::new(), expressions: Vec::new(), origin: origin.clone() };
            let peer = Peer { pods: None, namespaces: Some(anywhere), block: None, origin: origin.clone() };
            rules.allow(Some(peer), Some((listener.port, listener.transport)), &origin);
        }
        let services = self.system.cluster.iter().flat_map(|it| it.services_of(self.pod));
        for service in services.filter(|it| it.is_open_to_outside()) {
            for port in &service.ports {
                let Some(number) = self.container.port_number(&port.target) else { continue };
                let origin = self.because("it is open to the outside, through its Service", &service.origin);
                rules.allow(None, Some((number, port.transport)), &origin);
            }
        }
        rules.0
    }

    /// What others than the nodes of the stack dial, and why.
    fn doors(&self) -> impl Iterator<Item = (&Listener, &'static str)> {
        let dialled: Vec<u16> = self
            .system
            .incoming(self.id, Purpose::Telemetry)
            .iter()
            .filter_map(|it| self.system.edge(it.0).port())
            .collect();
        let fed: Vec<_> =
            self.node.listeners.iter().filter(|it| dialled.contains(&it.port)).map(|it| &it.owner).collect();
        let open = self.node.listeners.iter().filter(|it| it.bind != crate::model::Bind::Loopback);
        open.filter_map(move |it| match &self.node.kind {
            NodeKind::Collector(_) | NodeKind::Store(_)
                if !it.signals.is_empty() && !fed.contains(&&it.owner) && !self.node.is_exposed(it) =>
            {
                Some((it, "no node of the stack sends here: it is there for applications, wherever they are"))
            }
            NodeKind::Viewer(_) if matches!(it.name.as_str(), "ui" | "query") => {
                Some((it, "people open it, through whatever lets them into the cluster"))
            }
            _ => None,
        })
    }

    /// What it may reach.
    fn egress(&self) -> Vec<PolicyRule> {
        let mut rules = Rules::default();
        for (_, from, edge, to) in self.system.edges() {
            let other = self.system.node(to);
            if from != self.id || from == to {
                continue;
            }
            let (Some(dial), Some(port)) = (&edge.dial, edge.port()) else { continue };
            let spoken = purpose(edge.purpose, dial.protocol.title());
            let reason = format!("`{}` dials `{}`: {spoken}", self.node.name, other.name);
            let origin = self.because(&reason, &edge.origin);
            if let Some((_, pod)) = placed(other) {
                if !pod.is_same(self.pod) {
                    rules.allow(Some(self.pods_of(other, &origin)), Some((port, transport(other, port))), &origin);
                }
            } else {
                outside(&mut rules, &dial.host, port, &origin);
            }
        }
        if let Some((peer, origin)) = self.allocator() {
            rules.allow(Some(peer), Some((facts::allocator().port, Transport::Tcp)), &origin);
        }
        for Beside { whom, reason, from } in beside::of(self.system, self.id) {
            let origin = self.because(&reason, &from);
            match whom {
                Whom::Address(host, port) => outside(&mut rules, &host, port, &origin),
                // Machines, and the API on them, are no addresses outside for every network.
                Whom::Port(port) => rules.allow(None, Some((port, Transport::Tcp)), &origin),
                Whom::Anybody => {
                    // All that is allowed besides is allowed by this.
                    return vec![PolicyRule { peers: Vec::new(), ports: Vec::new(), origin }];
                }
            }
        }
        if !rules.0.is_empty() {
            rules.0.push(self.names());
        }
        rules.0
    }

    /// Names are asked for.
    fn names(&self) -> PolicyRule {
        let origin = self.because("whom it dials, it dials by name", &self.node.origin);
        let namespace = space(otelcol::dns_namespace(), &origin);
        let here = Peer { pods: None, namespaces: Some(namespace), block: None, origin: origin.clone() };
        let on_node = block(otelcol::dns_on_node(), &origin);
        let number = otelcol::dns_ports().next().unwrap_or_default();
        let ports = [Transport::Udp, Transport::Tcp].map(|transport| port(number, transport, &origin));
        PolicyRule { peers: vec![here, on_node], ports: ports.into(), origin }
    }

    /// The pods of a node, as a policy of this one names them.
    fn pods_of(&self, other: &Node, origin: &Origin) -> Peer {
        let marked = |labels: Labels| labels.into_iter().map(|(key, it)| (key, Sourced::new(it.value, origin.clone())));
        let pods =
            Selector { labels: marked(picked(other)).collect(), expressions: Vec::new(), origin: origin.clone() };
        let there = other.placement.namespace.as_ref().map(|it| it.value.as_str());
        let elsewhere = there.filter(|it| self.pod.namespace.as_deref() != Some(it));
        let anywhere = || Selector { labels: Labels::new(), expressions: Vec::new(), origin: origin.clone() };
        let namespaces = match other.placement.sidecar() {
            Some(_) => Some(anywhere()),
            None => elsewhere.map(|it| space(it, origin)),
        };
        Peer { pods: Some(pods), namespaces, block: None, origin: origin.clone() }
    }
}

/// Lets somebody reach something that is not of the stack.
fn outside(rules: &mut Rules, host: &str, port: u16, origin: &Origin) {
    let at = Some((port, Transport::Tcp));
    if let Ok(address) = host.parse::<IpAddr>() {
        if !address.is_loopback() {
            let cidr = format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 });
            rules.allow(Some(block(&cidr, origin)), at, origin);
        }
        return;
    }
    let parts: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    match parts.as_slice() {
        ["localhost"] => {}
        // A Service: which port its pods have, only the cluster knows.
        [_] => {
            let pods = Selector { labels: Labels::new(), expressions: Vec::new(), origin: origin.clone() };
            let peer = Peer { pods: Some(pods), namespaces: None, block: None, origin: origin.clone() };
            rules.allow(Some(peer), None, origin);
        }
        [.., namespace, "svc"] | [.., namespace, "svc", "cluster", "local"] => {
            let namespaces = Some(space(namespace, origin));
            rules.allow(Some(Peer { pods: None, namespaces, block: None, origin: origin.clone() }), None, origin);
        }
        _ => {
            for cidr in EVERYWHERE {
                rules.allow(Some(block(cidr, origin)), at, origin);
            }
        }
    }
}

/// What a port of a node is for, where it may be for both.
fn transport(node: &Node, port: u16) -> Transport {
    let mut listeners = node.listeners.iter().filter(|it| it.port == port).map(|it| it.transport);
    listeners.find(|it| *it == Transport::Tcp).or_else(|| listeners.next()).unwrap_or(Transport::Tcp)
}

/// In words, what somebody is dialled for.
fn purpose(purpose: Purpose, protocol: &str) -> String {
    match purpose {
        Purpose::Scrape => "to scrape it".to_owned(),
        Purpose::Query => "to query it".to_owned(),
        Purpose::Alert => "to send it alerts".to_owned(),
        Purpose::Telemetry | Purpose::Forward | Purpose::Consume => protocol.to_owned(),
    }
}

/// The namespace of that name.
fn space(name: &str, origin: &Origin) -> Selector {
    let label = Sourced::new(name.to_owned(), origin.clone());
    let labels = [(otelcol::namespace_label().to_owned(), label)].into();
    Selector { labels, expressions: Vec::new(), origin: origin.clone() }
}

fn block(cidr: &str, origin: &Origin) -> Peer {
    let block = IpBlock { cidr: Sourced::new(cidr.to_owned(), origin.clone()), except: Vec::new() };
    Peer { pods: None, namespaces: None, block: Some(block), origin: origin.clone() }
}

fn port(number: u16, transport: Transport, origin: &Origin) -> PolicyPort {
    PolicyPort { transport, port: Some(TargetPort::Number(number)), end: None, origin: origin.clone() }
}

/// Rules in the making: one for each peer, with all of its ports.
#[derive(Default)]
struct Rules(Vec<PolicyRule>);

impl Rules {
    /// Lets a peer, or everybody, pass at a port, or at all of them.
    fn allow(&mut self, peer: Option<Peer>, at: Option<(u16, Transport)>, origin: &Origin) {
        let at = at.map(|(number, transport)| port(number, transport, origin));
        let same = |it: &&mut PolicyRule| match (&peer, it.peers.as_slice()) {
            (None, []) => true,
            (Some(peer), [only]) => is_same(peer, only),
            _ => false,
        };
        let Some(rule) = self.0.iter_mut().find(same) else {
            let (peers, ports) = (peer.into_iter().collect(), at.into_iter().collect());
            self.0.push(PolicyRule { peers, ports, origin: origin.clone() });
            return;
        };
        match at {
            // All of its ports are let pass already.
            _ if rule.ports.is_empty() => {}
            None => rule.ports.clear(),
            Some(at) => {
                if !rule.ports.iter().any(|it| (&it.port, it.transport) == (&at.port, at.transport)) {
                    rule.ports.push(at);
                }
            }
        }
    }
}

fn is_same(one: &Peer, other: &Peer) -> bool {
    let words = |it: &Option<Selector>| -> Option<Vec<(String, String)>> {
        let labels = it.as_ref()?.labels.iter();
        Some(labels.map(|(key, label)| (key.clone(), label.value.clone())).collect())
    };
    let cidr = |it: &Peer| it.block.as_ref().map(|it| it.cidr.value.clone());
    words(&one.pods) == words(&other.pods)
        && words(&one.namespaces) == words(&other.namespaces)
        && cidr(one) == cidr(other)
}
