//! Reading it.

use telstack_catalog::product::Product;
use telstack_system::{Node, Protocol, Purpose, Sourced, Value};

use crate::{
    folder::{Dialled, Folder},
    reading::{self, dial, number, period, text, truth},
    receivers,
    server::Server,
};

/// Where it says whether tenants are told apart; its older name was `auth_enabled`.
const TENANTS: [&str; 2] = ["multitenancy_enabled", "auth_enabled"];
/// Where it says how many ingesters a sample goes to.
const REPLICATION: &str = "ingester.ring.replication_factor";
/// Where blocks are kept: a setting of blocks goes before the common one.
const BACKEND: [&str; 2] = ["blocks_storage.backend", "common.storage.backend"];
/// The folders that it keeps on a disk, the ones worth most first.
const FOLDERS: [&str; 2] = ["blocks_storage.filesystem.dir", HEAD];
const HEAD: &str = "blocks_storage.tsdb.dir";
/// Where its answers to queries begin, as its configuration may move it.
const PREFIX: &str = "api.prometheus_http_prefix";

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let Ok(document) = folder.config_for(node, "config.file").known() else { return Vec::new() };
    let server = Server::of(node, Product::Mimir, document.as_ref());
    let mut dialled = Vec::new();
    if let Some(document) = document.as_ref().map(|_| &server.document) {
        settings(node, document);
        if let Some(url) = text(document, "ruler.alertmanager_url") {
            dialled.extend(dial(Protocol::HTTP, &url).map(|dial| Dialled { purpose: Purpose::Alert, dial }));
        }
    }
    if let Some(version) = node.version() {
        let prefix = text(&server.document, PREFIX);
        node.listeners = server.listeners(node, Product::Mimir, version, None);
        if let Some(prefix) = prefix {
            for listener in node.listeners.iter_mut().filter(|it| it.name == "query") {
                listener.base = Some(prefix.value.clone());
                listener.path = None;
            }
        }
        for listener in &mut node.listeners {
            server.put_below(listener);
        }
    }
    dialled
}

fn settings(node: &mut Node, document: &Value) {
    let (origin, version) = (node.origin.clone(), node.version());
    let default = |path: &str| version.and_then(|version| Product::Mimir.option(version, path)?.default);
    let by_default = |path: &str| Some(Sourced::new(default(path)?.as_u64()?, origin.clone()));
    let Some(store) = node.store_mut() else { return };
    store.retention = period(document, "limits.compactor_blocks_retention_period").filter(|it| it.value.millis() > 0);
    store.max_message = receivers::read_grpc_server(document);
    store.multi_tenant = reading::multi_tenant(document, &TENANTS, &origin);
    store.replication = match document.at(REPLICATION) {
        Some(_) => number(document, REPLICATION),
        // Written to Kafka, samples do not go to ingesters.
        None if document.at("ingest_storage").is_some() => None,
        None => by_default(REPLICATION),
    };
    store.ring_alone = reading::ring_alone(document, &["ingester.ring.kvstore.store"]);
    let backend = BACKEND.iter().find_map(|path| text(document, path));
    store.local = match backend {
        Some(backend) => (backend.value == "filesystem").then_some(backend.origin),
        None => None,
    };
    store.data_path = FOLDERS.iter().find_map(|path| text(document, path)).filter(|it| it.value.starts_with('/'));
    let Some(facet) = store.mimir_mut() else { return };
    facet.out_of_order = period(document, "limits.out_of_order_time_window");
    facet.dedupes = truth(document, "limits.accept_ha_samples");
    facet.head_path = text(document, HEAD).filter(|it| it.value.starts_with('/'));
}
