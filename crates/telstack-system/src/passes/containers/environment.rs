//! What a container is told by its environment.

use telstack_catalog::product::Product;

use super::NAME;
use crate::{
    link::JAEGER_1_TLS,
    model::{
        Container, EnvValue, EnvVar, JAEGER_TRACES_IN_MEMORY, JaegerStorage, Node, NodeKind, Store, StoreFacet,
        tls::{cert_path, key_path},
    },
    origin::{Origin, Sourced},
};

pub(super) fn set(container: &mut Container, node: &Node, data_path: Option<&str>) {
    let mut set = |name: &str, value: EnvValue, origin: Origin| {
        if !container.env.iter().any(|it| it.name == name) {
            container.env.push(EnvVar::new(name, value, origin));
        }
    };
    match &node.kind {
        NodeKind::Viewer(viewer) => {
            if let Some(user) = &viewer.admin_user {
                set("GF_SECURITY_ADMIN_USER", EnvValue::Literal(user.value.clone()), user.origin.clone());
            }
            if let Some(password) = &viewer.admin_password {
                set("GF_SECURITY_ADMIN_PASSWORD", EnvValue::Required(password.value.clone()), password.origin.clone());
            }
            let reason = "nobody makes an account for themselves";
            let origin = Origin::builtin(NAME, reason, &[&node.origin]);
            set("GF_USERS_ALLOW_SIGN_UP", EnvValue::Literal("false".to_owned()), origin);
            let linked = viewer.data_sources.iter().find(|source| source.json_data.at("tracesToMetrics").is_some());
            let toggle = node.version().is_some_and(|version| !Product::Grafana.supports(version, "traces-to-metrics"));
            if let Some(source) = linked.filter(|_| toggle) {
                let reason = "links from traces to metrics are behind this toggle until Grafana 11";
                let origin = Origin::fact(NAME, reason, &[&source.origin, &node.origin]);
                set("GF_FEATURE_TOGGLES_ENABLE", EnvValue::Literal("traceToMetrics".to_owned()), origin);
            }
        }
        // Jaeger 1 is configured by environment alone.
        NodeKind::Store(store) if container.files.is_empty() => {
            if let StoreFacet::Jaeger(Some(storage)) = &store.facet {
                jaeger_environment(&mut set, node, store, storage, data_path.unwrap_or_default());
            }
        }
        _ => {}
    }
}

fn jaeger_environment(
    set: &mut impl FnMut(&str, EnvValue, Origin),
    node: &Node,
    store: &Store,
    storage: &Sourced<JaegerStorage>,
    data_path: &str,
) {
    let literal = |text: &str| EnvValue::Literal(text.to_owned());
    if let Some(tls) = &store.tls {
        for (_, prefix) in JAEGER_1_TLS {
            set(&format!("{prefix}_ENABLED"), literal("true"), tls.origin.clone());
            set(&format!("{prefix}_CERT"), literal(&cert_path(Product::Jaeger)), tls.cert.origin.clone());
            set(&format!("{prefix}_KEY"), literal(&key_path(Product::Jaeger)), tls.key.origin.clone());
        }
    }
    let endpoints = node.version().map(|version| Product::Jaeger.endpoints(version)).unwrap_or_default();
    for endpoint in endpoints.iter().filter(|it| it.default_bind == "localhost") {
        let name = match endpoint.name {
            "otlp-grpc" => "COLLECTOR_OTLP_GRPC_HOST_PORT",
            "otlp-http" => "COLLECTOR_OTLP_HTTP_HOST_PORT",
            _ => continue,
        };
        let reason = "this release binds localhost by itself, where no other container reaches it";
        set(name, literal(&format!("0.0.0.0:{}", endpoint.port)), Origin::fact(NAME, reason, &[&node.origin]));
    }
    if let Some(size) = &store.max_message {
        let bytes = size.value.saturating_mul(1 << 20).to_string();
        set("COLLECTOR_OTLP_GRPC_MAX_MESSAGE_SIZE", literal(&bytes), size.origin.clone());
    }
    if storage.value == JaegerStorage::Memory {
        set("SPAN_STORAGE_TYPE", literal("memory"), storage.origin.clone());
        let reason = "without a limit Jaeger keeps spans in memory until it is killed";
        let limit = Origin::builtin(NAME, reason, &[&storage.origin, &node.origin]);
        set("MEMORY_MAX_TRACES", literal(&JAEGER_TRACES_IN_MEMORY.to_string()), limit);
        return;
    }
    set("SPAN_STORAGE_TYPE", literal("badger"), storage.origin.clone());
    let keep = Origin::fact(
        NAME,
        "Badger forgets everything at a restart unless told not to",
        &[&storage.origin, &node.origin],
    );
    set("BADGER_EPHEMERAL", literal("false"), keep);
    let folder = Origin::derived(NAME, "on the volume", &[&storage.origin, &node.origin]);
    let [keys, values] = JaegerStorage::BADGER_FOLDERS;
    set("BADGER_DIRECTORY_VALUE", literal(&format!("{data_path}/{values}")), folder.clone());
    set("BADGER_DIRECTORY_KEY", literal(&format!("{data_path}/{keys}")), folder);
    if let Some(retention) = &store.retention {
        set("BADGER_SPAN_STORE_TTL", literal(&retention.value.go()), retention.origin.clone());
    }
}
