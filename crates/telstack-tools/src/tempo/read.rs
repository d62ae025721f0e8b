//! Reading it.

use telstack_catalog::product::Product;
use telstack_system::{Node, link};

use super::RETENTION;
use crate::{
    folder::{self, Config, Dialled, Folder},
    reading::{self, period, text, truth},
    receivers,
};

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let path = folder::config_path(node, "config.file").unwrap_or_default();
    let Some(container) = &mut node.container else { return Vec::new() };
    let document = match folder.config(container, "config", &path) {
        Config::Given(document) => document,
        Config::Elsewhere => return Vec::new(),
        Config::Own => None,
    };
    if let (Some(document), Some(store)) = (&document, node.store_mut()) {
        store.multi_tenant = truth(document, "multitenancy_enabled");
        store.retention = RETENTION.iter().find_map(|path| period(document, &path.join(".")));
        let receivers = document.at("distributor.receivers").and_then(receivers::read_max_message);
        store.max_message = receivers.or_else(|| receivers::read_grpc_server(document));
        store.data_path = text(document, "storage.trace.local.path").and_then(folder::parent);
    }
    if let Some(version) = node.version() {
        let all = document.as_ref().and_then(|it| it.at("distributor.receivers"));
        node.listeners = link::listeners(node, Product::Tempo, version, |endpoint| {
            if endpoint.signals.is_empty() {
                return Some(reading::http_server(document.as_ref(), endpoint.port, &node.origin));
            }
            receivers::door(all?, endpoint, &|_| true)
        });
    }
    Vec::new()
}
