//! Tempo as a single process on a disk.

use telstack_catalog::product::Product;
use telstack_system::{Node, Store, System, Value};

use super::RETENTION;
use crate::{
    Artefact,
    doc::{self, Block},
    receivers::{grpc_server, max_message, receivers},
    tls,
};

/// How large a message Tempo's own parts send each other without being told, in MiB.
const OWN_MESSAGE_MIB: u64 = 16;

pub(crate) fn emit(system: &System, node: &Node, store: &Store) -> Vec<Artefact> {
    let Some(file) = node.container.as_ref().and_then(|container| container.file("config")) else {
        return Vec::new();
    };
    vec![doc::node_yaml(system, node, file, None, &document(node, store))]
}

fn document(node: &Node, store: &Store) -> Value {
    let mut out = Block::new();
    if let Some(tenant) = &store.tenant {
        let origin = doc::follows("the stack names a tenant", &[&tenant.origin]);
        out.put("multitenancy_enabled", origin.bool(true));
    }
    if let Some(listener) = doc::listener(node, &["query", "ready"]) {
        let mut server = Block::new();
        server.put("http_listen_port", listener.origin.int(listener.port));
        server.put_some("http_tls_config", tls::server(node, listener));
        if let Some(size) = max_message(node).filter(|size| size.value > OWN_MESSAGE_MIB) {
            grpc_server(&mut server, size);
        }
        out.gap().put("server", server.finish(&listener.origin));
    }
    if let Some(receivers) = receivers(node) {
        let origin = receivers.mark.clone();
        out.gap().put("distributor", origin.map([("receivers", receivers)]));
    }
    out.gap().put_some("storage", storage(node, store));
    if let Some((key, value)) = retention(node, store) {
        out.gap().put(key, value);
    }
    out.finish(&node.origin)
}

fn storage(node: &Node, store: &Store) -> Option<Value> {
    let path = store.data_path.as_ref()?;
    let local = doc::chosen("blocks are files on the node's own volume", &node.origin);
    let below = |folder: &str| {
        let folder = format!("{}/{folder}", path.value.trim_end_matches('/'));
        path.origin.map([("path", path.origin.string(folder))])
    };
    let trace = local.map([("backend", local.string("local")), ("local", below("blocks")), ("wal", below("wal"))]);
    Some(local.map([("trace", trace)]))
}

fn retention(node: &Node, store: &Store) -> Option<(&'static str, Value)> {
    let (retention, version) = (store.retention.as_ref()?, node.version()?);
    let path = RETENTION.into_iter().find(|path| Product::Tempo.option(version, &path.join(".")).is_some())?;
    let origin = &retention.origin;
    let mut value = origin.string(retention.value.go());
    for key in path[1..].iter().rev() {
        value = origin.map([(key, value)]);
    }
    Some((path[0], value))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Version;

    use crate::testing::{Choice, parsed, part, stack, text, written};

    #[test]
    fn two_keeps_blocks_by_its_compactor() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, "configs/tempo.yaml");
        assert_eq!(part(&document, &["compactor", "compaction", "block_retention"]), "\"720h\"");
        assert_eq!(
            part(&document, &["distributor", "receivers", "otlp", "protocols", "grpc", "endpoint"]),
            "\"0.0.0.0:4317\""
        );
        assert_eq!(part(&document, &["storage", "trace", "wal", "path"]), "\"/var/tempo/wal\"");
    }

    #[test]
    fn three_has_a_worker_for_it() {
        let artefacts = written(&stack(&Choice { tempo: Version::new(3, 0, 3), ..Choice::default() }));
        let document = parsed(&artefacts, "configs/tempo.yaml");
        assert_eq!(part(&document, &["backend_worker", "compaction", "block_retention"]), "\"720h\"");
        assert!(!text(&artefacts, "configs/tempo.yaml").contains("\ncompactor:"));
    }

    #[test]
    fn a_tenant_turns_tenancy_on() {
        let artefacts = written(&stack(&Choice { tenant: Some("acme"), ..Choice::default() }));
        assert_eq!(part(&parsed(&artefacts, "configs/tempo.yaml"), &["multitenancy_enabled"]), "true");
    }
}
