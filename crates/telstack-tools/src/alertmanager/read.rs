//! Reading it.

use telstack_catalog::product::Product;
use telstack_syntax::tree::Kind;
use telstack_system::{
    Alerter, Bind, Known, Node, NodeKind, Sourced, Tls, Value, Webhook, expansion,
    link::{self, Door},
};

use crate::{
    command,
    folder::{Dialled, Folder},
    reading::{items, period, text, word},
};

/// The flag that says where it listens.
const LISTEN: &str = "web.listen-address";

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let listen = command::flag(node, LISTEN);
    let Ok(document) = folder.config_for(node, "config.file").known() else { return Vec::new() };
    if let (Some(document), NodeKind::Alerter(alerter)) = (&document, &mut node.kind) {
        let hooks = items(document, "receivers").iter().flat_map(|receiver| items(receiver, "webhook_configs"));
        alerter.webhooks = hooks.filter_map(webhook).collect();
        alerter.receivers = items(document, "receivers").iter().filter_map(|it| text(it, "name")).collect();
        if let Some(route) = document.at("route") {
            routed(route, alerter);
        }
        alerter.intervals = intervals(document);
        alerter.repeat_interval = period(document, "route.repeat_interval");
    }
    let listens = listen.as_deref().is_none_or(|it| !expansion::is_unsettled(it));
    if let Some(version) = node.version().filter(|_| listens) {
        let origin = command::flag_origin(node, LISTEN).unwrap_or(&node.origin).clone();
        let (host, port) = listen.as_deref().and_then(|it| it.rsplit_once(':')).unwrap_or(("", ""));
        node.listeners = link::listeners(node, Product::Alertmanager, version, |endpoint| {
            // The cluster's port is another flag's matter.
            let moved = port.parse().ok().filter(|_| endpoint.protocol != "gossip");
            let (port, bind) = (moved.unwrap_or(endpoint.port), Bind::parse(host));
            Some(Door { port, bind, tls: Known::Value(Tls::Off), origin: origin.clone() })
        });
    }
    Vec::new()
}

/// The receivers and time intervals that a route and those below it name.
fn routed(route: &Value, alerter: &mut Alerter) {
    alerter.routed.extend(text(route, "receiver"));
    let named = ["mute_time_intervals", "active_time_intervals"].into_iter().flat_map(|key| items(route, key));
    alerter.timed.extend(named.filter_map(word));
    for below in items(route, "routes") {
        routed(below, alerter);
    }
}

/// The time intervals that are declared, by the name of today and that of before; none where something stands there
/// that is no list of them.
fn intervals(document: &Value) -> Option<Vec<Sourced<String>>> {
    let mut found = Vec::new();
    for key in ["time_intervals", "mute_time_intervals"] {
        let Some(declared) = document.at(key).filter(|it| !matches!(it.kind, Kind::Null)) else { continue };
        for interval in declared.as_seq()? {
            found.push(text(interval, "name")?);
        }
    }
    Some(found)
}

fn webhook(hook: &Value) -> Option<Webhook> {
    let url = text(hook, "url")?;
    Some(Webhook { url: url.value, origin: url.origin })
}
