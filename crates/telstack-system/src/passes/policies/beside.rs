//! Whom a node dials beside its edges: the API and the kubelet, and addresses in its settings.

use telstack_catalog::{ComponentKind, otelcol};
use telstack_syntax::tree::Kind;

use crate::{
    access,
    expansion::is_open,
    graph::{NodeId, System},
    link::Address,
    model::{Bind, Collector, Component, Dial, Listener, Node, Purpose},
    origin::{Origin, Value},
    wiring::Wiring,
};

/// Whom a node dials, and why.
pub(super) struct Beside {
    pub(super) whom: Whom,
    pub(super) reason: String,
    /// What says so.
    pub(super) from: Origin,
}

pub(super) enum Whom {
    /// That host and port.
    Address(String, u16),
    /// Whoever has that port: it is not known by what address.
    Port(u16),
    /// It cannot be told whom.
    Anybody,
}

/// Ends of keys that hold addresses.
const ADDRESSES: [&str; 9] = ["endpoint", "endpoints", "url", "urls", "address", "server", "host", "hosts", "targets"];
/// Schemes that lead to no network.
const LOCAL: [&str; 4] = ["unix", "npipe", "file", "unixgram"];

/// Whom a node dials beside its edges.
pub(super) fn of(system: &System, id: NodeId) -> Vec<Beside> {
    let node = system.node(id);
    let mut found = Vec::new();
    if let Some(alerter) = node.alerter() {
        for webhook in &alerter.webhooks {
            let reason = "alerts are posted there".to_owned();
            let whom = address(&webhook.url).map_or(Whom::Anybody, |(host, port)| Whom::Address(host, port));
            found.push(Beside { whom, reason, from: webhook.origin.clone() });
        }
    }
    let Some(collector) = node.collector() else {
        let asked = access::asked_by(node).into_iter().find(|(it, _)| it.is_of_api());
        if let Some((_, from)) = asked {
            found.extend(api("it", &from));
        }
        return found;
    };
    let wiring = Wiring::of(collector);
    for component in collector.components.iter().filter(|it| wiring.runs(it)) {
        let title = format!("the {} `{}`", component.kind, component.id);
        asks(node, component, &title, &mut found);
        let mut dialled = Dialled { node, owner: Some(component), title: &title, found: &mut found };
        if component.kind == ComponentKind::Exporter {
            if !is_known(system, id, component) {
                dialled.anybody("dials somebody that cannot be told from its settings", &component.origin);
            }
            // Its address is an edge.
            continue;
        }
        // What it dials is edges.
        if !scrapes_nodes(system, id, collector, component) {
            dialled.look_around(component);
            dialled.value("", &component.settings);
        }
    }
    telemetry(node, collector, &mut found);
    found
}

/// Where its own telemetry goes.
fn telemetry(node: &Node, collector: &Collector, found: &mut Vec<Beside>) {
    let mut dialled = Dialled { node, owner: None, title: "its own telemetry", found };
    for entry in &collector.telemetry {
        dialled.value(&entry.key, &entry.value);
    }
}

/// Is all known that an exporter dials?
fn is_known(system: &System, id: NodeId, exporter: &Component) -> bool {
    let says_nothing = exporter.fact().is_some_and(|it| it.protocol() == Some("none"));
    let waits = system.node(id).listeners.iter().any(|it| is_owner(it, exporter));
    let mut edges = system.edges().filter(|(_, from, edge, _)| *from == id && edge.exporter() == Some(&exporter.id));
    says_nothing || waits || edges.next().is_some()
}

fn is_owner(listener: &Listener, component: &Component) -> bool {
    listener.owner.as_ref() == Some(&component.reference())
}

/// What it asks the API and the kubelet.
fn asks(node: &Node, component: &Component, title: &str, found: &mut Vec<Beside>) {
    let Some(fact) = component.fact() else { return };
    let mut add = |whom: Whom, what: &str| {
        found.push(Beside { whom, reason: format!("{title} asks {what}"), from: component.origin.clone() });
    };
    if let Some(kubelet) = fact.kubelet() {
        let written = component.setting(&kubelet.endpoint).and_then(Value::as_str);
        let port = written.and_then(|it| it.rsplit_once(':')?.1.parse().ok()).unwrap_or(kubelet.port);
        add(Whom::Port(port), "the kubelet of its machine");
    }
    if node.placement.allocated.is_some() && component.is_allocatable() {
        return;
    }
    let asked = node.version().and_then(|version| access::asked(component, fact, version)).map(|(all, _)| all);
    if asked.unwrap_or_default().iter().any(access::Asked::is_of_api) {
        found.extend(api(title, &component.origin));
    }
}

/// The API is asked, whatever its port.
pub(super) fn api<'a>(title: &'a str, from: &'a Origin) -> impl Iterator<Item = Beside> + 'a {
    let reason = format!("{title} asks the API of the cluster");
    otelcol::api_ports().iter().map(move |port| Beside {
        whom: Whom::Port(*port),
        reason: reason.clone(),
        from: from.clone(),
    })
}

/// Is each job of a receiver there to scrape a node of the stack? That is an edge, however its pods are found.
fn scrapes_nodes(system: &System, id: NodeId, collector: &Collector, receiver: &Component) -> bool {
    let jobs = collector.scrapes.iter().filter(|it| it.receiver == receiver.id).count();
    let own = |dial: &Dial| dial.component.as_ref() == Some(&receiver.reference());
    let edges = system.outgoing(id, Purpose::Scrape).into_iter().map(|(edge, _)| system.edge(edge));
    jobs > 0 && edges.filter(|it| it.dial.as_ref().is_some_and(own)).count() == jobs
}

struct Dialled<'a> {
    node: &'a Node,
    owner: Option<&'a Component>,
    title: &'a str,
    found: &'a mut Vec<Beside>,
}

impl Dialled<'_> {
    fn anybody(&mut self, what: &str, from: &Origin) {
        let reason = format!("{} {what}", self.title);
        self.found.push(Beside { whom: Whom::Anybody, reason, from: from.clone() });
    }

    /// What finds out by itself whom to dial.
    fn look_around(&mut self, component: &Component) {
        let Some(fact) = component.fact() else { return };
        if fact.discovers_below().is_some() && finds_targets(&component.settings) {
            self.anybody("finds out by itself whom to dial", &component.origin);
        }
        if let Some((setting, quiet)) = fact.local_detectors() {
            let detectors = component.setting(setting).and_then(Value::as_seq).unwrap_or_default();
            let asks = |it: &&Value| it.as_str().is_none_or(|word| !quiet.iter().any(|it| it == word));
            if let Some(detector) = detectors.iter().find(asks) {
                self.anybody("asks the cloud where it runs", &detector.mark);
            }
        }
    }

    /// Addresses in a value under a key.
    fn value(&mut self, key: &str, value: &Value) {
        match &value.kind {
            Kind::Map(map) => map.iter().for_each(|it| self.value(&it.key, &it.value)),
            Kind::Seq(seq) => seq.items.iter().for_each(|it| self.value(key, it)),
            Kind::String(text) => self.text(key, text, &value.mark),
            _ => {}
        }
    }

    fn text(&mut self, key: &str, text: &str, mark: &Origin) {
        let key = key.to_ascii_lowercase();
        let named = ADDRESSES.iter().any(|end| key == *end || key.ends_with(&format!("_{end}")));
        if is_kubelet(self.owner, text) || !named && !text.contains("://") {
            return;
        }
        if is_open(text) {
            self.anybody("dials somebody that only run time knows", mark);
            return;
        }
        let Some((host, port)) = address(text) else { return };
        let own =
            self.node.listeners.iter().any(|it| it.port == port && self.owner.is_none_or(|own| is_owner(it, own)));
        if own || matches!(Bind::parse(&host), Bind::All | Bind::Loopback) {
            return;
        }
        let reason = format!("{} names `{host}`", self.title);
        self.found.push(Beside { whom: Whom::Address(host, port), reason, from: mark.clone() });
    }
}

/// Is that the address of the kubelet?
fn is_kubelet(owner: Option<&Component>, text: &str) -> bool {
    let written = owner.and_then(|it| it.setting(&it.fact()?.kubelet()?.endpoint)).and_then(Value::as_str);
    written == Some(text)
}

/// The host and the port of an address that is dialled.
fn address(text: &str) -> Option<(String, u16)> {
    let address = Address::parse(text)?;
    let plain = address.scheme.is_empty() && address.port.is_none();
    if plain || LOCAL.contains(&address.scheme.as_str()) {
        return None;
    }
    let port = address.port_or_default();
    Some((address.host, port))
}

/// Is there a job that finds its targets?
fn finds_targets(value: &Value) -> bool {
    match &value.kind {
        Kind::Map(map) => map.iter().any(|it| {
            let finds = it.key.ends_with("_sd_configs") || it.key == "target_allocator";
            finds || finds_targets(&it.value)
        }),
        Kind::Seq(seq) => seq.items.iter().any(finds_targets),
        _ => false,
    }
}
