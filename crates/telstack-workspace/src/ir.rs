//! The System as a tree of plain values, each with its origin: what `--dump-ir` prints, and what `diff` and
//! `build --explain` walk through.

use telstack_syntax::tree::{Entry, Kind, Map};
use telstack_system::{
    Bind, Collector, Component, Container, Dial, Edge, EnvValue, EnvVar, JaegerStorage, Known, Listener, MountSource,
    Node, NodeKind, Origin, Pipeline, Proxy, Purpose, Reference, SecretRef, ServerTls, Settings, Sourced, Store,
    StoreFacet, System, Tls, Value, Viewer,
};

/// A map under construction; what is not there is left out.
struct Fields<'a> {
    map: Settings,
    origin: &'a Origin,
}

impl<'a> Fields<'a> {
    fn new(origin: &'a Origin) -> Self {
        Self { map: Map::default(), origin }
    }

    fn put(&mut self, key: &str, value: Value) {
        self.map.push(Entry::new(key, value));
    }

    fn text(&mut self, key: &str, text: impl Into<String>) {
        let value = self.origin.string(text);
        self.put(key, value);
    }

    fn number(&mut self, key: &str, number: impl Into<i64>) {
        let value = self.origin.int(number);
        self.put(key, value);
    }

    fn sourced<T: ToString>(&mut self, key: &str, value: Option<&Sourced<T>>) {
        if let Some(value) = value {
            self.put(key, value.origin.string(value.value.to_string()));
        }
    }

    fn list(&mut self, key: &str, items: Vec<Value>) {
        if !items.is_empty() {
            let list = self.origin.block(items);
            self.put(key, list);
        }
    }

    fn inner(&mut self, key: &str, fields: Fields) {
        if !fields.map.is_empty() {
            self.put(key, fields.done());
        }
    }

    fn settings(&mut self, key: &str, map: &Settings) {
        if !map.is_empty() {
            let value = Value { kind: Kind::Map(map.clone()), mark: self.origin.clone() };
            self.put(key, value);
        }
    }

    fn done(self) -> Value {
        Value { kind: Kind::Map(self.map), mark: self.origin.clone() }
    }
}

/// The whole System.
pub fn system(system: &System) -> Value {
    let mut out = Fields::new(&system.origin);
    out.text("stack", &system.name);
    out.put("platform", system.platform.origin.string(system.platform.value.id()));
    out.list("nodes", system.nodes().map(|(_, it)| node(it)).collect());
    let edges = system.edges().map(|(_, from, it, to)| edge(it, &system.node(from).name, &system.node(to).name));
    out.list("edges", edges.collect());
    out.done()
}

/// What a node is, in a word.
pub fn kind(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Collector(_) => "collector",
        NodeKind::Store(_) => "store",
        NodeKind::Viewer(_) => "viewer",
        NodeKind::Alerter(_) => "alert manager",
        NodeKind::Informer(_) => "informer",
        NodeKind::Proxy(_) => "proxy",
        NodeKind::Broker(_) => "broker",
        NodeKind::External(_) => "external",
    }
}

/// What an edge is for, in a word.
pub fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Telemetry => "telemetry",
        Purpose::Scrape => "scrape",
        Purpose::Query => "query",
        Purpose::Alert => "alerts",
        Purpose::Forward => "forwarded",
        Purpose::Consume => "messages",
    }
}

/// Encryption in a word; none where it is surely not set.
pub fn tls(tls: Known<Tls>) -> Option<&'static str> {
    match tls {
        Known::Absent => None,
        Known::Unknown => Some("known at run time"),
        Known::Value(Tls::Off) => Some("plain text"),
        Known::Value(Tls::On) => Some("TLS"),
        Known::Value(Tls::Mutual) => Some("mutual TLS"),
    }
}

/// One node.
pub fn node(node: &Node) -> Value {
    let mut out = Fields::new(&node.origin);
    out.text("name", &node.name);
    out.text("kind", kind(node));
    if let Some(product) = node.product() {
        out.text("product", product.to_string());
    }
    out.sourced("version", node.version.as_ref());
    let mut resources = Fields::new(&node.origin);
    resources.sourced("cpu", node.resources.cpu.as_ref());
    resources.sourced("memory", node.resources.memory.as_ref());
    resources.sourced("cpu_request", node.resources.cpu_request.as_ref());
    resources.sourced("memory_request", node.resources.memory_request.as_ref());
    out.inner("resources", resources);
    match &node.kind {
        NodeKind::Collector(it) => collector(&mut out, it),
        NodeKind::Store(it) => store(&mut out, it),
        NodeKind::Viewer(it) => viewer(&mut out, it),
        NodeKind::Alerter(it) => {
            out.list("webhooks", it.webhooks.iter().map(|hook| hook.origin.string(&hook.url)).collect());
            out.sourced("repeat_interval", it.repeat_interval.as_ref());
        }
        NodeKind::Proxy(it) => proxy(&mut out, it),
        NodeKind::Informer(_) | NodeKind::Broker(_) => {}
        NodeKind::External(it) => {
            let endpoint = |at: &telstack_system::ExternalEndpoint| {
                let mut out = Fields::new(&at.origin);
                out.text("protocol", at.protocol.title());
                out.text("signals", at.signals.to_string());
                out.sourced("endpoint", Some(&at.endpoint));
                if let Some(token) = &at.token {
                    out.put("token", token.origin.string(secret(&token.value)));
                }
                for (key, value) in &at.settings {
                    out.put(key, value.clone());
                }
                out.done()
            };
            out.list("endpoints", it.endpoints.iter().map(endpoint).collect());
            if let Some(it) = &it.programs {
                let propagators = it.propagators.iter().map(|it| it.origin.string(&it.value));
                out.list("propagators", propagators.collect());
                out.sourced("sampler", it.sampler.as_ref());
                out.sourced("ratio", it.ratio.as_ref());
            }
        }
    }
    out.list("listeners", node.listeners.iter().map(listener).collect());
    out.list("environment", node.environment.iter().map(variable).collect());
    if let Some(it) = &node.container {
        out.put("container", container(it));
    }
    out.done()
}

fn proxy(out: &mut Fields, proxy: &Proxy) {
    let frontend = |it: &telstack_system::Frontend| {
        let mut out = Fields::new(&it.origin);
        out.text("name", &it.name);
        out.list("ports", it.doors.iter().map(|door| door.origin.int(door.port)).collect());
        let backends =
            it.routes.iter().filter_map(|route| Some(route.origin.string(&*proxy.backends.get(route.backend)?.name)));
        out.list("backends", backends.collect());
        out.done()
    };
    let backend = |it: &telstack_system::Backend| {
        let mut out = Fields::new(&it.origin);
        out.text("name", &it.name);
        out.sourced("balance", it.balance.as_ref());
        let server = |it: &telstack_system::Server| {
            let port = it.port.map(|port| format!(":{port}")).unwrap_or_default();
            it.host.origin.string(format!("{}{port}", it.host.value))
        };
        out.list("servers", it.servers.iter().map(server).collect());
        out.done()
    };
    out.list("frontends", proxy.frontends.iter().map(frontend).collect());
    out.list("backends", proxy.backends.iter().map(backend).collect());
}

fn collector(out: &mut Fields, collector: &Collector) {
    out.put("distribution", collector.distribution.origin.string(collector.distribution.value.as_str()));
    let mut sections: Vec<(&str, Settings)> = Vec::new();
    for component in &collector.components {
        let section = component.kind.section();
        let at = sections.iter().position(|(known, _)| *known == section).unwrap_or_else(|| {
            sections.push((section, Map::default()));
            sections.len() - 1
        });
        sections[at].1.push(component_entry(component));
    }
    for (section, components) in &sections {
        out.settings(section, components);
    }
    let references = |list: &[Reference]| list.iter().map(|it| it.origin.string(it.id.to_string())).collect();
    let pipelines = collector.pipelines.iter().map(|it: &Pipeline| {
        let mut out = Fields::new(&it.origin);
        out.list("receivers", references(&it.receivers));
        out.list("processors", references(&it.processors));
        out.list("exporters", references(&it.exporters));
        Entry::new(it.id(), out.done())
    });
    out.settings("pipelines", &pipelines.collect());
    out.list("enabled_extensions", references(&collector.extensions));
    out.settings("telemetry", &collector.telemetry);
    if let Some(delivery) = &collector.delivery {
        let mut durable = Fields::new(&delivery.origin);
        durable.text("queues", "on disk");
        durable.sourced("queue_size", delivery.queue_size.as_ref());
        durable.sourced("give_up_after", delivery.give_up_after.as_ref());
        out.inner("durable", durable);
    }
    server_tls(out, collector.tls.as_ref());
}

fn component_entry(component: &Component) -> Entry<Origin> {
    let mut entry = Entry::new(component.id.to_string(), component.settings.clone());
    entry.key_mark = component.origin.clone();
    entry
}

fn server_tls(out: &mut Fields, tls: Option<&ServerTls>) {
    let Some(tls) = tls else { return };
    let mut files = Fields::new(&tls.origin);
    files.sourced("cert", Some(&tls.cert));
    files.sourced("key", Some(&tls.key));
    files.sourced("ca", Some(&tls.ca));
    out.inner("tls", files);
}

fn store(out: &mut Fields, store: &Store) {
    out.sourced("retention", store.retention.as_ref());
    out.sourced("size", store.size.as_ref());
    out.sourced("tenant", store.tenant.as_ref());
    server_tls(out, store.tls.as_ref());
    out.sourced("data_path", store.data_path.as_ref());
    match &store.facet {
        StoreFacet::Prometheus(facet) => {
            let flag = |it: &telstack_system::Flag| {
                it.origin
                    .string(it.value.as_ref().map_or_else(|| it.name.clone(), |value| format!("{}={value}", it.name)))
            };
            out.list("flags", facet.flags.iter().map(flag).collect());
            out.sourced("scrape_interval", facet.scrape_interval.as_ref());
            out.settings("external_labels", &facet.external_labels);
            let job = |it: &telstack_system::ScrapeJob| {
                let mut out = Fields::new(&it.origin);
                out.text("name", &it.name);
                out.list("targets", it.targets.iter().map(|target| target.origin.string(&target.value)).collect());
                out.text("path", &it.path);
                out.sourced("ca", it.ca.as_ref());
                out.done()
            };
            out.list("jobs", facet.jobs.iter().map(job).collect());
            let alert = |it: &telstack_system::AlertRule| {
                let mut out = Fields::new(&it.origin);
                // The same alert watches several services, each in a group of its own.
                out.text("name", format!("{}/{}", it.group, it.name));
                out.text("group", &it.group);
                out.text("expr", &it.expr.value);
                out.text("for", it.hold.to_string());
                out.text("severity", &it.severity);
                out.done()
            };
            out.list("alerts", facet.alerts.iter().map(alert).collect());
        }
        StoreFacet::Loki(facet) => {
            let period = |it: &telstack_system::SchemaPeriod| {
                let mut out = Fields::new(&it.origin);
                out.text("name", &it.from);
                out.text("store", &it.store);
                out.text("schema", &it.schema);
                out.done()
            };
            out.list("schema", facet.schema.iter().map(period).collect());
            out.sourced("retention_enabled", facet.retention_enabled.as_ref());
            out.sourced("delete_request_store", facet.delete_request_store.as_ref());
            out.sourced("structured_metadata", facet.structured_metadata.as_ref());
        }
        StoreFacet::Jaeger(Some(storage)) => {
            let word = match storage.value {
                JaegerStorage::Badger => "badger",
                JaegerStorage::Memory => "memory",
            };
            out.put("storage", storage.origin.string(word));
        }
        StoreFacet::Tempo(_) | StoreFacet::Mimir(_) | StoreFacet::Jaeger(None) => {}
    }
}

fn viewer(out: &mut Fields, viewer: &Viewer) {
    out.sourced("admin_user", viewer.admin_user.as_ref());
    if let Some(password) = &viewer.admin_password {
        out.put("admin_password", password.origin.string(secret(&password.value)));
    }
    let source = |it: &telstack_system::DataSource| {
        let mut out = Fields::new(&it.origin);
        out.text("name", &it.name);
        out.text("uid", &it.uid);
        out.text("type", &it.ty);
        out.text("url", &it.url.value);
        out.put("default", it.origin.bool(it.default));
        for (key, value) in [("json_data", &it.json_data), ("secure_json_data", &it.secure_json_data)] {
            if value.as_map().is_some_and(|map| !map.is_empty()) {
                out.put(key, value.clone());
            }
        }
        out.done()
    };
    out.list("data_sources", viewer.data_sources.iter().map(source).collect());
    let dashboard = |it: &telstack_system::Dashboard| {
        let mut out = Fields::new(&it.origin);
        out.text("name", &it.uid);
        out.text("title", &it.title);
        out.list("data_sources", it.data_sources.iter().map(|uid| uid.origin.string(&uid.value)).collect());
        out.list("panels", it.panels.iter().map(|panel| panel.origin.string(&panel.title)).collect());
        out.done()
    };
    out.list("dashboards", viewer.dashboards.iter().map(dashboard).collect());
}

fn listener(it: &Listener) -> Value {
    let mut out = Fields::new(&it.origin);
    out.text("name", &it.name);
    out.number("port", it.port);
    out.text(
        "bind",
        match &it.bind {
            Bind::All => "every interface",
            Bind::Loopback => "this container only",
            Bind::Host(host) => host,
            Bind::Unknown => "known at run time",
        },
    );
    out.text("protocol", it.protocol.title());
    if !it.signals.is_empty() {
        out.text("signals", it.signals.to_string());
    }
    if let Some(path) = &it.path {
        out.text("path", path);
    }
    if let Some(base) = it.base.as_ref().filter(|base| !base.is_empty()) {
        out.text("base", base);
    }
    if let Some(word) = tls(it.tls) {
        out.text("encryption", word);
    }
    if let Some(needed) = &it.requirement {
        out.put("ready", it.origin.bool(needed.met));
    }
    if let Some(owner) = &it.owner {
        out.text("owner", owner.to_string());
    }
    out.done()
}

fn secret(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Secret { name, key } => format!("secret {name}/{key}"),
        SecretRef::Env(name) => format!("environment {name}"),
        // It is a secret all the same.
        SecretRef::Literal(_) => "written in the open".to_owned(),
    }
}

fn variable(it: &EnvVar) -> Value {
    let mut out = Fields::new(&it.origin);
    out.text("name", &it.name);
    match &it.value {
        EnvValue::Literal(text) => out.text("value", text),
        EnvValue::Field(name) => out.text("field", name),
        EnvValue::Required(reference) => out.text("value", secret(reference)),
    }
    out.done()
}

fn container(it: &Container) -> Value {
    let mut out = Fields::new(&it.origin);
    out.put("image", it.image.origin.string(format!("{}:{}", it.image.value.repository, it.image.value.tag)));
    out.sourced("user", it.user.as_ref());
    out.list("command", it.command.iter().map(|word| word.origin.string(&word.value)).collect());
    out.list("env", it.env.iter().map(variable).collect());
    let mounts = it.mounts.iter().map(|mount| {
        let mut out = Fields::new(&mount.origin);
        out.text("name", &mount.target);
        match &mount.source {
            MountSource::Volume(name) => out.text("volume", name),
            MountSource::Bind(path) => out.text("host", path),
            MountSource::Copied(path) => out.text("copy", path),
            MountSource::Ephemeral(_) => out.text("kept", "in memory"),
            MountSource::Handed(path) => out.text("handed_in", path),
        }
        if mount.read_only {
            out.put("read_only", mount.origin.bool(true));
        }
        out.done()
    });
    out.list("mounts", mounts.collect());
    let files = it.files.iter().map(|file| {
        let mut out = Fields::new(&file.origin);
        out.text("name", &file.path);
        out.text("target", &file.target);
        out.done()
    });
    out.list("files", files.collect());
    let published = it.published.iter().map(|port| {
        let mut out = Fields::new(&port.origin);
        out.text("name", &port.what);
        out.number("port", port.container_port);
        let host = port.host_ip.as_deref().unwrap_or("0.0.0.0");
        out.text("host", format!("{host}:{}", port.host_port));
        out.done()
    });
    out.list("published", published.collect());
    if let Some(health) = &it.health {
        let mut check = Fields::new(&health.origin);
        check.text("command", health.command.join(" "));
        check.text("start_period", health.start_period.to_string());
        out.inner("health", check);
    }
    let needed = it.depends_on.iter().map(|other| {
        let how = if other.completed {
            "done"
        } else if other.healthy {
            "healthy"
        } else {
            "started"
        };
        let mut out = Fields::new(&other.origin);
        out.text("name", &other.node);
        out.text("until", how);
        out.done()
    });
    out.list("depends_on", needed.collect());
    out.list("owned_paths", it.owned_paths.iter().map(|path| path.origin.string(&path.value)).collect());
    out.sourced("stop_grace", it.stop_grace.as_ref());
    out.done()
}

/// One edge, from the node that dials to the one that listens.
pub fn edge(edge: &Edge, from: &str, to: &str) -> Value {
    let mut out = Fields::new(&edge.origin);
    out.text("from", from);
    out.text("to", to);
    out.text("purpose", purpose(edge.purpose));
    if !edge.signals.is_empty() {
        out.text("signals", edge.signals.to_string());
    }
    if let Some(wanted) = &edge.wanted {
        out.put("wanted", wanted.origin.string(wanted.value.title()));
    }
    out.sourced("tenant", edge.tenant.as_ref());
    if let Some(it) = &edge.dial {
        out.put("dial", dial(it));
    }
    out.done()
}

fn dial(it: &Dial) -> Value {
    let mut out = Fields::new(&it.origin);
    if let Some(component) = &it.component {
        out.text("exporter", component.id.to_string());
    }
    out.text("protocol", it.protocol.title());
    out.text("host", &it.host);
    out.number("port", it.port);
    if !it.path.is_empty() {
        out.text("path", &it.path);
    }
    if let Some(word) = tls(it.tls) {
        out.text("encryption", word);
    }
    if let Some(tenant) = &it.tenant {
        out.text("tenant", tenant);
    }
    out.done()
}

/// A value without parts, or a list of such, as people read it; none for all others.
pub fn plain(value: &Value) -> Option<String> {
    Some(match &value.kind {
        Kind::Null => "nothing".to_owned(),
        Kind::Bool(it) => it.to_string(),
        Kind::Int(it) => it.to_string(),
        Kind::Float(it) => it.to_string(),
        Kind::String(it) => it.clone(),
        Kind::Seq(seq) if seq.items.is_empty() => "[]".to_owned(),
        Kind::Seq(seq) if seq.items.iter().all(|item| !matches!(item.kind, Kind::Seq(_))) => {
            seq.items.iter().map(plain).collect::<Option<Vec<_>>>()?.join(", ")
        }
        Kind::Map(map) if map.is_empty() => "{}".to_owned(),
        Kind::Seq(_) | Kind::Map(_) => return None,
    })
}

/// What an item of a list is called in a path: `[NAME]` where it has a `name`, else `[NUMBER]`.
pub fn item_name(item: &Value, at: usize) -> String {
    let name = item.as_map().and_then(|map| map.get("name")).and_then(Value::as_str);
    name.map_or_else(|| format!("[{at}]"), |name| format!("[{name}]"))
}

/// A path and a further part of it.
pub fn join(path: &str, part: &str) -> String {
    let dot = if path.is_empty() || part.starts_with('[') { "" } else { "." };
    format!("{path}{dot}{part}")
}
