//! Reading it.

use telstack_catalog::product::Product;
use telstack_system::{MetricsGenerator, Node, Value, link};

use super::RETENTION;
use crate::{
    folder::{self, Dialled, Folder},
    reading::{self, items, number, period, text, truth},
    receivers,
};

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let Ok(document) = folder.config_for(node, "config.file").known() else { return Vec::new() };
    if let (Some(document), Some(store)) = (&document, node.store_mut()) {
        store.multi_tenant = truth(document, "multitenancy_enabled");
        store.retention = RETENTION.iter().find_map(|path| period(document, &path.join(".")));
        let receivers = document.at("distributor.receivers").and_then(receivers::read_max_message);
        store.max_message = receivers.or_else(|| receivers::read_grpc_server(document));
        store.replication = number(document, "ingester.lifecycler.ring.replication_factor");
        store.local = text(document, "storage.trace.backend").filter(|it| it.value == "local").map(|it| it.origin);
        if let Some(facet) = store.tempo_mut() {
            facet.generator = generator(document);
        }
        store.data_path = text(document, "storage.trace.local.path").and_then(folder::parent);
    }
    let generates = document.as_ref().filter(|it| generator(it).is_some_and(|it| it.active != Some(false)));
    let targets = generates.map(|it| items(it, "metrics_generator.storage.remote_write"));
    let dialled = targets.map(reading::remote_writes).unwrap_or_default();
    if let Some(version) = node.version() {
        let all = document.as_ref().and_then(|it| it.at("distributor.receivers"));
        node.listeners = link::listeners(node, Product::Tempo, version, |endpoint| {
            if endpoint.signals.is_empty() {
                return Some(reading::http_server(document.as_ref(), endpoint.port, &node.origin));
            }
            receivers::door(all?, endpoint, &|_| true)
        });
    }
    dialled
}

/// The part that makes metrics of spans, and whether anything switches it on. Before 2.3 overrides were flat.
fn generator(document: &Value) -> Option<MetricsGenerator> {
    const PROCESSORS: [&str; 2] =
        ["overrides.defaults.metrics_generator.processors", "overrides.metrics_generator_processors"];
    /// Other places that may switch it on, which are not read.
    const ELSEWHERE: [&str; 3] = [
        "overrides.per_tenant_override_config",
        "overrides.user_configurable_overrides",
        "overrides.user_configurable",
    ];
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
    Some(MetricsGenerator { has_target, active, origin: block.mark.clone() })
}
