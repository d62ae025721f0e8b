//! What a System says, as lines that can be compared: without origins, and without what no file holds.
//!
//! Left out, and why:
//!
//! - origins, and the order of what has none: nodes, components, listeners, mounts, variables, edges;
//! - wishes, whose fulfilment is what counts: `durable`, `tls`, the protocol and tenant asked for an edge, the
//!   order of processors being written out, `resources` apart from those of the container;
//! - names that stand in no file: of things outside, of secrets (their variable is compared), of published ports;
//! - the name of a tenant at the store, which only checks that there is one: senders and readers name it;
//! - the retention of a Jaeger that keeps spans in memory, which has no setting for it;
//! - edges of programs that only send, and collectors on machines outside of the cluster;
//! - edges that dial nobody yet, and ways to things outside that nobody goes;
//! - the layout of `PromQL`.

mod cluster;

use std::fmt::{Display, Write as _};

use telstack_catalog::otelcol::Transport;
use telstack_syntax::tree::Kind;

use crate::{
    graph::System,
    known::Known,
    model::{
        Bind, Collector, Container, Dial, Edge, EnvValue, EnvVar, JaegerStorage, Listener, MountSource, Node, NodeKind,
        Purpose, Reference, Resources, Store, StoreFacet, Tls, Viewer,
    },
    origin::{Settings, Value},
};

/// One line for each thing that the System says, sorted: `node NAME / part / part = value`.
pub fn canonical(system: &System) -> Vec<String> {
    let mut out = Lines { prefix: Vec::new(), lines: Vec::new() };
    out.say("name", &system.name);
    out.say("platform", system.platform.value.id());
    let stands = |node: &Node| (node.external().is_none() || node.container.is_some()) && node.placement.host.is_none();
    for (_, node) in system.nodes().filter(|(_, node)| stands(node)) {
        out.within(&format!("node {}", node.name), |out| self::node(out, node));
    }
    if let Some(cluster) = &system.cluster {
        out.within("cluster", |out| cluster::cluster(out, cluster));
    }
    for (_, from, edge, to) in system.edges() {
        // What receivers scrape stands in their settings, and is followed where files are read only.
        let scraped = |dial: &&Dial| {
            edge.purpose == Purpose::Scrape && (dial.component.is_some() || finds(system.node(from), system.node(to)))
        };
        // Whatever tells programs where to send stands beside them, and not in what is written.
        let sender = system.node(from);
        let programs = sender.external().is_some_and(|it| it.programs.is_some()) || sender.placement.host.is_some();
        if let Some(dial) = edge.dial.as_ref().filter(|it| !programs && !scraped(it)) {
            let target = system.node(to);
            let to = if target.external().is_some() && target.container.is_none() { "outside" } else { &target.name };
            let from = system.node(from);
            out.within(&format!("{:?} {} to {to} {}", edge.purpose, from.name, address(dial)), |out| {
                self::edge(out, from, edge, dial);
            });
        }
    }
    out.lines.sort();
    out.lines
}

struct Lines {
    prefix: Vec<String>,
    lines: Vec<String>,
}

impl Lines {
    fn within(&mut self, part: &str, inner: impl FnOnce(&mut Self)) {
        self.prefix.push(part.to_owned());
        inner(self);
        self.prefix.pop();
    }

    fn say(&mut self, part: &str, value: impl Display) {
        let mut line = String::new();
        for prefix in &self.prefix {
            let _ = write!(line, "{prefix} / ");
        }
        let _ = write!(line, "{part} = {value}");
        self.lines.push(line);
    }

    fn say_some(&mut self, part: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.say(part, value);
        }
    }

    /// A tree, a line for each leaf. Keys in any order; items of lists by their place.
    fn tree(&mut self, part: &str, value: &Value) {
        match &value.kind {
            Kind::Map(map) if !map.is_empty() => self.within(part, |out| out.settings(map)),
            Kind::Seq(seq) if !seq.items.is_empty() => self.within(part, |out| {
                for (at, item) in seq.items.iter().enumerate() {
                    out.tree(&at.to_string(), item);
                }
            }),
            Kind::Map(_) => self.say(part, "{}"),
            Kind::Seq(_) => self.say(part, "[]"),
            Kind::Null => self.say(part, "null"),
            Kind::Bool(it) => self.say(part, it),
            Kind::Int(it) => self.say(part, it),
            // 1.0 is written as 1.
            Kind::Float(it) => self.say(part, it),
            Kind::String(it) => self.say(part, format!("{it:?}")),
        }
    }

    fn settings(&mut self, settings: &Settings) {
        for entry in settings {
            self.tree(&entry.key, &entry.value);
        }
    }
}

/// Does a Prometheus find a node by the API of the cluster, and not by its name?
fn finds(prometheus: &Node, target: &Node) -> bool {
    let jobs = prometheus.store().and_then(Store::prometheus).into_iter().flat_map(|it| &it.jobs);
    let of_target = |name: &str| name.split('/').next() == Some(&target.name);
    jobs.filter(|job| !job.discovery.is_empty()).any(|job| of_target(&job.name))
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

fn node(out: &mut Lines, node: &Node) {
    out.say_some("version", node.version());
    out.say_some("product", node.product().map(telstack_catalog::product::Product::id));
    match &node.kind {
        NodeKind::Collector(it) => collector(out, it),
        NodeKind::Store(it) => store(out, it),
        NodeKind::Viewer(it) => viewer(out, it),
        NodeKind::Alerter(it) => {
            out.say("webhooks", joined(it.webhooks.iter().map(|hook| &hook.url)));
            out.say_some("repeat interval", it.repeat_interval.as_ref().map(|it| it.value));
        }
        // No stack holds one, so none is written and read again.
        NodeKind::Informer(_) | NodeKind::Proxy(_) | NodeKind::Broker(_) | NodeKind::External(_) => {}
    }
    for it in &node.listeners {
        out.within(&format!("listener {} {}{}", it.name, it.port, transport(it.transport)), |out| listener(out, it));
    }
    if let Some(it) = &node.container {
        out.within("container", |out| container(out, it));
    }
}

fn collector(out: &mut Lines, collector: &Collector) {
    out.say("distribution", collector.distribution.value);
    for component in &collector.components {
        out.tree(&component.reference().to_string(), &component.settings);
    }
    let ids = |list: &[Reference]| joined(list.iter().map(|it| &it.id));
    for pipeline in &collector.pipelines {
        let flow = [ids(&pipeline.receivers), ids(&pipeline.processors), ids(&pipeline.exporters)];
        out.say(&format!("pipeline {}", pipeline.id()), flow.join(" > "));
    }
    out.say("extensions", ids(&collector.extensions));
    out.within("telemetry", |out| out.settings(&collector.telemetry));
}

fn store(out: &mut Lines, store: &Store) {
    let forgets = matches!(&store.facet, StoreFacet::Jaeger(Some(it)) if it.value == JaegerStorage::Memory);
    out.say_some("retention", store.retention.as_ref().filter(|_| !forgets).map(|it| it.value.millis()));
    out.say_some("size", store.size.as_ref().map(|it| it.value.prometheus()));
    out.say_some("data path", store.data_path.as_ref().map(|it| &it.value));
    out.say_some("largest message", store.max_message.as_ref().map(|it| it.value));
    out.say("tells tenants apart", store.tells_tenants_apart());
    match &store.facet {
        StoreFacet::Prometheus(facet) => {
            for flag in &facet.flags {
                out.say(&format!("flag {}", flag.name), flag.value.as_deref().unwrap_or_default());
            }
            out.say_some("scrape interval", facet.scrape_interval.as_ref().map(|it| it.value));
            out.within("external labels", |out| out.settings(&facet.external_labels));
            for job in &facet.jobs {
                let targets = joined(job.targets.iter().map(|it| &it.value));
                let ca = job.ca.as_ref().map_or("-", |ca| &ca.value);
                out.say(
                    &format!("job {}", job.name),
                    format!(
                        "{targets} {} {ca}{}",
                        job.path,
                        if job.honor_labels.is_some() { " keeps labels" } else { "" }
                    ),
                );
            }
            for job in &facet.jobs {
                out.within(&format!("job {} finds", job.name), |out| out.settings(&job.discovery));
            }
            for alert in &facet.alerts {
                out.within(&format!("alert {} {}", alert.group, alert.name), |out| {
                    out.say("expr", joined(alert.expr.value.split_whitespace()));
                    out.say("for", alert.hold);
                    out.say("severity", &alert.severity);
                    out.say("text", format!("{} | {}", alert.summary, alert.description));
                });
            }
        }
        StoreFacet::Loki(facet) => {
            for period in &facet.schema {
                out.say(&format!("schema from {}", period.from), format!("{} {}", period.store, period.schema));
            }
            out.say_some("retention enabled", facet.retention_enabled.as_ref().map(|it| it.value));
            out.say_some("delete request store", facet.delete_request_store.as_ref().map(|it| &it.value));
            out.say_some("structured metadata", facet.structured_metadata.as_ref().map(|it| it.value));
        }
        StoreFacet::Jaeger(storage) => {
            let word = |it: JaegerStorage| match it {
                JaegerStorage::Badger => "badger",
                JaegerStorage::Memory => "memory",
            };
            out.say_some("storage", storage.as_ref().map(|it| word(it.value)));
        }
        StoreFacet::Tempo(_) | StoreFacet::Mimir(_) => {}
    }
}

fn viewer(out: &mut Lines, viewer: &Viewer) {
    out.say_some("admin user", viewer.admin_user.as_ref().map(|it| &it.value));
    let password = viewer.admin_password.as_ref();
    out.say_some("admin password", password.map(|it| it.value.variable().unwrap_or_else(|| format!("{:?}", it.value))));
    for source in &viewer.data_sources {
        out.within(&format!("data source {}", source.uid), |out| {
            out.say("is", format!("{} {} {} {}", source.name, source.ty, source.url.value, source.default));
            out.tree("json", &source.json_data);
            out.tree("secure json", &source.secure_json_data);
            let mut links: Vec<&str> = source.links.iter().map(|it| it.value.as_str()).collect();
            links.sort_unstable();
            out.say("links", joined(links));
        });
    }
    for dashboard in &viewer.dashboards {
        out.within(&format!("dashboard {}", dashboard.uid), |out| {
            out.say("title", &dashboard.title);
            out.say("description", &dashboard.description);
            out.say("data sources", joined(dashboard.data_sources.iter().map(|it| &it.value)));
            for (at, panel) in dashboard.panels.iter().enumerate() {
                let queries: Vec<_> = panel.queries.iter().map(|it| (&it.expr.value, &it.legend)).collect();
                out.say(
                    &format!("panel {at}"),
                    format!("{:?} {:?} {} {queries:?}", panel.title, panel.description, panel.unit),
                );
            }
        });
    }
}

/// A port without a word is one for TCP.
fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "",
        Transport::Udp => "/udp",
    }
}

fn tls(tls: Known<Tls>) -> &'static str {
    match tls {
        Known::Absent | Known::Unknown => "encrypted?",
        Known::Value(Tls::Off) => "plain text",
        Known::Value(Tls::On) => "TLS",
        Known::Value(Tls::Mutual) => "mutual TLS",
    }
}

fn listener(out: &mut Lines, it: &Listener) {
    let bind = match &it.bind {
        Bind::All => "*",
        Bind::Loopback => "localhost",
        Bind::Host(host) => host,
        Bind::Unknown => "?",
    };
    out.say("is", format!("{bind} {} {} {}", it.protocol.0, it.signals, tls(it.tls)));
    out.say_some("path", it.path.as_ref());
    out.say_some("base", it.base.as_ref());
    out.say_some("requirement met", it.requirement.as_ref().map(|it| it.met));
    out.say_some("owner", it.owner.as_ref());
}

fn container(out: &mut Lines, it: &Container) {
    out.say("image", format!("{}:{}", it.image.value.repository, it.image.value.tag));
    out.say_some("user", it.user.as_ref().map(|it| &it.value));
    out.say("command", joined(it.command.iter().map(|word| format!("{:?}", word.value))));
    for variable in &it.env {
        out.say(&format!("env {}", variable.name), environment(variable));
    }
    // What is handed in holds the files, and those are said by themselves.
    for mount in it.mounts.iter().filter(|it| !matches!(it.source, MountSource::Handed(_))) {
        let source = match &mount.source {
            MountSource::Volume(name) => format!("volume {name}"),
            MountSource::Bind(path) => format!("host {}", path.strip_prefix("./").unwrap_or(path)),
            MountSource::Copied(path) => format!("copy of {path}"),
            MountSource::Ephemeral(_) => "memory".to_owned(),
            MountSource::Handed(_) => String::new(),
        };
        out.say(&format!("mount {}", mount.target), format!("{source}{}", if mount.read_only { " ro" } else { "" }));
    }
    for file in &it.files {
        // In a pod it is a key of a ConfigMap, wherever that stands.
        let path = if it.pod.is_some() { "handed in" } else { &file.path };
        out.say(&format!("file {}", file.target), format!("{} {path}", file.role));
    }
    for port in &it.published {
        let ip = port.host_ip.as_deref().unwrap_or("*");
        let inside = format!("port {}{}", port.container_port, transport(port.transport));
        out.say(&inside, format!("{ip}:{}", port.host_port));
    }
    if let Some(health) = &it.health {
        let shell = if health.shell { "shell" } else { "plain" };
        out.say("health", format!("{shell} {:?} {}", health.command, health.start_period));
    }
    resources(out, &it.resources);
    for other in &it.depends_on {
        let until = match (other.healthy, other.completed) {
            (_, true) => "done",
            (true, _) => "healthy",
            _ => "started",
        };
        out.say(&format!("depends on {}", other.node), until);
    }
    out.say("owned paths", joined(it.owned_paths.iter().map(|path| &path.value)));
    out.say_some("stop grace", it.stop_grace.as_ref().map(|it| it.value));
    if let Some(pod) = &it.pod {
        cluster::container(out, it, pod);
    }
}

fn environment(variable: &EnvVar) -> String {
    match &variable.value {
        EnvValue::Literal(text) => format!("{text:?}"),
        EnvValue::Field(name) => format!("field {name}"),
        EnvValue::Required(secret) => {
            secret.variable().map_or_else(|| format!("{secret:?}"), |name| format!("from {name}"))
        }
    }
}

fn resources(out: &mut Lines, it: &Resources) {
    out.say_some("cpu", it.cpu.as_ref().map(|it| it.value));
    out.say_some("memory", it.memory.as_ref().map(|it| it.value));
    out.say_some("cpu kept", it.cpu_request.as_ref().map(|it| it.value));
    out.say_some("memory kept", it.memory_request.as_ref().map(|it| it.value));
}

fn address(dial: &Dial) -> String {
    let component = dial.component.as_ref().map(|it| format!("by {} ", it.id)).unwrap_or_default();
    format!("{component}at {}:{}{}", dial.host, dial.port, dial.path)
}

fn edge(out: &mut Lines, from: &Node, edge: &Edge, dial: &Dial) {
    out.say("speaks", format!("{} {}", dial.protocol.0, tls(dial.tls)));
    out.say_some("tenant", dial.tenant.as_ref());
    if !edge.signals.is_empty() {
        out.say("carries", edge.signals);
    }
    if let Some(collector) = from.collector() {
        let mut fed: Vec<String> =
            edge.pipelines.iter().filter_map(|it| Some(collector.pipelines.get(it.value)?.id())).collect();
        fed.sort();
        out.say("fed by", joined(fed));
    }
}
