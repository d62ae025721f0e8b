//! Reading it.

use telstack_catalog::product::{Endpoint, Product};
use telstack_syntax::tree::Kind;
use telstack_system::{Bind, Known, MetricsGenerator, Node, Tls, Value, link::Door};

use super::RETENTION;
use crate::{
    folder::{self, Dialled, Folder},
    reading::{self, ANY_TENANT, items, number, period, text, truth},
    receivers,
    server::Server,
};

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let Ok(document) = folder.config_for(node, "config.file").known() else { return Vec::new() };
    let server = Server::of(node, Product::Tempo, document.as_ref());
    let document = document.map(|_| &server.document);
    if let (Some(document), Some(store)) = (document, node.store_mut()) {
        store.multi_tenant = truth(document, "multitenancy_enabled");
        store.retention = RETENTION.iter().find_map(|path| period(document, &path.join(".")));
        let receivers = document.at("distributor.receivers").and_then(receivers::read_max_message);
        store.max_message = receivers.or_else(|| receivers::read_grpc_server(document));
        store.replication = number(document, "ingester.lifecycler.ring.replication_factor");
        store.ring_alone = reading::ring_alone(document, &["ingester.lifecycler.ring.kvstore.store"]);
        store.local = text(document, "storage.trace.backend").filter(|it| it.value == "local").map(|it| it.origin);
        if let Some(facet) = store.tempo_mut() {
            facet.generator = generator(document);
        }
        store.data_path = text(document, "storage.trace.local.path").and_then(folder::parent);
    }
    let generates = document.filter(|it| generator(it).is_some_and(|it| it.active != Some(false)));
    let targets = generates.map(|it| items(it, "metrics_generator.storage.remote_write"));
    let mut dialled = targets.map(reading::remote_writes).unwrap_or_default();
    if document.is_some_and(names_tenants) {
        for it in &mut dialled {
            it.dial.tenant.get_or_insert_with(|| ANY_TENANT.to_owned());
        }
    }
    if let Some(version) = node.version() {
        let all = server.document.at("distributor.receivers").filter(|it| !matches!(it.kind, Kind::Null));
        let all = all.filter(|it| it.as_map().is_none_or(|map| !map.is_empty()));
        let origin = node.origin.clone();
        let receivers = |endpoint: &Endpoint| match all {
            Some(all) => receivers::door(all, endpoint, &|_| true),
            None if endpoint.by_default => {
                let (bind, tls, origin) = (Bind::Unknown, Known::Value(Tls::Off), origin.clone());
                Some(Door { port: endpoint.port, bind, tls, origin })
            }
            None => None,
        };
        node.listeners = server.listeners(node, Product::Tempo, version, Some(&receivers));
        for listener in node.listeners.iter_mut().filter(|it| it.signals.is_empty()) {
            server.put_below(listener);
        }
    }
    dialled
}

/// May the metrics that it makes name a tenant that their target does not say? It hands on the one that spans came
/// with, and overrides may bring headers.
fn names_tenants(document: &Value) -> bool {
    const HANDS_ON: &str = "metrics_generator.storage.remote_write_add_org_id_header";
    const HEADERS: [&str; 2] = [
        "overrides.defaults.metrics_generator.remote_write_headers",
        "overrides.metrics_generator_remote_write_headers",
    ];
    let says = |path: &str, by_default: bool| match document.at(path) {
        Some(value) => value.as_bool().unwrap_or(true),
        None => by_default,
    };
    let brought = HEADERS.iter().chain(&ELSEWHERE).any(|path| document.at(path).is_some());
    brought || says("multitenancy_enabled", false) && says(HANDS_ON, true)
}

/// Places where overrides may stand that are not read.
const ELSEWHERE: [&str; 3] =
    ["overrides.per_tenant_override_config", "overrides.user_configurable_overrides", "overrides.user_configurable"];

/// The part that makes metrics of spans, and whether anything switches it on. Before 2.3 overrides were flat.
fn generator(document: &Value) -> Option<MetricsGenerator> {
    const PROCESSORS: [&str; 2] =
        ["overrides.defaults.metrics_generator.processors", "overrides.metrics_generator_processors"];
    let block = document.at("metrics_generator").filter(|it| it.as_map().is_some())?;
    let on = |path: &&str| {
        document.at(path).is_some_and(|it| it.as_seq().map_or(it.as_str().is_some(), |it| !it.is_empty()))
    };
    let active = if PROCESSORS.iter().any(on) {
        Some(true)
    } else {
        (!ELSEWHERE.iter().any(|path| document.at(path).is_some())).then_some(false)
    };
    let target = block.at("storage.remote_write");
    let has_target = target.is_some_and(|it| it.as_seq().map_or(it.as_str().is_some(), |it| !it.is_empty()));
    let has_storage = text(block, "storage.path").is_some();
    Some(MetricsGenerator { has_target, has_storage, active, origin: block.mark.clone() })
}
