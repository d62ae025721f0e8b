//! Follows each link to its end: the node, the port, the listener that answers.

use std::borrow::Cow;

use telstack_catalog::{
    SignalSet,
    product::{Endpoint, Need},
};
use telstack_diagnostics::Diagnostic;
use telstack_system::{
    Cluster, Dial, EnvVar, Known, Layer, Listener, Node, NodeId, Protocol, Proxy, Published, Purpose, Server, Service,
    System, Via,
    link::{self, Call, Hearing},
};

use crate::words::is_reference;

/// Somebody dials a node: along an edge, or because an exporter's endpoint was written out.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// The signals that flow; none where it is not known which.
    pub(crate) signals: SignalSet,
    /// What the sending side does.
    pub(crate) dial: Cow<'a, Dial>,
    /// Who dials.
    pub(crate) from: &'a Node,
    /// Its id.
    pub(crate) from_id: NodeId,
    /// Who is dialled.
    pub(crate) to: &'a Node,
    /// Its id.
    pub(crate) to_id: NodeId,
    /// What stands in between.
    pub(crate) via: Option<Via>,
    /// The Service that is dialled, in Kubernetes.
    pub(crate) service: Option<&'a Service>,
    /// The cluster around it, in Kubernetes.
    cluster: Option<&'a Cluster>,
    /// Was it read from a file of a tool, not from a stack?
    from_files: bool,
    /// Are both ends the same node, or have they one `localhost`?
    pub(crate) inside: bool,
    /// Do they hear each other?
    pub(crate) hearing: Hearing,
    /// The proxy on the way, and the server of it that is `to`.
    pub(crate) through: Option<(&'a Node, &'a Server)>,
    /// Where it arrives.
    pub(crate) arrival: Arrival<'a>,
}

/// Where a link arrives. Each case rules out what only the later ones can get wrong.
#[derive(Debug)]
pub(crate) enum Arrival<'a> {
    /// It cannot be known: something outside, an address that run time decides.
    Unknown,
    /// The store has a door there, but opens it only when a flag says so.
    Closed(Endpoint),
    /// The Service that is dialled has no such port.
    NoSuchPort(&'a Service),
    /// A proxy takes it there, and hands it on: further links say where to.
    Onward(&'a Listener),
    /// Nothing listens on that port.
    Nothing,
    /// Something listens there, but it speaks something else.
    Stranger(&'a Listener),
    /// The one that answers.
    Answer(&'a Listener),
    /// A door of a store behind a port that is open for something else too: it answers just as well.
    Shared(Box<Listener>),
}

impl<'a> Link<'a> {
    /// The listener on the port dialled, whether or not it understands.
    pub(crate) fn listener(&self) -> Option<&'a Listener> {
        match self.arrival {
            Arrival::Stranger(listener) | Arrival::Answer(listener) | Arrival::Onward(listener) => Some(listener),
            Arrival::Unknown | Arrival::Closed(_) | Arrival::NoSuchPort(_) | Arrival::Nothing | Arrival::Shared(_) => {
                None
            }
        }
    }

    /// The listener that answers.
    pub(crate) fn answer(&self) -> Option<&Listener> {
        match &self.arrival {
            Arrival::Answer(listener) => Some(listener),
            Arrival::Shared(listener) => Some(listener),
            _ => None,
        }
    }

    /// The end of the connection itself, which encrypts or not: the listener that answers, or a proxy before it.
    pub(crate) fn peer(&self) -> Option<&Listener> {
        match &self.arrival {
            Arrival::Onward(listener) => Some(listener),
            _ => self.answer(),
        }
    }

    /// The finding with the proxy on the way, if there is one.
    pub(crate) fn shows_the_way(&self, finding: Diagnostic) -> Diagnostic {
        match self.through {
            Some((proxy, server)) => {
                let remark = format!("`{}` hands it on to `{}`", proxy.name, self.address());
                finding.label(server.host.span(), remark)
            }
            None => finding,
        }
    }

    /// Who dials, in words: ``exporter `otlp` of `agent` ``, or the node's name.
    pub(crate) fn dialer(&self) -> String {
        match &self.dial.component {
            Some(component) => format!("{} `{}` of `{}`", component.kind, component.id, self.from.name),
            None => format!("`{}`", self.from.name),
        }
    }

    /// The variable of its container that tells a program where to send.
    pub(crate) fn told_by(&self) -> Option<&'a EnvVar> {
        self.from.external()?;
        self.from.container.as_ref()?.env.iter().find(|it| it.origin == self.dial.origin)
    }

    /// The port inside, where the port dialled is that of the host which leads to it.
    pub(crate) fn published_as(&self) -> Option<&'a Published> {
        let Arrival::Nothing = self.arrival else { return None };
        let opens = |port: u16| self.to.listeners.iter().any(|it| it.port == port);
        let mut published = self.to.container.as_ref()?.published.iter();
        published.find(|it| it.host_port == self.dial.port && opens(it.container_port))
    }

    /// What to write in place of an address to a store: then exporter, port, path and protocol follow.
    pub(crate) fn better(&self) -> Option<String> {
        let written = !self.from_files && self.dial.component.is_some() && self.dial.origin.is_written();
        (written && self.to.store().is_some())
            .then(|| format!("write `to \"{}\"` in the pipeline instead: exporter and address follow", self.to.name))
    }

    /// `host:port` as dialled.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.dial.host, self.dial.port)
    }

    /// The port that is reached: another than the one dialled, where a Service stands in between.
    pub(crate) fn port(&self) -> u16 {
        self.via.and_then(|via| via.port).unwrap_or(self.dial.port)
    }

    /// What to do so that a listener of the node is reached: dial that address, or, where no Service leads there,
    /// let one do so.
    pub(crate) fn way_to(&self, listener: &Listener) -> String {
        let (port, speaks) = (listener.port, listener.protocol);
        let address = match (self.service, self.via) {
            (None, _) if self.via.is_some() => format!("{}:{port}", self.dial.host),
            (None, _) => format!("{}:{port}", self.to.name),
            (Some(_), Some(Via { pods: true, .. })) => format!("{}:{port}", self.dial.host),
            (Some(service), _) => {
                let container = self.to.container.as_ref();
                let leads = service.ports.iter().find(|it| {
                    it.transport == listener.transport
                        && container.and_then(|container| container.port_number(&it.target)) == Some(port)
                });
                if leads.is_none()
                    && let Some(other) = self.leads_there(port)
                {
                    let host = self.dial.host.replacen(&service.name, &other.name, 1);
                    return format!("dial `{host}:{port}`, which speaks {speaks}");
                }
                let Some(leads) = leads else {
                    let name = &service.name;
                    return format!("let a port of the Service `{name}` lead to {port}, which speaks {speaks}");
                };
                format!("{}:{}", self.dial.host, leads.port)
            }
        };
        format!("dial `{address}`, which speaks {speaks}")
    }
}

impl<'a> Link<'a> {
    /// Another Service of the same pods, by which a port of them is dialled as it is.
    fn leads_there(&self, port: u16) -> Option<&'a Service> {
        let container = self.to.container.as_ref()?;
        let leads = |it: &&Service| it.port(port).and_then(|it| container.port_number(&it.target)) == Some(port);
        self.cluster?.services_of(container.pod.as_deref()?).filter(|it| !it.headless).find(leads)
    }
}

pub(super) fn links<'a>(system: &'a System, unlinked: &[Call]) -> Vec<Link<'a>> {
    let edges = system.edges().filter_map(|(_, from, edge, to)| {
        let dial = edge.dial.as_ref()?;
        Some(link(system, (edge.purpose, edge.signals), Cow::Borrowed(dial), from, to, edge.via))
    });
    // A System that no pass has seen.
    let written = unlinked.iter().filter_map(|call| {
        let to = system.reached(call.from, &call.dial.host, call.dial.port)?;
        Some(link(system, (call.purpose, call.signals), Cow::Owned(call.dial.clone()), call.from, to, None))
    });
    let mut links: Vec<Link<'a>> = edges.chain(written).collect();
    let behind: Vec<Link<'a>> = links.iter().flat_map(|link| behind(system, link)).collect();
    links.extend(behind);
    links
}

/// The links to the servers behind a proxy, where all that comes goes there as it is.
fn behind<'a>(system: &'a System, link: &Link<'a>) -> Vec<Link<'a>> {
    let (Arrival::Onward(_), Some(proxy)) = (&link.arrival, link.to.proxy()) else { return Vec::new() };
    let mut frontends = proxy.on(link.port());
    let (Some(frontend), None) = (frontends.next(), frontends.next()) else { return Vec::new() };
    let Some(number) = frontend.only_backend().filter(|_| !frontend.changes) else { return Vec::new() };
    let mut found = Vec::new();
    for (edge, to) in system.outgoing(link.to_id, Purpose::Forward) {
        let edge = system.edge(edge);
        let (Some(hop), Some(dial)) = (edge.hop.filter(|it| it.backend == number), &edge.dial) else { continue };
        let backend = &proxy.backends[hop.backend];
        let server = &backend.servers[hop.server];
        if backend.changes || !hands_on(proxy, number, link, server) {
            continue;
        }
        let decrypts = frontend.door(link.port()).is_none_or(|door| !door.tls.is_unknown());
        let tls = if decrypts || !dial.tls.is_unknown() { Known::Unknown } else { link.dial.tls };
        let hearing = system.hearing(link.to_id, to, &dial.host);
        let dial = Dial { host: dial.host.clone(), port: dial.port, tls, ..link.dial.as_ref().clone() };
        let mut dial: Cow<'a, Dial> = Cow::Owned(dial);
        let to_node = system.node(to);
        let open = dial.protocol == Protocol::OTLP;
        let arrival = if open { either(&mut dial, edge.via, to_node) } else { arrival(&dial, edge.via, to_node) };
        // That nothing listens there, the proxy's own link says.
        let doubtful = open && matches!(arrival, Arrival::Stranger(_));
        if doubtful || matches!(arrival, Arrival::Nothing | Arrival::Unknown) {
            continue;
        }
        found.push(Link {
            purpose: link.purpose,
            signals: link.signals,
            dial,
            from: link.from,
            from_id: link.from_id,
            to: to_node,
            to_id: to,
            via: edge.via,
            service: None,
            cluster: link.cluster,
            from_files: link.from_files,
            inside: link.from_id == to,
            hearing,
            through: Some((link.to, server)),
            arrival,
        });
    }
    found
}

/// Does what comes arrive as it is spoken? HTTP/2 becomes HTTP/1 where a server is not told to speak it.
fn hands_on(proxy: &Proxy, backend: usize, link: &Link<'_>, server: &Server) -> bool {
    match proxy.backends[backend].layer.as_ref().map(|it| it.value) {
        Some(Layer::Connections) => true,
        Some(Layer::Requests) => !link.dial.protocol.is_grpc() || server.http2 == Known::Value(true),
        None => false,
    }
}

fn link<'a>(
    system: &'a System,
    (purpose, signals): (Purpose, SignalSet),
    mut dial: Cow<'a, Dial>,
    from: NodeId,
    to_id: NodeId,
    via: Option<Via>,
) -> Link<'a> {
    let to = system.node(to_id);
    let service = system.cluster.as_ref().zip(via).and_then(|(cluster, via)| cluster.services.get(via.service?));
    let hearing = system.hearing(from, to_id, &dial.host);
    let named = via.is_some() || system.from_files || to.answers_to(&dial.host);
    let arrival = match (service, via) {
        (Some(service), Some(Via { port: None, .. })) => Arrival::NoSuchPort(service),
        _ if hearing != Hearing::Open || !named => Arrival::Unknown,
        _ if dial.protocol == Protocol::OTLP => either(&mut dial, via, to),
        _ => arrival(&dial, via, to),
    };
    Link {
        hearing,
        purpose,
        signals,
        dial,
        from: system.node(from),
        from_id: from,
        to,
        to_id,
        via,
        service,
        cluster: system.cluster.as_deref(),
        from_files: system.from_files,
        inside: system.share_localhost(from, to_id) || via.is_some_and(|via| via.service.is_none()),
        through: None,
        arrival,
    }
}

/// Of a program that speaks OTLP by one protocol or the other: where it arrives with the better of them. What answers
/// tells which of them it is.
fn either<'a>(dial: &mut Cow<'_, Dial>, via: Option<Via>, to: &'a Node) -> Arrival<'a> {
    let by = |protocol: Protocol| arrival(&Dial { protocol, ..Dial::clone(dial) }, via, to);
    let rank = |it: &Arrival<'_>| match it {
        Arrival::Answer(_) | Arrival::Shared(_) => 0,
        Arrival::Unknown | Arrival::Onward(_) => 1,
        Arrival::Closed(_) => 2,
        Arrival::Stranger(_) => 3,
        Arrival::NoSuchPort(_) | Arrival::Nothing => 4,
    };
    let tried = [Protocol::OTLP_GRPC, Protocol::OTLP_HTTP].map(|protocol| (by(protocol), protocol));
    let [grpc, http] = tried;
    let (arrival, protocol) = if rank(&http.0) < rank(&grpc.0) { http } else { grpc };
    if rank(&arrival) == 0 {
        dial.to_mut().protocol = protocol;
    }
    arrival
}

fn arrival<'a>(dial: &Dial, via: Option<Via>, to: &'a Node) -> Arrival<'a> {
    if to.external().is_some() || to.listeners.is_empty() {
        return Arrival::Unknown;
    }
    let port = via.and_then(|via| via.port).unwrap_or(dial.port);
    let here = || to.listeners.iter().filter(|listener| listener.port == port);
    if let Some(listener) = here().find(|listener| understands(listener.protocol, dial.protocol)) {
        return Arrival::Answer(listener);
    }
    let open = here().next();
    if let Some(listener) = open.filter(|_| to.proxy().is_some()) {
        return Arrival::Onward(listener);
    }
    if let Some(door) = door(to, dial, port) {
        let flags = door.needs.filter(|it| matches!(it, Need::Flag(_) | Need::Feature(_)));
        let set = flags.zip(to.version()).and_then(|(need, version)| link::is_met(to, version, need));
        match set {
            Some(true) => return Arrival::Unknown,
            Some(false) => return Arrival::Closed(door),
            None => {}
        }
        if let Some(open) = open {
            return Arrival::Shared(Box::new(Listener {
                name: door.name.to_owned(),
                protocol: dial.protocol,
                signals: door.signals,
                path: door.path.map(str::to_owned),
                base: door.base.map(str::to_owned),
                paths: Vec::new(),
                requirement: None,
                ..open.clone()
            }));
        }
    }
    match open {
        Some(stranger) => Arrival::Stranger(stranger),
        None if opens_unknown_ports(to) || speaks_more(to, dial.protocol) => Arrival::Unknown,
        None => Arrival::Nothing,
    }
}

/// The door that a product has on the port and for the protocol dialled, open or not. A server that is told to listen
/// elsewhere has all doors of one port there.
fn door(to: &Node, dial: &Dial, port: u16) -> Option<Endpoint> {
    let endpoints = to.store()?.product().endpoints(to.version()?);
    let moved_from = |name: &str| endpoints.iter().find(|it| it.name == name).map(|it| it.port);
    let own = to.listeners.iter().find(|it| it.port == port && it.owner.is_none()).and_then(|it| moved_from(&it.name));
    let meant = own.unwrap_or(port);
    endpoints.into_iter().find(|it| it.port == meant && it.protocol == dial.protocol.0 && !it.signals.is_empty())
}

/// Of a broker only the doors for messages are known: its own metrics, its administration are not.
fn speaks_more(node: &Node, protocol: Protocol) -> bool {
    node.broker().is_some() && protocol != Protocol::KAFKA
}

/// Does a collector open a port that only run time knows?
pub(crate) fn opens_unknown_ports(node: &Node) -> bool {
    let (Some(collector), Some(version)) = (node.collector(), node.version()) else { return false };
    collector.components.iter().any(|component| {
        component.fact().is_none_or(|fact| {
            let mut listens = fact.listens(version).into_iter();
            listens.any(|listen| {
                let written = component.settings.at(listen.setting).and_then(|value| value.as_str());
                written.is_some_and(|it| is_reference(it) && !writes_port(it))
            })
        })
    })
}

/// Does an address say its port, whatever host it names? `${env:POD_IP}:4317`.
fn writes_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

fn understands(listener: Protocol, dial: Protocol) -> bool {
    // Queries, scrapes and probes are plain requests; what they ask for is the path's affair.
    let plain = [Protocol::HTTP, Protocol::EXPOSITION];
    listener == dial || dial == Protocol::ANY || (plain.contains(&listener) && plain.contains(&dial))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;
    use telstack_system::Protocol;

    use crate::test_support::Bench;

    /// `gateway` takes OTLP over gRPC on 4317 and over HTTP on 4318, in plain text.
    fn agent(exporters: &str, name: &str) -> Bench {
        let mut bench = Bench::new("grpc http");
        let yaml = format!(
            "exporters: {{{exporters}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}}}}}"
        );
        bench.add_collector("agent", Distribution::Contrib, "0.158.0", &yaml);
        let gateway = bench.add_collector("gateway", Distribution::Contrib, "0.158.0", "");
        let mut http = bench.listener("otlp-http", 4318, "http");
        http.protocol = Protocol::OTLP_HTTP;
        let grpc = bench.listener("otlp-grpc", 4317, "grpc");
        bench.node(gateway).listeners = vec![grpc, http];
        bench
    }

    #[test]
    fn a_written_endpoint_is_followed() {
        agent("otlp_http: {endpoint: 'http://gateway:4317'}", "otlp_http").finds("N002", "'http://gateway:4317'");
        agent("otlp_http: {endpoint: 'http://gateway:4319'}", "otlp_http").finds("N003", "'http://gateway:4319'");
        agent("otlp_http: {traces_endpoint: 'http://gateway:4318/x'}", "otlp_http")
            .finds("N005", "'http://gateway:4318/x'");
        agent("otlp_grpc: {endpoint: 'gateway:4317'}", "otlp_grpc").finds("N006", "'gateway:4317'");
        agent("otlp_grpc: {endpoint: 'http://gateway:4317'}", "otlp_grpc").finds("N006", "'http://gateway:4317'");
    }

    #[test]
    fn what_fits_is_not_reported() {
        for (exporters, name) in [
            ("otlp_http: {endpoint: 'http://gateway:4318'}", "otlp_http"),
            ("otlp_http: {traces_endpoint: 'http://gateway:4318/v1/traces'}", "otlp_http"),
            ("otlp_grpc: {endpoint: 'gateway:4317', tls: {insecure: true}}", "otlp_grpc"),
            ("otlp_grpc: {endpoint: 'elsewhere:1'}", "otlp_grpc"),
            ("otlp_grpc: {endpoint: '${env:GATEWAY}:1'}", "otlp_grpc"),
            ("otlp_http: {endpoint: 'http://gateway:4317'}", "debug"),
        ] {
            let bench = agent(exporters, name);
            for code in ["N002", "N003", "N005", "N006"] {
                bench.silent(code);
            }
        }
    }
}
