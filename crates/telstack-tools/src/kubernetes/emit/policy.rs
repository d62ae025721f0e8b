//! Network policies.

use telstack_system::{
    Origin, System, Value,
    cluster::{NetworkPolicy, Peer, PolicyPort, PolicyRule, operator},
};

use super::{Of, target, transport};
use crate::doc::{self, Block};

const API: &str = "networking.k8s.io/v1";
const KIND: &str = "NetworkPolicy";

impl Of<'_> {
    /// Those that are about its pods, and no others.
    pub(super) fn policies(&self) -> impl Iterator<Item = Value> {
        let names = [self.node.name.clone(), operator::allocator(&self.node.name)];
        let names = names.into_iter().take(if self.pod.targets_shared.is_some() { 2 } else { 1 });
        let names: Vec<String> = names.collect();
        let mine = move |it: &&NetworkPolicy| names.contains(&it.name) && self.pod.is_in(it.namespace.as_deref());
        self.cluster.policies.iter().filter(mine).map(|it| {
            let mut out = self.object(API, KIND, &it.name, true, &it.origin);
            out.put("spec", spec(it));
            out.finish(&it.origin)
        })
    }
}

/// Those that are about all pods of a namespace.
pub(super) fn of_namespace(system: &System, namespace: &str) -> Vec<Value> {
    let policies = system.cluster.iter().flat_map(|it| &it.policies);
    let all = policies.filter(|it| it.pods.is_empty() && it.namespace.as_deref() == Some(namespace));
    all.map(|it| {
        let origin = &it.origin;
        let fact = doc::fact(format!("how Kubernetes calls a {KIND}"), &[origin]);
        let metadata = origin.map([
            ("name", origin.string(&*it.name)),
            ("namespace", origin.string(namespace)),
            ("labels", super::of_stack(system, origin)),
        ]);
        origin.map([
            ("apiVersion", fact.string(API)),
            ("kind", fact.string(KIND)),
            ("metadata", metadata),
            ("spec", spec(it)),
        ])
    })
    .collect()
}

fn spec(policy: &NetworkPolicy) -> Value {
    let origin = &policy.origin;
    let mut out = Block::new();
    let picked = &policy.pods;
    let pods = if picked.is_empty() { empty(&picked.origin) } else { super::chosen(&picked.labels, &picked.origin) };
    out.put("podSelector", pods);
    let about = [("Ingress", policy.ingress.is_some()), ("Egress", policy.egress.is_some())];
    let types = about.into_iter().filter(|it| it.1).map(|(ty, _)| origin.string(ty));
    out.put("policyTypes", doc::follows("what it says nothing of stays open", &[origin]).flow(types));
    for (key, peers, rules) in [("ingress", "from", &policy.ingress), ("egress", "to", &policy.egress)] {
        if let Some(rules) = rules.as_ref().filter(|it| !it.is_empty()) {
            out.put(key, origin.block(rules.iter().map(|it| rule(it, peers))));
        }
    }
    out.finish(origin)
}

fn rule(rule: &PolicyRule, word: &str) -> Value {
    let origin = &rule.origin;
    let mut out = Block::new();
    if !rule.peers.is_empty() {
        out.put(word, origin.block(rule.peers.iter().map(peer)));
    }
    if !rule.ports.is_empty() {
        out.put("ports", origin.block(rule.ports.iter().map(port)));
    }
    out.finish(origin)
}

fn peer(peer: &Peer) -> Value {
    let origin = &peer.origin;
    let mut out = Block::new();
    for (key, selector) in [("namespaceSelector", &peer.namespaces), ("podSelector", &peer.pods)] {
        out.put_some(
            key,
            selector.as_ref().map(|it| if it.is_empty() { empty(origin) } else { super::chosen(&it.labels, origin) }),
        );
    }
    let block = peer.block.as_ref().map(|it| origin.map([("cidr", it.cidr.origin.string(&*it.cidr.value))]));
    out.put_some("ipBlock", block);
    out.finish(origin)
}

fn port(port: &PolicyPort) -> Value {
    let origin = &port.origin;
    let mut out = Block::new();
    out.put_some("port", port.port.as_ref().map(|it| target(it, origin)));
    out.put_some("protocol", transport(port.transport, origin));
    out.finish(origin)
}

fn empty(origin: &Origin) -> Value {
    Block::new().finish(origin)
}
