//! Loki as a single process on a disk.

use telstack_catalog::product::Product;
use telstack_system::{Known, LokiFacet, Node, NodeId, Origin, Purpose, SchemaPeriod, Store, System, Tls, Value};

use crate::{
    Artefact,
    doc::{self, Block},
    receivers::{grpc_server, max_message},
    tls,
};

/// The object store of the schema and the compactor: files below the data path.
const ON_DISK: &str = "filesystem";

pub(crate) fn emit(system: &System, id: NodeId, node: &Node, store: &Store, facet: &LokiFacet) -> Vec<Artefact> {
    let Some(file) = node.container.as_ref().and_then(|container| container.file("config")) else {
        return Vec::new();
    };
    vec![doc::node_yaml(system, node, file, None, &document(system, id, node, store, facet))]
}

fn document(system: &System, id: NodeId, node: &Node, store: &Store, facet: &LokiFacet) -> Value {
    let mut out = Block::new();
    let auth = match &store.tenant {
        Some(tenant) => doc::follows("the stack names a tenant", &[&tenant.origin]).bool(true),
        None => doc::chosen("the stack names no tenant; Loki's own default wants one on every request", &node.origin)
            .bool(false),
    };
    out.put("auth_enabled", auth);
    if let Some(listener) = doc::listener(node, &["query", "push", "otlp-http"]) {
        let mut server = Block::new();
        server.put("http_listen_port", listener.origin.int(listener.port));
        server.put_some("http_tls_config", tls::server(node, listener));
        if let Some(size) = max_message(node) {
            // The part that takes logs hands them to the part that keeps them by gRPC.
            grpc_server(&mut server, size);
        }
        out.gap().put("server", server.finish(&listener.origin));
    }
    out.gap().put("common", common(node, store));
    if !facet.schema.is_empty() {
        let origins = facet.schema.iter().map(|period| &period.origin);
        let origin = doc::follows_all("how chunks and index are laid out, since when", origins, &node.origin);
        let periods = origin.block(facet.schema.iter().map(schema_period));
        out.gap().comment("Never change a period that has begun: add one that begins tomorrow or later.");
        out.put("schema_config", origin.map([("configs", periods)]));
    }
    out.gap().put_some("limits_config", limits(node, store, facet));
    if let Some(compactor) = compactor(store, facet) {
        out.gap().comment("Deletes what is older than retention_period; without it everything is kept.");
        out.put("compactor", compactor);
    }
    if store.retention.is_none() {
        out.gap().comment(KEPT_FOR_EVER);
    }
    out.gap().put_some("query_range", query_range(node));
    out.gap().put_some("ruler", ruler(system, id, node));
    out.finish(&node.origin)
}

fn common(node: &Node, store: &Store) -> Value {
    let alone = doc::chosen("one process is the whole ring: nothing is replicated, nobody else is asked", &node.origin);
    let mut out = Block::new();
    if has(node, "common.instance_addr") {
        out.put("instance_addr", alone.string("127.0.0.1"));
    }
    if let Some(path) = &store.data_path {
        out.put("path_prefix", path.origin.string(&path.value));
        let below = |folder: &str| path.origin.string(format!("{}/{folder}", path.value.trim_end_matches('/')));
        let folders = path.origin.map([("chunks_directory", below("chunks")), ("rules_directory", below("rules"))]);
        out.put("storage", path.origin.map([(ON_DISK, folders)]));
    }
    out.put("replication_factor", alone.int(1));
    out.put("ring", alone.map([("kvstore", alone.map([("store", alone.string("inmemory"))]))]));
    out.finish(&doc::follows("what Loki's parts share", &[&node.origin]))
}

fn schema_period(period: &SchemaPeriod) -> Value {
    let origin = &period.origin;
    let index = doc::fact("the index of a TSDB period is cut by the day", &[origin]);
    let local = doc::chosen("chunks are files on the node's own volume", origin);
    origin.map([
        ("from", origin.string(&period.from)),
        ("store", origin.string(&period.store)),
        ("object_store", local.string(ON_DISK)),
        ("schema", origin.string(&period.schema)),
        ("index", index.map([("prefix", index.string("index_")), ("period", index.string("24h"))])),
    ])
}

/// What an operator learns from a full disk otherwise.
const KEPT_FOR_EVER: &str = "Logs are kept for ever: the stack names no `retention` for them.";

/// Memory for answers that are asked for again.
const RESULTS_CACHE_MB: i64 = 100;

/// Loki's limits count per tenant; without tenants everybody is one.
const SHARED_LIMITS: [(&str, i64, &str); 3] = [
    ("ingestion_rate_mb", 10, "MB per second that may be written"),
    ("ingestion_burst_size_mb", 20, "MB that may come at once"),
    ("max_global_streams_per_user", 10_000, "streams that may be open"),
];

fn limits(node: &Node, store: &Store, facet: &LokiFacet) -> Option<Value> {
    let mut out = Block::new();
    if let Some(retention) = &store.retention {
        out.put("retention_period", retention.origin.string(retention.value.go()));
    }
    if let Some(on) = &facet.structured_metadata {
        out.put("allow_structured_metadata", on.origin.bool(on.value));
    }
    if store.tenant.is_none() {
        out.comment("Loki's own limits are meant for one tenant of many; here everybody is one.");
        for (key, most, what) in SHARED_LIMITS {
            if has(node, &format!("limits_config.{key}")) {
                let reason = format!("{what}: Loki's own limit is meant for one tenant of many, here all are one");
                out.put(key, doc::chosen(reason, &node.origin).int(most));
            }
        }
    }
    out.finish_some(&doc::follows("what may be written, and how long it stays", &[&node.origin]))
}

fn compactor(store: &Store, facet: &LokiFacet) -> Option<Value> {
    let enabled = facet.retention_enabled.as_ref()?;
    let mut out = Block::new();
    if let Some(path) = &store.data_path {
        let folder = format!("{}/compactor", path.value.trim_end_matches('/'));
        out.put("working_directory", path.origin.string(folder));
    }
    out.put("retention_enabled", enabled.origin.bool(enabled.value));
    if let Some(store) = &facet.delete_request_store {
        out.put("delete_request_store", store.origin.string(&store.value));
    }
    out.finish_some(&enabled.origin)
}

fn query_range(node: &Node) -> Option<Value> {
    has(node, "query_range.cache_results").then(|| {
        let reason = "dashboards ask the same again at each refresh: answers are kept in memory";
        let origin = doc::chosen(reason, &node.origin);
        let cache = origin.map([("enabled", origin.bool(true)), ("max_size_mb", origin.int(RESULTS_CACHE_MB))]);
        let cache = origin.map([("cache", origin.map([("embedded_cache", cache)]))]);
        origin.map([("cache_results", origin.bool(true)), ("results_cache", cache)])
    })
}

fn ruler(system: &System, id: NodeId, node: &Node) -> Option<Value> {
    let (edge, _) = *system.outgoing(id, Purpose::Alert).first()?;
    let dial = system.edge(edge).dial.as_ref()?;
    let mut out = Block::new();
    let scheme = if matches!(dial.tls, Known::Value(Tls::On | Tls::Mutual)) { "https" } else { "http" };
    out.put("alertmanager_url", dial.origin.string(format!("{scheme}://{}:{}", dial.host, dial.port)));
    if is_off_by_default(node, "ruler.enable_alertmanager_v2") {
        let origin = fact_of(node, "speaks the old Alertmanager API unless told so; Alertmanager 0.27 dropped it");
        out.put("enable_alertmanager_v2", origin.bool(true));
    }
    out.finish_some(&dial.origin)
}

fn fact_of(node: &Node, text: &str) -> Origin {
    doc::fact(format!("{} {text}", node.title()), &[&node.origin])
}

/// Does the node's version know that setting?
fn has(node: &Node, path: &str) -> bool {
    node.version().is_some_and(|version| Product::Loki.option(version, path).is_some())
}

fn is_off_by_default(node: &Node, path: &str) -> bool {
    let fact = node.version().and_then(|version| Product::Loki.option(version, path));
    fact.and_then(|fact| fact.default).is_some_and(|default| default == false)
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Version;

    use crate::testing::{Choice, parsed, part, stack, text, written};

    #[test]
    fn retention_comes_with_what_it_needs() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, "configs/loki.yaml");
        assert_eq!(part(&document, &["auth_enabled"]), "false");
        assert_eq!(part(&document, &["limits_config", "retention_period"]), "\"720h\"");
        assert_eq!(part(&document, &["compactor", "retention_enabled"]), "true");
        assert_eq!(part(&document, &["compactor", "delete_request_store"]), "\"filesystem\"");
        assert_eq!(part(&document, &["compactor", "working_directory"]), "\"/loki/compactor\"");
        assert_eq!(part(&document, &["schema_config", "configs", "0", "schema"]), "\"v13\"");
        assert_eq!(part(&document, &["ruler"]), r#"{ "alertmanager_url": "http://alertmanager:9093" }"#);
    }

    #[test]
    fn an_old_ruler_is_told_to_speak_the_new_api() {
        let artefacts = written(&stack(&Choice { loki: Version::new(3, 0, 0), ..Choice::default() }));
        let document = parsed(&artefacts, "configs/loki.yaml");
        assert_eq!(part(&document, &["ruler", "enable_alertmanager_v2"]), "true");
    }

    #[test]
    fn tenants_have_limits_of_their_own() {
        let artefacts = written(&stack(&Choice { tenant: Some("acme"), ..Choice::default() }));
        let text = text(&artefacts, "configs/loki.yaml");
        assert!(text.contains("auth_enabled: true") && !text.contains("ingestion_rate_mb"));
    }
}
