//! Reading it.

use telstack_catalog::product::{Endpoint, Product};
use telstack_system::{
    Bind, Container, EnvValue, JaegerStorage, Known, Node, Origin, Sourced, StoreFacet, Tls, Value,
    link::{self, Door},
    units::Period,
};

use crate::{
    command,
    folder::{self, Dialled, Folder},
    reading::{items, period, text},
    receivers,
};

/// The extension that keeps spans.
const STORAGE: &str = "jaeger_storage";

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let layout = node.version().and_then(|version| Product::Jaeger.layout(version));
    if layout.is_some_and(|layout| layout.config_path.is_none()) {
        environment(node);
        return Vec::new();
    }
    let Ok(document) = folder.config_for(node, "config").known() else { return Vec::new() };
    if let Some(document) = &document {
        storage(node, document);
    }
    if let Some(version) = node.version() {
        node.listeners = link::listeners(node, Product::Jaeger, version, |endpoint| match &document {
            Some(document) => door(document, endpoint),
            None => Some(own(endpoint, &node.origin)),
        });
    }
    Vec::new()
}

/// Where a release listens by itself.
fn own(endpoint: &Endpoint, origin: &Origin) -> Door {
    let (tls, origin) = (Known::Value(Tls::Off), origin.clone());
    Door { port: endpoint.port, bind: Bind::parse(endpoint.default_bind), tls, origin }
}

fn door(document: &Value, endpoint: &Endpoint) -> Option<Door> {
    // It is a collector: what no pipeline and no list names does not run.
    if !endpoint.signals.is_empty() {
        let pipelines = document.at("service.pipelines").and_then(Value::as_map);
        let feeds = |name: &str| pipelines.into_iter().flatten().any(|it| names(&it.value, "receivers", name));
        return receivers::door(document.at("receivers")?, endpoint, &feeds);
    }
    let extensions = document.at("extensions");
    let block = |path: &str| {
        let name = path.split('.').next()?;
        Some((extensions?.at(name).filter(|_| runs(document, name))?, extensions?.at(path)))
    };
    let (declared, server) = match endpoint.name {
        "query" | "ui" => block("jaeger_query.http")?,
        "query-grpc" => block("jaeger_query.grpc")?,
        "health" | "ready" => block("healthcheckv2.http").or_else(|| block("health_check"))?,
        "metrics" => return metrics(document, endpoint),
        _ => return None,
    };
    match server {
        Some(server) => Some(receivers::server(server, endpoint)),
        None => Some(Door { bind: Bind::All, ..own(endpoint, &declared.mark) }),
    }
}

/// Does a list name something?
fn names(value: &Value, list: &str, name: &str) -> bool {
    items(value, list).iter().any(|it| it.as_str() == Some(name))
}

/// Is an extension switched on?
fn runs(document: &Value, extension: &str) -> bool {
    names(document, "service.extensions", extension)
}

fn metrics(document: &Value, endpoint: &Endpoint) -> Option<Door> {
    let readers = document.at("service.telemetry.metrics.readers");
    let Some(readers) = readers else { return Some(own(endpoint, &document.mark)) };
    let exporter = readers.as_seq()?.iter().find_map(|reader| reader.at("pull.exporter.prometheus"))?;
    let port = exporter.at("port").and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
    let host = text(exporter, "host").map_or_else(|| endpoint.default_bind.to_owned(), |it| it.value);
    let origin = exporter.mark.clone();
    Some(Door { port: port.unwrap_or(endpoint.port), bind: Bind::parse(&host), tls: Known::Value(Tls::Off), origin })
}

fn storage(node: &mut Node, document: &Value) {
    let used = text(document, "extensions.jaeger_query.storage.traces").map(|it| it.value);
    if let (Some(store), Some(all)) = (node.store_mut(), document.at("receivers")) {
        store.max_message = receivers::read_max_message(all);
    }
    let backends = document.at("extensions.jaeger_storage.backends").and_then(Value::as_map);
    let Some(backends) = backends else { return };
    let first = || backends.iter().next().map(|entry| &entry.value);
    let backend = used.map_or_else(first, |name| backends.get(&name));
    let Some(backend) = backend.filter(|_| runs(document, STORAGE)) else { return };
    let Some(store) = node.store_mut() else { return };
    let kind = [("badger", JaegerStorage::Badger), ("memory", JaegerStorage::Memory)];
    let found = kind.into_iter().find_map(|(key, kind)| Some((backend.at(key)?, kind)));
    let Some((settings, kind)) = found else { return };
    store.facet = StoreFacet::Jaeger(Some(Sourced::new(kind, settings.mark.clone())));
    store.retention = period(settings, "ttl.spans");
    store.data_path = text(settings, "directories.keys").and_then(folder::parent);
}

/// Jaeger 1 is told everything by its environment, or by flags of the same names.
fn environment(node: &mut Node) {
    let given = given(node);
    let get = |name: &str| given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let storage = get("SPAN_STORAGE_TYPE");
    let kind = match storage.as_ref().map(|it| it.value.as_str()) {
        Some("badger") => Some(JaegerStorage::Badger),
        Some("memory") | None => Some(JaegerStorage::Memory),
        Some(_) => None,
    };
    let origin = storage.map_or_else(|| node.origin.clone(), |it| it.origin);
    if let Some(store) = node.store_mut() {
        store.facet = StoreFacet::Jaeger(kind.map(|kind| Sourced::new(kind, origin)));
        let ttl = get("BADGER_SPAN_STORE_TTL");
        store.retention = ttl.and_then(|it| Some(Sourced::new(Period::parse(&it.value)?, it.origin)));
        store.data_path = get("BADGER_DIRECTORY_KEY").and_then(folder::parent);
        let size = get("COLLECTOR_OTLP_GRPC_MAX_MESSAGE_SIZE");
        store.max_message = size.and_then(|it| Some(Sourced::new(it.value.parse::<u64>().ok()? >> 20, it.origin)));
    }
    let Some(version) = node.version() else { return };
    let closed = get(OTLP_ENABLED).is_some_and(|it| it.value == "false");
    node.listeners = link::listeners(node, Product::Jaeger, version, |endpoint| {
        if closed && OTLP.contains(&endpoint.name) {
            return None;
        }
        let place = ADDRESSES.iter().find(|(names, _)| names.contains(&endpoint.name)).and_then(|(_, name)| get(name));
        let mut door = own(endpoint, &node.origin);
        if let Some(place) = place {
            let (host, port) = place.value.rsplit_once(':').unwrap_or(("", &place.value));
            door.bind = Bind::parse(host);
            door.port = port.parse().unwrap_or(endpoint.port);
            door.origin = place.origin;
        }
        let prefix = link::JAEGER_1_TLS.iter().find(|(names, _)| names.contains(&endpoint.name)).map(|(_, it)| *it);
        let of = |end: &str| prefix.and_then(|prefix| get(&format!("{prefix}{end}"))).map(|it| it.value);
        if of("_ENABLED").as_deref() == Some("true") {
            let mutual = of("_CLIENT_CA").is_some();
            door.tls = Known::Value(if mutual { Tls::Mutual } else { Tls::On });
        }
        Some(door)
    });
}

/// The variable that closes those of OTLP.
const OTLP_ENABLED: &str = "COLLECTOR_OTLP_ENABLED";
const OTLP: [&str; 2] = ["otlp-grpc", "otlp-http"];

/// Endpoints of Jaeger 1, and the variable of their address. Source: jaeger v1.53.0
/// `cmd/collector/app/flags/flags.go`, `cmd/query/app/flags.go`.
const ADDRESSES: [(&[&str], &str); 8] = [
    (&["otlp-grpc"], "COLLECTOR_OTLP_GRPC_HOST_PORT"),
    (&["otlp-http"], "COLLECTOR_OTLP_HTTP_HOST_PORT"),
    (&["jaeger-grpc"], "COLLECTOR_GRPC_SERVER_HOST_PORT"),
    (&["jaeger-thrift-http"], "COLLECTOR_HTTP_SERVER_HOST_PORT"),
    (&["zipkin"], "COLLECTOR_ZIPKIN_HOST_PORT"),
    (&["query", "ui"], "QUERY_HTTP_SERVER_HOST_PORT"),
    (&["query-grpc"], "QUERY_GRPC_SERVER_HOST_PORT"),
    (&["health", "ready", "metrics"], "ADMIN_HTTP_HOST_PORT"),
];

/// What environment and flags say, flags last: they win.
fn given(node: &Node) -> Vec<(String, Sourced<String>)> {
    let Some(container) = &node.container else { return Vec::new() };
    let literal = |it: &telstack_system::EnvVar| match &it.value {
        EnvValue::Literal(text) => Some((it.name.clone(), Sourced::new(text.clone(), it.origin.clone()))),
        EnvValue::Required(_) | EnvValue::Field(_) => None,
    };
    let variable = |name: &str| name.replace(['.', '-'], "_").to_ascii_uppercase();
    let origin = |container: &Container, at: usize| {
        container.command.get(at).map_or_else(|| container.origin.clone(), |it| it.origin.clone())
    };
    let flags = command::flags(node).into_iter().map(|(name, value, at)| {
        let value = value.unwrap_or_else(|| "true".to_owned());
        (variable(&name), Sourced::new(value, origin(container, at)))
    });
    container.env.iter().filter_map(literal).chain(flags).collect()
}
