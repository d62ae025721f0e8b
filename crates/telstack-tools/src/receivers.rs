//! Receivers in the collector's shape, which Tempo and Jaeger use too, from a node's listeners.

use telstack_system::{Bind, Listener, Node, Origin, Value};

use crate::{doc, tls};

/// Protocol, and the path of the receiver's block that opens it.
const BLOCKS: [(&str, &[&str]); 7] = [
    ("otlp-grpc", &["otlp", "protocols", "grpc"]),
    ("otlp-http", &["otlp", "protocols", "http"]),
    ("jaeger-grpc", &["jaeger", "protocols", "grpc"]),
    ("jaeger-thrift-http", &["jaeger", "protocols", "thrift_http"]),
    ("jaeger-thrift-compact", &["jaeger", "protocols", "thrift_compact"]),
    ("jaeger-thrift-binary", &["jaeger", "protocols", "thrift_binary"]),
    ("zipkin", &["zipkin"]),
];

/// Receivers for every listener that takes telemetry; `None` if there is none.
pub(crate) fn receivers(node: &Node) -> Option<Value> {
    let open: Vec<(&Listener, &[&str])> = BLOCKS
        .iter()
        .filter_map(|(protocol, path)| {
            let speaks = |listener: &&Listener| listener.protocol.0 == *protocol && is_open(listener);
            node.listeners.iter().find(speaks).map(|listener| (listener, *path))
        })
        .collect();
    if open.is_empty() {
        return None;
    }
    let origin = |name: &str| -> Origin {
        let mine = open.iter().filter(|(_, path)| name.is_empty() || path[0] == name);
        doc::follows_all("what spans arrive by", mine.map(|(listener, _)| &listener.origin), &node.origin)
    };
    let mut all = Value::map(origin(""));
    for (listener, path) in &open {
        let shared = origin(path[0]);
        let mut map = all.as_map_mut()?;
        for (at, key) in path.iter().enumerate() {
            let mark = if at + 1 == path.len() { &listener.origin } else { &shared };
            map = map.map_mut(key, mark);
        }
        map.set("endpoint", listener.origin.string(endpoint(listener)));
        if let Some(tls) = tls::server(node, listener) {
            map.set("tls", tls);
        }
    }
    Some(all)
}

/// `host:port` of a listener.
pub(crate) fn endpoint(listener: &Listener) -> String {
    let host = match &listener.bind {
        Bind::All | Bind::Unknown => "0.0.0.0",
        Bind::Loopback => "localhost",
        Bind::Host(host) => host,
    };
    format!("{host}:{}", listener.port)
}

fn is_open(listener: &Listener) -> bool {
    listener.requirement.as_ref().is_none_or(|requirement| requirement.met)
}
