//! Jaeger 2, which is a collector with a store in it. Jaeger 1 has no file: it is told everything by its
//! environment.

use telstack_syntax::tree::Kind;
use telstack_system::{JAEGER_TRACES_IN_MEMORY, JaegerStorage, Node, Origin, Sourced, Store, System, Value};

use crate::{
    Artefact,
    doc::{self, Block},
    receivers::{endpoint, receivers},
    tls,
};

/// What the one backend is called inside the file.
const BACKEND: &str = "spans";

pub(crate) fn emit(
    system: &System,
    node: &Node,
    store: &Store,
    storage: Option<&Sourced<JaegerStorage>>,
) -> Vec<Artefact> {
    let Some(file) = node.container.as_ref().and_then(|container| container.file("config")) else {
        return Vec::new();
    };
    vec![doc::node_yaml(system, node, file, None, &document(node, store, storage))]
}

fn document(node: &Node, store: &Store, storage: Option<&Sourced<JaegerStorage>>) -> Value {
    let own = doc::fact("Jaeger 2 is put together like a collector", &[&node.origin]);
    let kept = storage.map_or(&node.origin, |storage| &storage.origin);
    let mut out = Block::new();
    out.put("extensions", extensions(node, store, storage, &own));
    out.gap().put_some("receivers", receivers(node));
    let batch = doc::chosen("spans are written many at a time", &node.origin);
    out.gap().put("processors", batch.map([("batch", Value { kind: Kind::Null, mark: batch.clone() })]));
    let exporter = kept.map([("trace_storage", kept.string(BACKEND))]);
    out.gap().put("exporters", own.map([("jaeger_storage_exporter", exporter)]));
    out.gap().put("service", service(node, &own, &batch));
    out.finish(&node.origin)
}

fn extensions(node: &Node, store: &Store, storage: Option<&Sourced<JaegerStorage>>, own: &Origin) -> Value {
    let mut out = Block::new();
    if let Some(health) = doc::listener(node, &["health"]) {
        let http = health.origin.map([("endpoint", health.origin.string(endpoint(health)))]);
        out.put("healthcheckv2", health.origin.map([("use_v2", own.bool(true)), ("http", http)]));
    }
    let kept = storage.map_or(own, |storage| &storage.origin);
    out.put("jaeger_query", query(node, kept, own));
    let backends = kept.map([(BACKEND, backend(node, store, storage))]);
    out.put("jaeger_storage", kept.map([("backends", backends)]));
    out.finish(own)
}

fn query(node: &Node, kept: &Origin, own: &Origin) -> Value {
    let mut out = Block::new();
    for (key, names) in [("http", &["query", "ui"][..]), ("grpc", &["query-grpc"])] {
        let encrypted = doc::listener(node, names).and_then(|it| Some((it, tls::server(node, it)?)));
        if let Some((listener, tls)) = encrypted {
            let address = listener.origin.string(endpoint(listener));
            out.put(key, listener.origin.map([("endpoint", address), ("tls", tls)]));
        }
    }
    out.put("storage", kept.map([("traces", kept.string(BACKEND))]));
    out.finish(own)
}

fn backend(node: &Node, store: &Store, storage: Option<&Sourced<JaegerStorage>>) -> Value {
    let kept = storage.map_or(&node.origin, |storage| &storage.origin);
    let on_disk = storage.is_some_and(|storage| storage.value == JaegerStorage::Badger);
    let Some(path) = store.data_path.as_ref().filter(|_| on_disk) else {
        let reason = "without a limit Jaeger keeps spans in memory until it is killed";
        let limit = doc::chosen(reason, kept);
        return kept.map([("memory", kept.map([("max_traces", limit.int(JAEGER_TRACES_IN_MEMORY))]))]);
    };
    let below = |folder: &str| path.origin.string(format!("{}/{folder}", path.value.trim_end_matches('/')));
    let mut badger = Block::new();
    let [keys, values] = JaegerStorage::BADGER_FOLDERS.map(below);
    badger.put("directories", path.origin.map([("keys", keys), ("values", values)]));
    badger.put("ephemeral", kept.bool(false));
    if let Some(retention) = &store.retention {
        let origin = &retention.origin;
        badger.put("ttl", origin.map([("spans", origin.string(retention.value.go()))]));
    }
    kept.map([("badger", badger.finish(kept))])
}

fn service(node: &Node, own: &Origin, batch: &Origin) -> Value {
    let mut out = Block::new();
    let mut extensions = vec![own.string("jaeger_storage"), own.string("jaeger_query")];
    if let Some(health) = doc::listener(node, &["health"]) {
        extensions.push(health.origin.string("healthcheckv2"));
    }
    out.put("extensions", own.flow(extensions));
    out.put_some("telemetry", telemetry(node));
    let names: Vec<Value> = receivers(node)
        .as_ref()
        .and_then(Value::as_map)
        .map(|map| map.iter().map(|entry| entry.key_mark.string(&entry.key)).collect())
        .unwrap_or_default();
    let traces = own.map([
        ("receivers", own.flow(names)),
        ("processors", batch.flow([batch.string("batch")])),
        ("exporters", own.flow([own.string("jaeger_storage_exporter")])),
    ]);
    out.put("pipelines", own.map([("traces", traces)]));
    out.finish(own)
}

fn telemetry(node: &Node) -> Option<Value> {
    let metrics = doc::listener(node, &["metrics"])?;
    let origin = &metrics.origin;
    let host = endpoint(metrics);
    let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
    let prometheus = origin.map([("host", origin.string(host)), ("port", origin.int(metrics.port))]);
    let reader = origin.map([("pull", origin.map([("exporter", origin.map([("prometheus", prometheus)]))]))]);
    Some(origin.map([("metrics", origin.map([("readers", origin.block([reader]))]))]))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Version;

    use crate::testing::{Choice, parsed, part, stack, text, written};

    #[test]
    fn two_is_a_collector_with_a_store() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, "configs/jaeger.yaml");
        let backends = ["extensions", "jaeger_storage", "backends", "spans", "badger"];
        assert_eq!(part(&document, &[&backends[..], &["ttl", "spans"]].concat()), "\"720h\"");
        assert_eq!(part(&document, &[&backends[..], &["ephemeral"]].concat()), "false");
        // Where Jaeger 1 has them: an upgrade finds its spans again.
        let folders = r#"{ "keys": "/badger/key", "values": "/badger/data" }"#;
        assert_eq!(part(&document, &[&backends[..], &["directories"]].concat()), folders);
        assert_eq!(part(&document, &["extensions", "jaeger_query", "storage", "traces"]), "\"spans\"");
        assert_eq!(part(&document, &["exporters", "jaeger_storage_exporter", "trace_storage"]), "\"spans\"");
        assert_eq!(
            part(&document, &["service", "extensions"]),
            r#"["jaeger_storage", "jaeger_query", "healthcheckv2"]"#
        );
    }

    #[test]
    fn one_has_no_file() {
        let artefacts = written(&stack(&Choice { jaeger: Version::new(1, 53, 0), ..Choice::default() }));
        assert!(artefacts.iter().all(|it| it.path != "configs/jaeger.yaml"));
        assert!(text(&artefacts, "docker-compose.yml").contains("BADGER_SPAN_STORE_TTL: 720h"));
    }
}
