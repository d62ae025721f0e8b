//! Negotiation: the protocols that the sender can speak meet those that the receiver accepts.

use telstack_catalog::{
    ComponentKind, Distribution, Signal, SignalSet, Version,
    otelcol::{self, Presence},
    product::{Endpoint, Product},
};
use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::tree::Entry;

use super::{Pass, codes};
use crate::{
    graph::{EdgeId, NodeId, System},
    known::Known,
    model::{
        Component, ComponentId, ComponentRef, Dial, ExternalEndpoint, Node, NodeKind, Protocol, Purpose, Reference, Tls,
    },
    origin::{Origin, Sourced, Value},
};

const NAME: &str = "negotiate";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "choose, for each edge, the protocol that both versions have, and the exporter that speaks it",
    run,
};

/// What is chosen first where several protocols would do: the receiver's own ingest protocol for
/// metrics, OTLP for the rest, older protocols last.
const PREFERENCE: [Protocol; 7] = [
    Protocol::REMOTE_WRITE,
    Protocol::OTLP_GRPC,
    Protocol::OTLP_HTTP,
    Protocol::LOKI_PUSH,
    Protocol("jaeger-grpc"),
    Protocol("jaeger-thrift-http"),
    Protocol("zipkin"),
];

fn run(system: &mut System, diagnostics: &mut Diagnostics) {
    for edge in system.edge_ids() {
        if system.edge(edge).purpose == Purpose::Telemetry && system.edge(edge).dial.is_none() {
            negotiate(system, edge, diagnostics);
        }
    }
}

/// One way into a receiver.
struct Door {
    protocol: Protocol,
    signals: SignalSet,
    /// Host, port and path for the sender; for something outside, the address as written.
    place: Place,
}

enum Place {
    Inside(Endpoint),
    Outside(ExternalEndpoint),
}

/// Is this an endpoint that takes telemetry?
fn takes_telemetry(endpoint: &Endpoint) -> bool {
    !endpoint.signals.is_empty()
}

fn doors(node: &Node) -> Vec<Door> {
    let mut doors: Vec<Door> = match &node.kind {
        NodeKind::External(external) => external
            .endpoints
            .iter()
            .map(|it| Door { protocol: it.protocol, signals: it.signals, place: Place::Outside(it.clone()) })
            .collect(),
        NodeKind::Store(store) => {
            node.version().map_or_else(Vec::new, |version| product_doors(store.product(), version))
        }
        _ => Vec::new(),
    };
    doors.sort_by_key(|door| PREFERENCE.iter().position(|it| *it == door.protocol).unwrap_or(PREFERENCE.len()));
    doors
}

fn product_doors(product: Product, version: Version) -> Vec<Door> {
    let endpoints = product.endpoints(version).into_iter().filter(takes_telemetry);
    endpoints
        .map(|it| Door { protocol: Protocol(it.protocol), signals: it.signals, place: Place::Inside(it) })
        .collect()
}

/// The exporters that speak a protocol, in any release.
fn speakers(protocol: Protocol) -> Vec<otelcol::Component> {
    otelcol::plain_exporters(protocol.0)
}

/// The exporter of a release that speaks a protocol for a signal.
fn speaker(
    protocol: Protocol,
    signal: Signal,
    distribution: Distribution,
    version: Version,
) -> Option<otelcol::Component> {
    speakers(protocol).into_iter().find(|it| {
        it.presence(distribution, version) == Presence::Present
            && it.signals(version).is_none_or(|signals| signals.contains(signal))
    })
}

/// What `protocol="otlp"` may mean.
fn is_wanted(wanted: Protocol, protocol: Protocol) -> bool {
    wanted == protocol || (wanted.0 == "otlp" && matches!(protocol, Protocol::OTLP_GRPC | Protocol::OTLP_HTTP))
}

fn negotiate(system: &mut System, edge_id: EdgeId, diagnostics: &mut Diagnostics) {
    let (from, to) = system.ends(edge_id);
    let (sender, receiver, edge) = (system.node(from), system.node(to), system.edge(edge_id));
    let (Some(collector), Some(version)) = (sender.collector(), sender.version()) else { return };
    let distribution = collector.distribution.value;

    let doors = doors(receiver);
    let mut wanted_signals = SignalSet::default();
    for pipeline in &edge.pipelines {
        let signal = collector.pipelines[pipeline.value].signal;
        if doors.iter().any(|door| door.signals.contains(signal)) || takes_elsewhen(receiver, signal) {
            wanted_signals.insert(signal);
        } else {
            diagnostics.push(signal_not_accepted(system, receiver, signal, &pipeline.origin));
        }
    }
    if wanted_signals.is_empty() {
        return;
    }
    let serves = |door: &&Door| {
        wanted_signals.iter().all(|signal| {
            door.signals.contains(signal) && speaker(door.protocol, signal, distribution, version).is_some()
        })
    };
    let usable: Vec<&Door> = doors.iter().filter(serves).collect();
    let chosen = match &edge.wanted {
        None => usable.first().copied(),
        Some(wanted) => usable.iter().copied().find(|door| is_wanted(wanted.value, door.protocol)),
    };
    let signal = wanted_signals.iter().next().unwrap_or(Signal::Logs);
    let Some(door) = chosen else {
        let finding = match &edge.wanted {
            Some(wanted) if !usable.is_empty() => not_available(sender, receiver, wanted, &usable),
            _ => no_common_protocol(sender, receiver, distribution, version, signal, edge_id, system),
        };
        diagnostics.push(finding);
        return;
    };
    let Some(exporter) = speaker(door.protocol, signal, distribution, version) else { return };
    let ty = exporter.name_at(version);
    let why = reason(sender, receiver, door, ty, edge.wanted.is_some());
    let mut because = vec![&edge.origin];
    because.extend(edge.wanted.iter().map(|wanted| &wanted.origin));
    because.extend(sender.version.iter().chain(&receiver.version).map(|version| &version.origin));
    let origin = Origin::fact(NAME, why, &because);
    let id = exporter_id(collector, ty, receiver);
    let tenant = edge.tenant.clone().or_else(|| receiver.store().and_then(|store| store.tenant.clone()));
    let (settings, mut dial) = exporter_settings(receiver, door, tenant.as_ref(), &origin);
    dial.component = Some(ComponentRef { kind: ComponentKind::Exporter, id: id.clone() });
    let pipelines = edge.pipelines.clone();
    let tokens = match &door.place {
        Place::Outside(it) => it.token.clone(),
        Place::Inside(_) => None,
    };

    let node = system.node_mut(from);
    if let Some(token) = tokens
        && let Some(name) = token.value.variable()
        && !node.environment.iter().any(|it| it.name == name)
    {
        let value = crate::model::EnvValue::Required(token.value);
        node.environment.push(crate::model::EnvVar { name, value, origin: token.origin });
    }
    if let Some(collector) = node.collector_mut() {
        collector.components.push(Component {
            kind: ComponentKind::Exporter,
            id: id.clone(),
            settings,
            origin: origin.clone(),
        });
        for pipeline in &pipelines {
            let signal = collector.pipelines[pipeline.value].signal;
            if wanted_signals.contains(signal) {
                let origin = Origin::derived(NAME, "the exporter that serves this edge", &[&pipeline.origin]);
                collector.pipelines[pipeline.value].exporters.push(Reference { id: id.clone(), origin });
            }
        }
    }
    let edge = system.edge_mut(edge_id);
    edge.signals = wanted_signals;
    edge.dial = Some(dial);
    // A tenant named by the sender alone: the store must tell tenants apart, and its readers name it too.
    if let Some(tenant) = tenant
        && let Some(store) = system.node_mut(to).store_mut()
        && store.tenant.is_none()
    {
        let reason = "the sender names a tenant, so the store tells tenants apart";
        store.tenant = Some(Sourced::new(tenant.value, Origin::derived(NAME, reason, &[&tenant.origin])));
    }
}

/// Does any release of the receiver take the signal? Then the versions are at fault, not the idea.
fn takes_elsewhen(receiver: &Node, signal: Signal) -> bool {
    let Some(store) = receiver.store() else { return false };
    let product = store.product();
    product
        .minors()
        .into_iter()
        .any(|version| product.endpoints(version).iter().any(|endpoint| endpoint.signals.contains(signal)))
}

fn exporter_id(collector: &crate::model::Collector, ty: &str, receiver: &Node) -> ComponentId {
    let plain = ComponentId::new(ty, None);
    let says_it = ty == receiver.name;
    if says_it && collector.component(ComponentKind::Exporter, &plain).is_none() {
        return plain;
    }
    let mut id = ComponentId::new(ty, Some(&receiver.name));
    let mut count = 2;
    while collector.component(ComponentKind::Exporter, &id).is_some() {
        id.name = Some(format!("{}_{count}", receiver.name));
        count += 1;
    }
    id
}

fn reason(sender: &Node, receiver: &Node, door: &Door, ty: &str, asked: bool) -> String {
    let (from, to, protocol) = (sender.title(), receiver.title(), door.protocol.title());
    if asked {
        format!("{protocol}, because the stack asks for it; {from} calls the exporter `{ty}`")
    } else {
        format!("{protocol}, which {to} takes; {from} calls the exporter `{ty}`")
    }
}

/// The settings that reach the receiver, and what they dial.
fn exporter_settings(receiver: &Node, door: &Door, tenant: Option<&Sourced<String>>, origin: &Origin) -> (Value, Dial) {
    let mut headers = Vec::new();
    if let Some(tenant) = tenant {
        let origin = Origin::derived(NAME, "the tenant that both sides name", &[&tenant.origin]);
        headers.push(Entry::new("X-Scope-OrgID", origin.string(&tenant.value)));
    }
    let (endpoint, host, port, path, tls, endpoint_origin) = match &door.place {
        Place::Inside(endpoint) => {
            let tls = receiver.store().and_then(|store| store.tls.as_ref()).map_or(Tls::Off, |tls| tls.value);
            let path = endpoint.base.or(endpoint.path).unwrap_or_default().to_owned();
            // An OTLP/HTTP exporter adds `/v1/<signal>` itself.
            let path =
                if door.protocol == Protocol::OTLP_HTTP { endpoint.base.unwrap_or_default().to_owned() } else { path };
            let address = if door.protocol.is_grpc() {
                format!("{}:{}", receiver.name, endpoint.port)
            } else {
                let scheme = if tls == Tls::Off { "http" } else { "https" };
                format!("{scheme}://{}:{}{path}", receiver.name, endpoint.port)
            };
            let reason = format!("{} takes {} at this address", receiver.title(), door.protocol.title());
            let mut because = vec![origin, &receiver.origin];
            because.extend(receiver.version.iter().map(|version| &version.origin));
            (address, receiver.name.clone(), endpoint.port, path, tls, Origin::fact(NAME, reason, &because))
        }
        Place::Outside(outside) => {
            let address = outside.endpoint.value.clone();
            let (host, port, path) = split_address(&address);
            let tls = if address.starts_with("http://") { Tls::Off } else { Tls::On };
            if let Some(token) =
                outside.token.as_ref().filter(|_| matches!(door.protocol, Protocol::OTLP_GRPC | Protocol::OTLP_HTTP))
                && let Some(variable) = token.value.variable()
            {
                let origin = Origin::derived(NAME, "the token arrives in the environment", &[&token.origin]);
                headers.push(Entry::new("Authorization", origin.string(format!("Bearer ${{env:{variable}}}"))));
            }
            (address, host, port, path, tls, outside.endpoint.origin.clone())
        }
    };
    let mut entries = vec![Entry::new("endpoint", endpoint_origin.string(&endpoint))];
    if let Place::Outside(outside) = &door.place {
        if let Some(token) = outside.token.as_ref().filter(|_| door.protocol.0 == "splunk-hec")
            && let Some(variable) = token.value.variable()
        {
            let origin = Origin::derived(NAME, "the token arrives in the environment", &[&token.origin]);
            entries.push(Entry::new("token", origin.string(format!("${{env:{variable}}}"))));
        }
        entries.extend(outside.settings.iter().map(|(key, value)| Entry::new(key.as_str(), value.clone())));
    }
    if tls == Tls::Off && door.protocol.is_grpc() {
        let origin =
            Origin::derived(NAME, "the receiver listens without TLS, and gRPC assumes TLS", &[&receiver.origin]);
        entries.push(Entry::new("tls", origin.map([("insecure", origin.bool(true))])));
    }
    if !headers.is_empty() {
        let mark = headers[0].value.mark.clone();
        let kind = telstack_syntax::tree::Kind::Map(headers.into_iter().collect());
        entries.push(Entry::new("headers", Value { kind, mark }));
    }
    let dial = Dial {
        component: None,
        protocol: door.protocol,
        host,
        port,
        path,
        tls: Known::Value(tls),
        tenant: tenant.map(|it| it.value.clone()),
        origin: endpoint_origin,
    };
    let kind = telstack_syntax::tree::Kind::Map(entries.into_iter().collect());
    (Value { kind, mark: origin.clone() }, dial)
}

/// Host, port and path of an address as written; the scheme's port where none is written.
fn split_address(address: &str) -> (String, u16, String) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let default = if scheme == "http" { 80 } else { 443 };
    match authority.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(default), path.to_owned()),
        None => (authority.to_owned(), default, path.to_owned()),
    }
}

fn signal_not_accepted(system: &System, receiver: &Node, signal: Signal, at: &Origin) -> Diagnostic {
    let accepted: SignalSet = doors(receiver).iter().flat_map(|door| door.signals.iter()).collect();
    let takes = if accepted.is_empty() { "no telemetry".to_owned() } else { format!("{accepted} only") };
    let mut finding =
        Diagnostic::new(&codes::SIGNAL_NOT_ACCEPTED, format!("`{}` does not take {signal}", receiver.name))
            .at(at.span(), format!("{signal} are sent here"))
            .label(receiver.span(), format!("{} takes {takes}", receiver.title()));
    let fitting: Vec<String> = system
        .nodes()
        .filter(|(_, node)| doors(node).iter().any(|door| door.signals.contains(signal)))
        .map(|(_, node)| format!("`{}`", node.name))
        .collect();
    finding = if fitting.is_empty() {
        let products: Vec<&str> = Product::ALL
            .iter()
            .filter(|product| **product != Product::Otelcol)
            .filter(|product| product.endpoints(product.newest()).iter().any(|it| it.signals.contains(signal)))
            .map(|product| product.id())
            .collect();
        finding.help(format!("declare a store that takes {signal} (`{}`) and send them there", products.join("`, `")))
    } else {
        finding.help(format!("send {signal} to {}", fitting.join(" or ")))
    };
    finding
}

fn not_available(sender: &Node, receiver: &Node, wanted: &Sourced<Protocol>, usable: &[&Door]) -> Diagnostic {
    let choices: Vec<&str> = usable.iter().map(|door| door.protocol.title()).collect();
    let name = if wanted.value.0 == "otlp" { "OTLP" } else { wanted.value.title() };
    Diagnostic::new(
        &codes::PROTOCOL_NOT_AVAILABLE,
        format!("{} and {} cannot speak {name} with each other", sender.title(), receiver.title()),
    )
    .at(wanted.span(), "asked for here")
    .label(
        receiver.version.as_ref().and_then(Sourced::span).or(receiver.span()),
        format!("this is {}", receiver.title()),
    )
    .help(format!("leave `protocol` out: they can use {}", choices.join(" or ")))
}

/// What the sender speaks, what the receiver accepts, why they do not meet, and every way out.
fn no_common_protocol(
    sender: &Node,
    receiver: &Node,
    distribution: Distribution,
    version: Version,
    signal: Signal,
    edge: EdgeId,
    system: &System,
) -> Diagnostic {
    let accepted = doors(receiver);
    let accepts: Vec<&str> =
        accepted.iter().filter(|door| door.signals.contains(signal)).map(|door| door.protocol.title()).collect();
    let accepts = if accepts.is_empty() { "nothing".to_owned() } else { accepts.join(" or ") };
    let spoken: Vec<&str> = PREFERENCE
        .iter()
        .filter(|protocol| speaker(**protocol, signal, distribution, version).is_some())
        .map(|protocol| protocol.title())
        .collect();
    let edge = system.edge(edge);
    let at = edge.pipelines.first().map_or(&edge.origin, |pipeline| &pipeline.origin);
    let mut finding = Diagnostic::new(
        &codes::NO_COMMON_PROTOCOL,
        format!("{} cannot send {signal} to {}: they have no protocol in common", sender.title(), receiver.title()),
    )
    .at(at.span(), format!("{signal} are sent here"))
    .label(
        sender.version.as_ref().and_then(Sourced::span).or(sender.span()),
        format!("{} speaks {} for {signal}", sender.title(), spoken.join(", ")),
    )
    .label(
        receiver.version.as_ref().and_then(Sourced::span).or(receiver.span()),
        format!("{} accepts {accepts} for {signal}", receiver.title()),
    );
    let mut ways = Vec::new();
    if let Some(store) = receiver.store() {
        ways.extend(other_receiver(store.product(), receiver, distribution, version, signal));
    }
    for door in accepted.iter().filter(|door| door.signals.contains(signal)) {
        for exporter in speakers(door.protocol) {
            match exporter.presence(distribution, version) {
                Presence::Removed { last, removed_in } => {
                    finding = finding.note(format!(
                        "the `{}` exporter left {} in {removed_in}; {last} is the last release that has it",
                        exporter.asked_name(),
                        distribution.binary(),
                    ));
                    ways.push(format!("or run the collector at {last} or older: `versions {{ otelcol \"{last}\" }}`"));
                }
                Presence::NotYet { since } => {
                    ways.push(format!(
                        "or run the collector at {since} or newer: `versions {{ otelcol \"{since}\" }}`"
                    ));
                }
                Presence::Never | Presence::Present => {
                    if let Some(other) = exporter.distributions_at(version).first() {
                        ways.push(format!(
                            "or run a distribution that ships the `{}` exporter: `distribution=\"{other}\"`",
                            exporter.name_at(version)
                        ));
                    }
                }
            }
        }
    }
    if let Some(first) = ways.first_mut() {
        *first = first.trim_start_matches("or ").to_owned();
    }
    for way in ways {
        finding = finding.help(way);
    }
    finding
}

/// A release of the receiver that accepts something the sender speaks.
fn other_receiver(
    product: Product,
    receiver: &Node,
    distribution: Distribution,
    version: Version,
    signal: Signal,
) -> Option<String> {
    let fits = |candidate: &Version| {
        product_doors(product, *candidate)
            .iter()
            .find(|door| {
                door.signals.contains(signal) && speaker(door.protocol, signal, distribution, version).is_some()
            })
            .map(|door| door.protocol.title())
    };
    let here = receiver.version()?;
    let newer = product.minors().into_iter().find(|candidate| *candidate > here && fits(candidate).is_some())?;
    let protocol = fits(&newer)?;
    let newest = product.newest();
    Some(format!(
        "run {product} {}.{} or newer, which accepts {protocol}: `versions {{ {} \"{newest}\" }}`",
        newer.major,
        newer.minor,
        product.id()
    ))
}

/// The id of every node that an edge of a purpose reaches, for other passes.
pub(super) fn telemetry_into(system: &System, node: NodeId) -> Vec<EdgeId> {
    system.incoming(node, Purpose::Telemetry).into_iter().map(|(edge, _)| edge).collect()
}
