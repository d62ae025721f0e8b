//! Listeners of collectors: receivers and extensions bind where their dialers can reach them.

use telstack_catalog::{
    ComponentKind, Signal, SignalSet, Version,
    otelcol::{self, Transport},
    product::Product,
};
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::Entry;

use super::{Pass, health::HEALTH_CHECK};
use crate::{
    expansion::is_open,
    graph::System,
    known::Known,
    model::{
        Bind, Collector, Component, Listener, Protocol, ServerTls, Tls,
        tls::{cert_path, key_path},
    },
    origin::{Origin, Sourced, Value},
    wiring::Wiring,
};

const NAME: &str = "listeners";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "bind receivers and extensions to all interfaces of their container, where others can reach them",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node_mut(id);
        let Some(version) = node.version() else { continue };
        let host = match &node.placement {
            it if it.host.is_some() => BESIDE,
            it if it.sidecar().is_some() => IN_THE_POD,
            _ => EVERYBODY,
        };
        let Some(collector) = node.collector_mut() else { continue };
        open(collector, version, &host);
        let listeners = collector_listeners(collector, version);
        node.listeners = listeners;
    }
}

/// The doors of a collector as this pass will leave them, for passes that run before it.
pub(super) fn listeners_to_be(collector: &Collector, version: Version) -> Vec<Listener> {
    let mut collector = collector.clone();
    open(&mut collector, version, &EVERYBODY);
    collector_listeners(&collector, version)
}

/// Whom a collector is for: the host that it binds, and why where the release would bind localhost, or anything else.
type For = (&'static str, [&'static str; 2]);

const EVERYBODY: For = (
    "0.0.0.0",
    [
        "by itself it binds localhost, where no other container reaches it",
        "the address, written out: what it binds by itself differs between releases",
    ],
);
const IN_THE_POD: For = ("localhost", ["for the programs of the pod that it is put into, and nobody else"; 2]);
const BESIDE: For = ("localhost", ["for the programs of its own machine, and nobody else"; 2]);

fn open(collector: &mut Collector, version: Version, host: &For) {
    let tls = collector.tls.clone();
    for component in &mut collector.components {
        // The kubelet, which asks whether it is well, is not in the pod.
        let host = if component.id.ty == HEALTH_CHECK && host == &IN_THE_POD { &EVERYBODY } else { host };
        bind(component, version, host);
        if let Some(tls) = &tls {
            encrypt(component, version, tls);
        }
    }
}

/// Gives each open port of a receiver the certificate of the collector, unless its settings have `tls`.
fn encrypt(component: &mut Component, version: Version, tls: &ServerTls) {
    let Some(fact) = component.fact().filter(|_| component.kind == ComponentKind::Receiver) else { return };
    let tree = fact.settings(version);
    for listen in fact.listens(version) {
        let path = tls_path(listen.setting);
        let takes = tree.as_ref().is_none_or(|tree| tree.at(&path).is_some());
        if !takes || component.setting(listen.setting).is_none() || component.setting(&path).is_some() {
            continue;
        }
        let reason = "the collector has a certificate, so its receivers answer with it";
        let origin = Origin::derived(NAME, reason, &[&tls.origin, &component.origin]);
        let file = |host: &Sourced<String>, path: String| {
            Origin::derived(NAME, "where the file lies inside the container", &[&host.origin]).string(path)
        };
        let map = component.block_mut(&path, &origin);
        map.push(Entry::new("cert_file", file(&tls.cert, cert_path(Product::Otelcol))));
        map.push(Entry::new("key_file", file(&tls.key, key_path(Product::Otelcol))));
    }
}

/// Where the encryption of an address stands: beside it.
fn tls_path(setting: &str) -> String {
    setting.rsplit_once('.').map_or_else(|| "tls".to_owned(), |(block, _)| format!("{block}.tls"))
}

/// Writes the address of each listener that the stack leaves open.
fn bind(component: &mut Component, version: Version, (host, reasons): &For) {
    let Some(fact) = component.fact() else { return };
    let open: Vec<_> = fact
        .listens(version)
        .into_iter()
        .filter(|it| it.enabled_when.is_none() || is_enabled(component, it.setting))
        .filter(|it| component.setting(it.setting).is_none())
        .collect();
    for listen in open {
        let Some(port) = listen.port else { continue };
        let reason = match listen.default_host {
            Some("localhost") => reasons[0],
            _ => reasons[1],
        };
        let origin = Origin::fact(NAME, reason, &[&component.origin]);
        let (block, key) = listen.setting.rsplit_once('.').unwrap_or(("", listen.setting));
        let mark = component.origin.clone();
        let address = Entry::new(key, origin.string(format!("{host}:{port}")));
        component.block_mut(block, &mark).push_front(address);
    }
}

/// A protocol of a receiver is on when its block is written; all are on when the stack writes none.
fn is_enabled(component: &Component, setting: &str) -> bool {
    let Some((block, _)) = setting.rsplit_once('.') else { return true };
    let (outer, inner) = block.rsplit_once('.').unwrap_or(("", block));
    match component.settings.at(outer).and_then(Value::as_map) {
        Some(map) if !map.is_empty() => map.contains(inner),
        _ => true,
    }
}

/// What a collector listens on, from its settings and the defaults of its release.
pub fn collector_listeners(collector: &Collector, version: Version) -> Vec<Listener> {
    let mut listeners = Vec::new();
    let wiring = Wiring::of(collector);
    for component in &collector.components {
        let Some(fact) = component.fact().filter(|_| wiring.runs(component)) else { continue };
        let signals = signals(&wiring, component, fact.signals(version));
        for listen in fact.listens(version) {
            if listen.enabled_when.is_some()
                && component.setting(listen.setting).is_none()
                && !block_written(component, listen.setting)
            {
                continue;
            }
            if let Some(listener) = one(component, &listen, signals) {
                listeners.push(listener);
            }
        }
    }
    listeners.extend(own_metrics(collector, version));
    listeners
}

/// What a component takes: a receiver answers for the signals of the pipelines that it feeds, and turns
/// others away.
fn signals(wiring: &Wiring<'_>, component: &Component, known: Option<SignalSet>) -> SignalSet {
    let fed = wiring.mentions(component).map(|(at, _)| wiring.collector().pipelines[at].signal);
    fed.filter(|signal| known.is_none_or(|known| known.contains(*signal))).collect()
}

fn block_written(component: &Component, setting: &str) -> bool {
    setting.rsplit_once('.').is_some_and(|(block, _)| component.setting(block).is_some())
}

fn one(component: &Component, listen: &otelcol::Listen, signals: SignalSet) -> Option<Listener> {
    let written = component.setting(listen.setting);
    let (host, port) = match written.and_then(Value::as_str) {
        Some(address) => {
            let (host, port) = address.rsplit_once(':')?;
            (host.to_owned(), port.parse().ok()?)
        }
        None if written.is_some() => return None,
        None => (listen.default_host.unwrap_or_default().to_owned(), listen.port?),
    };
    let transport = transport(component, listen)?;
    let protocol = match listen.protocol {
        Some(word) => Protocol(word),
        None if listen.app == "http" => Protocol::HTTP,
        None => Protocol::raw(transport),
    };
    let (name, path) = match component.kind {
        ComponentKind::Receiver => (protocol.0.to_owned(), None),
        ComponentKind::Extension if component.id.ty == HEALTH_CHECK => {
            ("health".to_owned(), component.setting("path").and_then(Value::as_str).map(str::to_owned))
        }
        _ if protocol == Protocol::EXPOSITION => (component.id.ty.clone(), Some("/metrics".to_owned())),
        _ => (component.id.ty.clone(), None),
    };
    let receiver = component.kind == ComponentKind::Receiver;
    let tls = match component.setting(&tls_path(listen.setting)) {
        None => Known::Value(Tls::Off),
        Some(tls) if tls.at("client_ca_file").is_some() => Known::Value(Tls::Mutual),
        Some(_) => Known::Value(Tls::On),
    };
    Some(Listener {
        name,
        port,
        transport,
        bind: Bind::parse(&host),
        protocol,
        signals: if receiver { signals } else { SignalSet::default() },
        path,
        base: None,
        paths: if protocol == Protocol::OTLP_HTTP { own_paths(component, listen.setting) } else { Vec::new() },
        tls,
        requirement: None,
        owner: Some(component.reference()),
        origin: written.map_or_else(|| component.origin.clone(), |value| value.mark.clone()),
    })
}

/// The paths that a receiver of OTLP over HTTP gives to signals, beside its address.
fn own_paths(component: &Component, setting: &str) -> Vec<(Signal, Option<String>)> {
    let block = setting.rsplit_once('.').map_or_else(String::new, |(block, _)| format!("{block}."));
    let own = |signal: &Signal| {
        let written = component.setting(&format!("{block}{signal}_url_path"))?.as_str()?;
        // Without one it stays as it is.
        let path = (!is_open(written)).then(|| format!("/{}", written.trim_start_matches('/')));
        (!written.is_empty()).then_some((*signal, path))
    };
    Signal::ALL.iter().filter_map(own).collect()
}

/// TCP or UDP: what `transport` beside the address says, else the component's own. None for a socket of the file
/// system, which is no port.
fn transport(component: &Component, listen: &otelcol::Listen) -> Option<Transport> {
    let beside = listen.setting.rsplit_once('.').map_or_else(String::new, |(block, _)| format!("{block}."));
    match component.setting(&format!("{beside}transport")).and_then(Value::as_str) {
        Some(word) if word.starts_with("udp") => Some(Transport::Udp),
        Some(word) if word.starts_with("tcp") => Some(Transport::Tcp),
        Some(word) if word.starts_with("unix") => None,
        _ => Some(listen.transport),
    }
}

/// Port 8888, or wherever `service.telemetry.metrics` puts it; nothing where that switches them off.
fn own_metrics(collector: &Collector, version: Version) -> Vec<Listener> {
    let facts = otelcol::telemetry(version);
    let metrics = collector.telemetry.get("metrics");
    let mut found = Vec::new();
    if collector.metrics_off().is_some() {
        return found;
    }
    let mut add = |bind: Bind, port: u16, origin: &Origin| {
        found.push(Listener {
            name: "metrics".to_owned(),
            port,
            transport: Transport::Tcp,
            bind,
            protocol: Protocol::EXPOSITION,
            signals: SignalSet::default(),
            path: Some("/metrics".to_owned()),
            base: None,
            paths: Vec::new(),
            tls: Known::Value(Tls::Off),
            requirement: None,
            owner: None,
            origin: origin.clone(),
        });
    };
    let readers = metrics.and_then(|metrics| metrics.at("readers")).and_then(Value::as_seq);
    let address = metrics.and_then(|metrics| metrics.at("address"));
    if let Some(readers) = readers.filter(|_| facts.readers) {
        for exporter in readers.iter().filter_map(|reader| reader.at("pull.exporter.prometheus")) {
            let host = exporter.at("host").and_then(Value::as_str).unwrap_or("localhost");
            let port = exporter.at("port").and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
            if let Some(port) = port {
                add(Bind::parse(host), port, &exporter.mark);
            }
        }
    } else if let Some(address) = address.filter(|_| facts.metrics_address < otelcol::AddressState::Ignored) {
        let parts = address.as_str().and_then(|address| address.rsplit_once(':'));
        if let Some((host, port)) = parts.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            add(Bind::parse(host), port, &address.mark);
        }
    } else {
        add(Bind::parse(facts.default_bind), facts.default_port, &collector.distribution.origin);
    }
    found
}
