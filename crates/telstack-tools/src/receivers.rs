//! Receivers in the collector's shape, which Tempo and Jaeger use too, from a node's listeners.

use telstack_catalog::product::Endpoint;
use telstack_system::{Bind, Listener, Node, Origin, Protocol, Sourced, Value, link::Door};

use crate::{
    doc::{self, Block},
    reading, tls,
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
            map.set(MAX_MESSAGE, size.origin.int(mib(size)));
        }
    }
    Some(all)
}

/// The block below which a receiver opens a protocol, for each receiver of that type that runs.
fn blocks<'v>(receivers: &'v Value, path: &[&str], runs: &dyn Fn(&str) -> bool) -> Vec<&'v Value> {
    let Some((name, inside)) = path.split_first() else { return Vec::new() };
    // `otlp/second` is an OTLP receiver too.
    let mine = |key: &str| key.split('/').next() == Some(name) && runs(key);
    let all = receivers.as_map().into_iter().flatten().filter(|entry| mine(&entry.key));
    all.filter_map(|entry| inside.iter().try_fold(&entry.value, |block, key| block.as_map()?.get(key))).collect()
}

/// How large a message receivers of a file take over gRPC, as far as they say.
pub(crate) fn read_max_message(receivers: &Value) -> Option<Sourced<u64>> {
    let grpc = BLOCKS.iter().filter(|(protocol, _)| Protocol(protocol).is_grpc());
    let mut sizes = grpc.flat_map(|(_, path)| blocks(receivers, path, &|_| true)).filter_map(|it| it.at(MAX_MESSAGE));
    sizes.find_map(|it| Some(Sourced::new(u64::try_from(it.as_int()?).ok()?, it.mark.clone())))
}

/// The same of the server that all parts of Loki and Tempo have, which counts in bytes.
pub(crate) fn read_grpc_server(document: &Value) -> Option<Sourced<u64>> {
    let size = document.at("server")?.at(GRPC_SERVER[0])?;
    let bytes = u64::try_from(size.as_int()?).ok()?;
    Some(Sourced::new(bytes >> 20, size.mark.clone()))
}

/// The setting of a receiver that says how large a message may be, in MiB.
const MAX_MESSAGE: &str = "max_recv_msg_size_mib";
/// The settings of the server that all parts of Loki and Tempo have, in bytes.
const GRPC_SERVER: [&str; 2] = ["grpc_server_max_recv_msg_size", "grpc_server_max_send_msg_size"];

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
    for key in GRPC_SERVER {
        out.put(key, size.origin.int(bytes));
    }
}

/// Where the receivers of a file open an endpoint of a product; none if they do not, or do not run.
pub(crate) fn door(receivers: &Value, endpoint: &Endpoint, runs: &dyn Fn(&str) -> bool) -> Option<Door> {
    let (_, path) = BLOCKS.iter().find(|(protocol, _)| *protocol == endpoint.protocol)?;
    blocks(receivers, path, runs).first().map(|block| server(block, endpoint))
}

/// Where a server block with `endpoint` and `tls` listens.
pub(crate) fn server(block: &Value, endpoint: &Endpoint) -> Door {
    let written = block.at("endpoint").and_then(|it| Some((it.as_str()?, &it.mark)));
    let (host, port) = written.and_then(|(text, _)| text.rsplit_once(':')).unwrap_or((endpoint.default_bind, ""));
    Door {
        port: port.parse().unwrap_or(endpoint.port),
        bind: Bind::parse(host),
        tls: reading::server_tls(block.at("tls")),
        origin: written.map_or_else(|| block.mark.clone(), |(_, mark)| mark.clone()),
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
