//! Shell scripts beside the compose file: is the stack well, and save and put back what it keeps.
//!
//! What depends on the stack stands at the top of each script; the rest is a text that is the same in all of
//! them (`scripts/*.sh`), so that it can be read and checked as the shell script it is.

use telstack_catalog::otelcol::Transport;
use telstack_syntax::Writer;
use telstack_system::{Known, Listener, Mount, Node, NodeKind, Origin, Protocol, Published, Sourced, System, Tls};

use super::{service::INIT_IMAGE, volume, volume_name};
use crate::{
    Artefact, doc,
    script::{PROBES, probe_path, quoted, scrapes, script},
};

/// The part of every script that finds docker compose and asks it.
const COMPOSE: &str = include_str!("scripts/compose.sh");
/// The part that stops nodes while their volumes are worked on, and starts them again.
const NODES: &str = include_str!("scripts/nodes.sh");
/// Ports that bind every interface are asked for here.
const HERE: &str = "127.0.0.1";

pub(super) fn emit(system: &System) -> Vec<Artefact> {
    let mut out = Vec::new();
    if system.nodes().any(|(_, node)| node.container.is_some()) {
        let head = |out: &mut Writer<Origin>| checks(system, out);
        let body = [COMPOSE, include_str!("scripts/health-check.sh")];
        out.push(script(system, "scripts/health-check.sh", "is the stack well?", &body, head));
    }
    let kept = kept(system);
    if !kept.is_empty() {
        let head = |out: &mut Writer<Origin>| volumes(system, &kept, out);
        let save = [COMPOSE, NODES, include_str!("scripts/backup.sh")];
        out.push(script(system, "scripts/backup.sh", "save what the stack keeps", &save, head));
        let back = [COMPOSE, NODES, include_str!("scripts/restore.sh")];
        out.push(script(system, "scripts/restore.sh", "put back what backup.sh saved", &back, head));
    }
    out
}

fn checks(system: &System, out: &mut Writer<Origin>) {
    let all = doc::follows_all(
        "every container is asked",
        system.nodes().filter(|(_, node)| node.container.is_some()).map(|(_, node)| &node.origin),
        &system.origin,
    );
    out.newline();
    out.line("checks() {", &all);
    for (_, node) in system.nodes() {
        let Some(container) = &node.container else { continue };
        let name = quoted(&node.name);
        out.line(&format!("    check_container {name}"), &node.origin);
        // Nobody answers on a UDP port: silence there says nothing.
        for port in container.published.iter().filter(|it| it.transport == Transport::Tcp) {
            let mut listeners =
                node.listeners.iter().filter(|it| (it.port, it.transport) == (port.container_port, port.transport));
            let query = listeners.clone().find(|it| it.name == "query");
            let probe = listeners.clone().find(|it| PROBES.contains(&it.name.as_str()));
            // What an extension answers where is its own affair; probes and metrics have a known path.
            let answers = |it: &&Listener| match &it.owner {
                None => it.protocol == Protocol::HTTP && it.signals.is_empty(),
                Some(_) => it.protocol == Protocol::EXPOSITION && it.path.is_some(),
            };
            // This script has no certificate of its own to show.
            let open = |it: &&Listener| it.tls != Known::Value(Tls::Mutual);
            let origin = doc::follows("it is published", &[&port.origin]);
            if let Some(probe) = probe.or_else(|| listeners.find(answers)).filter(open) {
                let url = url(port, probe, probe_path(node, probe));
                out.line(&format!("    check_http {name} {}", quoted(&url)), &origin);
            } else {
                let what = if port.what.is_empty() { "open" } else { &port.what };
                let address = quoted(host(port));
                out.line(&format!("    check_port {name} {address} {} {}", port.host_port, quoted(what)), &origin);
            }
            if let (Some(query), true) = (query.filter(open), scrapes(node)) {
                let origin = doc::follows("it scrapes the others, and is published", &[&port.origin]);
                out.line(&format!("    check_pipeline {name} {}", quoted(&url(port, query, ""))), &origin);
            }
        }
    }
    out.line("}", &all);
}

fn host(port: &Published) -> &str {
    match port.host_ip.as_deref() {
        None | Some("0.0.0.0" | "::" | "") => HERE,
        Some(ip) => ip,
    }
}

fn url(port: &Published, listener: &Listener, path: &str) -> String {
    let scheme = if matches!(listener.tls, Known::Value(Tls::On | Tls::Mutual)) { "https" } else { "http" };
    let host = host(port);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("{scheme}://{host}:{}{path}", port.host_port)
}

/// A volume that is worth saving: the node, its name, and what is in it.
fn kept(system: &System) -> Vec<(&Node, &Mount, Sourced<String>)> {
    let mut out: Vec<(&Node, &Mount, Sourced<String>)> = Vec::new();
    for (_, node) in system.nodes() {
        for mount in node.container.iter().flat_map(|container| &container.mounts) {
            let known = |it: &(&Node, &Mount, Sourced<String>)| it.1.source == mount.source;
            if volume(mount).is_some() && !out.iter().any(known) {
                out.push((node, mount, contents(node, mount)));
            }
        }
    }
    out
}

fn contents(node: &Node, mount: &Mount) -> Sourced<String> {
    let kept = |what: &str| match node.store().and_then(|store| store.retention.as_ref()) {
        Some(retention) => format!("the {what} of the last {}", retention.value),
        None => format!("the {what}"),
    };
    let what = match &node.kind {
        NodeKind::Collector(_) => "queues: what is not delivered yet".to_owned(),
        NodeKind::Store(store) => match store.product() {
            telstack_catalog::product::Product::Prometheus => kept("metrics"),
            telstack_catalog::product::Product::Loki => kept("logs"),
            _ => kept("traces"),
        },
        NodeKind::Viewer(_) => "users, preferences and dashboards that people made".to_owned(),
        NodeKind::Alerter(_) => "silences, and who was told what".to_owned(),
        NodeKind::Broker(_) => "messages".to_owned(),
        NodeKind::Informer(_) | NodeKind::Proxy(_) | NodeKind::External(_) => "data".to_owned(),
    };
    Sourced::new(what, doc::follows("what the node keeps", &[&mount.origin, &node.origin]))
}

fn volumes(system: &System, kept: &[(&Node, &Mount, Sourced<String>)], out: &mut Writer<Origin>) {
    let helper = doc::chosen("a small image with `tar`, which the stack uses anyway", &system.origin);
    out.line(&format!("helper={}", quoted(INIT_IMAGE)), &helper);
    let all = doc::follows_all("what outlives the containers", kept.iter().map(|it| &it.1.origin), &system.origin);
    out.line("# node|volume|what it holds", &all);
    out.line("volumes=(", &all);
    for (node, mount, what) in kept {
        let volume = volume(mount).map(|name| volume_name(system, name)).unwrap_or_default();
        out.line(&format!("    {}", quoted(&format!("{}|{volume}|{}", node.name, what.value))), &what.origin);
    }
    out.line(")", &all);
}
