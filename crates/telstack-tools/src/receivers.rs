//! Receivers in the collector's shape, which Tempo and Jaeger use too, from a node's listeners.

use telstack_system::{Bind, Listener, Node, Origin, Sourced, Value};

use crate::{
    doc::{self, Block},
    tls,
};

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
        if let Some(size) = max_message(node).filter(|_| listener.protocol.is_grpc()) {
            map.set("max_recv_msg_size_mib", size.origin.int(mib(size)));
        }
    }
    Some(all)
}

/// How large a message may be, where that is not the default.
pub(crate) fn max_message(node: &Node) -> Option<&Sourced<u64>> {
    node.store().and_then(|store| store.max_message.as_ref())
}

/// The same as a number of MiB to write.
fn mib(size: &Sourced<u64>) -> i64 {
    i64::try_from(size.value).unwrap_or(i64::MAX)
}

/// The same in bytes, as a setting of the server that all parts of Loki and Tempo have.
pub(crate) fn grpc_server(out: &mut Block, size: &Sourced<u64>) {
    let bytes = mib(size).saturating_mul(1 << 20);
    for key in ["grpc_server_max_recv_msg_size", "grpc_server_max_send_msg_size"] {
        out.put(key, size.origin.int(bytes));
    }
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
