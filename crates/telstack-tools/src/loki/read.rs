//! Reading it.

use telstack_catalog::product::Product;
use telstack_system::{Node, Protocol, Purpose, SchemaPeriod, Sourced, Store, Value};

use crate::{
    command,
    folder::{Config, Dialled, Folder},
    reading::{self, ANY_TENANT, dial, items, number, period, text, truth},
    receivers, rule_files,
    server::Server,
};

/// The role of files of rules, and how their names end.
const ENDINGS: [&str; 2] = [".yaml", ".yml"];
const RULES: &str = "rules";

/// Where it says how many ingesters a line goes to; the first that is written holds.
const REPLICATION: [&str; 2] = ["ingester.lifecycler.ring.replication_factor", "common.replication_factor"];

/// Where it says where the ring of those is kept; the first that is written holds.
const RING: [&str; 2] = ["ingester.lifecycler.ring.kvstore.store", "common.ring.kvstore.store"];

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let Ok(document) = folder.config_for(node, "config.file").known() else { return Vec::new() };
    let server = Server::of(node, Product::Loki, document.as_ref());
    let mut dialled = Vec::new();
    if let Some(document) = document.as_ref().map(|_| &server.document) {
        settings(node, document);
        rules(node, document, folder);
        dialled.extend(recordings(document));
        if let Some(urls) = text(document, "ruler.alertmanager_url") {
            for url in urls.value.split(',') {
                let address = Sourced::new(url.trim().to_owned(), urls.origin.clone());
                dialled.extend(dial(Protocol::HTTP, &address).map(|dial| Dialled { purpose: Purpose::Alert, dial }));
            }
        }
    }
    if let Some(version) = node.version() {
        node.listeners = server.listeners(node, Product::Loki, version, None);
        for listener in &mut node.listeners {
            server.put_below(listener);
        }
    }
    dialled
}

/// Where what its rules record is written to. The tenant of a rule goes with it, also where there is only one.
fn recordings(document: &Value) -> Vec<Dialled> {
    const WRITE: &str = "ruler.remote_write";
    let Some(write) = document.at(WRITE).filter(|it| it.at("enabled").and_then(Value::as_bool) == Some(true)) else {
        return Vec::new();
    };
    let several = write.at("clients").and_then(Value::as_map);
    let clients = several.into_iter().flatten().map(|it| &it.value).chain(write.at("client"));
    let mut dialled = reading::remote_writes(clients);
    if write.at("add_org_id_header").is_none_or(|it| it.as_bool() != Some(false)) {
        for it in &mut dialled {
            it.dial.tenant.get_or_insert_with(|| ANY_TENANT.to_owned());
        }
    }
    dialled
}

/// The alerts that its ruler evaluates, of the files in a folder of its own, and whether anybody is told.
fn rules(node: &mut Node, document: &Value, folder: &mut Folder<'_>) {
    /// Where it says whom to tell; tenants may have somebody of their own.
    const TOLD: [&str; 4] = [
        "ruler.alertmanager_url",
        "limits_config.ruler_alertmanager_config",
        "limits_config.per_tenant_override_config",
        "runtime_config.file",
    ];
    const FLAGS: [&str; 2] = ["ruler.", "limits.per-user-override"];
    let local = text(document, "ruler.storage.type").filter(|it| it.value == "local");
    let Some(place) = local.and_then(|_| text(document, "ruler.storage.local.directory")) else { return };
    let told = TOLD.iter().any(|path| document.at(path).is_some());
    let flagged = command::flags(node).iter().any(|(name, ..)| FLAGS.iter().any(|it| name.starts_with(it)));
    let Some(mut container) = node.container.take() else { return };
    let (mut alerts, mut recorded) = (Vec::new(), Vec::new());
    let seen: Vec<String> = folder.seen(&container, &place.value).into_iter().map(|(inside, _)| inside).collect();
    for inside in seen.iter().filter(|it| ENDINGS.iter().any(|end| it.ends_with(end))) {
        if let Config::Given(Some(found)) = folder.config(&mut container, RULES, inside) {
            rule_files::read(&found, &mut alerts, &mut recorded);
        }
    }
    node.container = Some(container);
    if let Some(facet) = node.store_mut().and_then(Store::loki_mut) {
        facet.alerts = alerts;
        facet.sends_alerts = (!flagged).then_some(told);
    }
}

fn settings(node: &mut Node, document: &Value) {
    let (origin, version) = (node.origin.clone(), node.version());
    let Some(store) = node.store_mut() else { return };
    store.retention = period(document, "limits_config.retention_period").filter(|it| it.value.millis() > 0);
    store.data_path = text(document, "common.path_prefix");
    store.max_message = receivers::read_grpc_server(document);
    store.multi_tenant = reading::multi_tenant(document, &["auth_enabled"], &origin);
    store.ring_alone = reading::ring_alone(document, &RING);
    let default = || version.and_then(|version| Product::Loki.option(version, REPLICATION[1])?.default?.as_u64());
    store.replication = if let Some(path) = REPLICATION.iter().find(|path| document.at(path).is_some()) {
        number(document, path)
    } else {
        default().map(|it| Sourced::new(it, origin))
    };
    let periods = items(document, "schema_config.configs");
    let objects = periods.last().and_then(|period| text(period, "object_store"));
    store.local = objects.filter(|it| it.value == "filesystem").map(|it| it.origin);
    let Some(facet) = store.loki_mut() else { return };
    let word = |period: &Value, path: &str| text(period, path).map(|it| it.value).unwrap_or_default();
    facet.schema = items(document, "schema_config.configs")
        .iter()
        .map(|period| SchemaPeriod {
            from: word(period, "from"),
            store: word(period, "store"),
            schema: word(period, "schema"),
            origin: period.mark.clone(),
        })
        .collect();
    facet.retention_enabled = truth(document, "compactor.retention_enabled");
    facet.delete_request_store = text(document, "compactor.delete_request_store");
    facet.structured_metadata = truth(document, "limits_config.allow_structured_metadata");
}
