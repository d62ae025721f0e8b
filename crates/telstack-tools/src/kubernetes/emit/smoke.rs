//! A script that asks a cluster whether what was applied is well.

use std::collections::HashSet;

use telstack_catalog::{Signal, otelcol::Transport, product::Product};
use telstack_syntax::Writer;
use telstack_system::{
    Known, Listener, Node, NodeId, Origin, Platform, Protocol, Purpose, Service, System, Tls, WorkloadKind,
};

use crate::{
    Artefact, doc,
    script::{PROBES, probe_path, quoted, scrapes, script},
};

/// Where it is.
pub(super) const PATH: &str = "smoke-test.sh";

pub(super) fn emit(system: &System) -> Artefact {
    debug_assert!(system.platform.value == Platform::Kubernetes);
    let body = [include_str!("scripts/smoke-test.sh")];
    script(system, PATH, "is what was applied well?", &body, |out| checks(system, out))
}

fn checks(system: &System, out: &mut Writer<Origin>) {
    let nodes = || system.nodes().filter(|(_, node)| node.container.is_some());
    let all = doc::follows_all("every node is asked", nodes().map(|(_, node)| &node.origin), &system.origin);
    out.newline();
    out.line("checks() {", &all);
    for (_, node) in nodes() {
        let Some(pod) = node.container.as_ref().and_then(|it| it.pod.as_deref()) else { continue };
        if pod.kind == WorkloadKind::Sidecar {
            continue;
        }
        let kind = pod.kind.as_str().to_ascii_lowercase();
        let namespace = pod.namespace.as_deref().unwrap_or_default();
        out.line(&format!("    check_rollout {} {kind} {}", quoted(namespace), quoted(&pod.name)), &node.origin);
    }
    for (id, node) in nodes() {
        // What a pod says of itself, its rollout has told.
        let ready = node.listeners.iter().find(|it| PROBES.contains(&&*it.name) && node.collector().is_none());
        if let Some((ready, at)) = ready.and_then(|it| Some((it, reached(system, node, it)?))) {
            let line = format!("    check_http {at} {}", quoted(probe_path(node, ready)));
            out.line(&line, &doc::follows("it says there whether it is well", &[&ready.origin]));
        }
        let query = node.listeners.iter().find(|it| it.name == "query" && scrapes(node));
        if let Some((query, at)) = query.and_then(|it| Some((it, reached(system, node, it)?))) {
            let origin = doc::follows("it scrapes the others", &[&query.origin]);
            out.line(&format!("    check_pipeline {at}"), &origin);
        }
        if let Some((door, at)) = entrance(system, id).and_then(|it| Some((it, reached(system, node, it)?))) {
            let found = store(system, id, &mut HashSet::new()).map(|it| format!(" {it}")).unwrap_or_default();
            let origin = doc::follows("applications send there", &[&door.origin]);
            out.line(&format!("    check_trace {at}{found}"), &origin);
        }
    }
    out.line("}", &all);
}

/// The words that lead to a door through the API: namespace, scheme, Service and port. None where no Service does, or
/// a certificate would have to be shown.
fn reached(system: &System, node: &Node, door: &Listener) -> Option<String> {
    let pod = node.container.as_ref()?.pod.as_deref()?;
    let scheme = match door.tls {
        Known::Value(Tls::Off) => "http",
        Known::Value(Tls::On) => "https",
        _ => return None,
    };
    let leads = |it: &&Service| it.ports.iter().any(|port| port.port == door.port && port.transport == Transport::Tcp);
    let service = system.cluster.as_deref()?.services_of(pod).find(leads)?;
    let namespace = pod.namespace.as_deref().unwrap_or_default();
    Some(format!("{} {scheme} {} {}", quoted(namespace), quoted(&service.name), door.port))
}

/// Where applications send traces to a collector over HTTP: what the API can do too.
fn entrance(system: &System, id: NodeId) -> Option<&Listener> {
    let node = system.node(id);
    node.collector()?;
    let from_inside = system.incoming(id, Purpose::Telemetry).into_iter().any(|(_, from)| from != id);
    let of_all = node.placement.kind.as_ref().is_some_and(|it| it.value == WorkloadKind::DaemonSet);
    let takes = |it: &&Listener| it.protocol == Protocol::OTLP_HTTP && it.signals.contains(Signal::Traces);
    node.listeners.iter().find(|it| (of_all || !from_inside) && takes(it))
}

/// The words that lead to the store in which a trace ends up that is sent to a node, and the path of a trace there.
fn store(system: &System, id: NodeId, seen: &mut HashSet<NodeId>) -> Option<String> {
    if !seen.insert(id) {
        return None;
    }
    let node = system.node(id);
    if let Some(store) = node.store() {
        let (name, path) = match store.product() {
            Product::Tempo => ("query", "/api/traces/"),
            Product::Jaeger => ("ui", "/api/traces/"),
            _ => return None,
        };
        let door = node
            .listeners
            .iter()
            .find(|it| it.name == name)
            .or_else(|| node.listeners.iter().find(|it| it.protocol == Protocol::HTTP && it.signals.is_empty()))?;
        return Some(format!("{} {path}", reached(system, node, door)?));
    }
    let on = system.outgoing(id, Purpose::Telemetry).into_iter();
    on.filter(|(edge, _)| system.edge(*edge).signals.contains(Signal::Traces))
        .find_map(|(_, to)| store(system, to, seen))
}
