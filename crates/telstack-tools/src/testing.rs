//! A small stack made by hand and completed by the passes, and looks into what is written for it.

use telstack_catalog::{ComponentKind, Distribution, Signal, Version, product::Product};
use telstack_diagnostics::{Diagnostics, FileId, SourceMap, Span};
use telstack_syntax::{json, tree, yaml};
use telstack_system::{
    Alerter, Collector, Component, ComponentId, Delivery, Edge, Node, NodeId, NodeKind, Origin, Pipeline, Platform,
    Purpose, Reference, Sourced, Store, System, Value, Webhook,
    units::{Bytes, Cpu, Period},
};

use crate::{Artefact, emit};

/// What a test may choose.
pub(crate) struct Choice {
    pub(crate) otelcol: Version,
    pub(crate) loki: Version,
    pub(crate) tempo: Version,
    pub(crate) jaeger: Version,
    pub(crate) grafana: Version,
    pub(crate) tenant: Option<&'static str>,
    pub(crate) webhook: Option<&'static str>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            otelcol: Version::new(0, 158, 0),
            loki: Version::new(3, 7, 6),
            tempo: Version::new(2, 10, 8),
            jaeger: Version::new(2, 20, 0),
            grafana: Version::new(13, 0, 0),
            tenant: None,
            webhook: Some("http://chat.example.com/hook?token=$x"),
        }
    }
}

/// Hands out a line of its own to each thing that is "written".
struct Lines {
    file: FileId,
    next: usize,
}

impl Lines {
    fn line(&mut self) -> Origin {
        self.next += 1;
        Origin::written(Span::new(self.file, self.next, self.next + 1))
    }

    fn sourced<T>(&mut self, value: T) -> Sourced<T> {
        Sourced::new(value, self.line())
    }
}

/// One collector, every store, Grafana and Alertmanager.
pub(crate) fn stack(choice: &Choice) -> System {
    let mut sources = SourceMap::default();
    let file = sources.add("single-node.stack.kdl", "\n".repeat(200));
    let lines = &mut Lines { file, next: 0 };
    let platform = lines.sourced(Platform::Compose);
    let mut system = System::new("single-node", lines.line(), platform);

    let collector = add_collector(&mut system, lines, choice.otelcol);
    let days = Period::parse("30d").expect("a duration");
    for (product, version, pipelines) in [
        (Product::Jaeger, choice.jaeger, &[0][..]),
        (Product::Tempo, choice.tempo, &[0]),
        (Product::Prometheus, Version::new(3, 14, 0), &[1]),
        (Product::Loki, choice.loki, &[2]),
    ] {
        let mut store = Store::new(product).expect("a store");
        store.retention = Some(lines.sourced(days));
        if product == Product::Loki || product == Product::Tempo {
            store.tenant = choice.tenant.map(|name| lines.sourced(name.to_owned()));
        }
        if let Some(facet) = store.prometheus_mut() {
            facet.external_labels.set("cluster", lines.line().string("single-node"));
        }
        let version = lines.sourced(version);
        let node = Node::new(product.id(), lines.line(), Some(version), NodeKind::Store(Box::new(store)));
        let id = system.add(node);
        let mut edge = Edge::new(Purpose::Telemetry, lines.line());
        edge.pipelines = pipelines.iter().map(|at| lines.sourced(*at)).collect();
        for at in pipelines {
            edge.signals.insert([Signal::Traces, Signal::Metrics, Signal::Logs][*at]);
        }
        system.connect(collector, id, edge);
    }
    add_views(&mut system, lines, choice);

    let mut findings = Diagnostics::default();
    telstack_system::passes::run(&mut system, &mut findings);
    assert!(!findings.has_errors(), "{:?}", findings.iter().map(|it| &it.message).collect::<Vec<_>>());
    system
}

fn add_collector(system: &mut System, lines: &mut Lines, version: Version) -> NodeId {
    let distribution = lines.sourced(Distribution::Contrib);
    let mut collector = Collector::new(distribution);
    let mut declare = |kind, id: &str, settings: Option<Value>, lines: &mut Lines| {
        let origin = lines.line();
        let settings = settings.unwrap_or(Value { kind: tree::Kind::Null, mark: origin.clone() });
        collector.components.push(Component { kind, id: ComponentId::parse(id), settings, origin });
    };
    declare(ComponentKind::Receiver, "otlp", None, lines);
    let attribute = lines.line();
    let item = attribute.map([
        ("key", attribute.string("deployment.environment")),
        ("value", attribute.string("production")),
        ("action", attribute.string("upsert")),
    ]);
    let attributes = attribute.map([("attributes", attribute.block([item]))]);
    declare(ComponentKind::Processor, "resource", Some(attributes), lines);
    let batch = lines.line();
    let sizes = batch.map([("timeout", batch.string("5s")), ("send_batch_size", batch.int(10_000))]);
    declare(ComponentKind::Processor, "batch", Some(sizes), lines);
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let mut refer = |id: &str| Reference { id: ComponentId::parse(id), origin: lines.line() };
        let (receivers, processors) = (vec![refer("otlp")], vec![refer("resource"), refer("batch")]);
        collector.pipelines.push(Pipeline {
            signal,
            name: None,
            receivers,
            processors,
            ordered: false,
            exporters: Vec::new(),
            open: false,
            origin: lines.line(),
        });
    }
    collector.delivery =
        Some(Delivery { queue_size: Some(lines.sourced(10_000)), give_up_after: None, origin: lines.line() });
    let version = lines.sourced(version);
    let mut node = Node::new("otel-collector", lines.line(), Some(version), NodeKind::Collector(Box::new(collector)));
    node.resources.cpu = Cpu::parse("2").map(|cpu| lines.sourced(cpu));
    node.resources.memory = Bytes::parse("2GiB").map(|memory| lines.sourced(memory));
    system.add(node)
}

fn add_views(system: &mut System, lines: &mut Lines, choice: &Choice) {
    let stores: Vec<NodeId> = system.nodes().filter(|(_, node)| node.store().is_some()).map(|(id, _)| id).collect();
    let version = lines.sourced(choice.grafana);
    let viewer = Node::new("grafana", lines.line(), Some(version), NodeKind::Viewer(Box::default()));
    let grafana = system.add(viewer);
    for store in &stores {
        system.connect(grafana, *store, Edge::new(Purpose::Query, lines.line()));
    }
    let mut alerter = Alerter::default();
    alerter.webhooks.extend(choice.webhook.map(|url| Webhook { url: url.to_owned(), origin: lines.line() }));
    let version = lines.sourced(Version::new(0, 34, 0));
    let node = Node::new("alertmanager", lines.line(), Some(version), NodeKind::Alerter(Box::new(alerter)));
    let alertmanager = system.add(node);
    for store in stores {
        if matches!(system.node(store).product(), Some(Product::Prometheus | Product::Loki)) {
            system.connect(store, alertmanager, Edge::new(Purpose::Alert, lines.line()));
        }
    }
}

/// What is written for a stack. Every line of it must be explained.
pub(crate) fn written(system: &System) -> Vec<Artefact> {
    let artefacts = emit(system);
    for artefact in &artefacts {
        let text = &artefact.written.text;
        assert_eq!(text.lines().count(), artefact.written.lines.len(), "{}", artefact.path);
        for (at, (line, origins)) in text.lines().zip(&artefact.written.lines).enumerate() {
            assert!(!origins.is_empty(), "{}:{}: {line}", artefact.path, at + 1);
            for origin in origins.iter().filter(|origin| !origin.is_written()) {
                assert!(!origin.reason().is_empty(), "{}:{}: {line}", artefact.path, at + 1);
            }
        }
    }
    artefacts
}

/// The text of a file.
pub(crate) fn text<'a>(artefacts: &'a [Artefact], path: &str) -> &'a str {
    let paths: Vec<&str> = artefacts.iter().map(|it| it.path.as_str()).collect();
    let found = artefacts.iter().find(|it| it.path == path);
    &found.unwrap_or_else(|| panic!("{path} is not among {paths:?}")).written.text
}

/// A file read back.
pub(crate) fn parsed(artefacts: &[Artefact], path: &str) -> tree::Value<Span> {
    let mut sources = SourceMap::default();
    let text = text(artefacts, path);
    let file = sources.add(path, text);
    // JSON is YAML too.
    yaml::read(file, text).expect("what is written can be read").remove(0)
}

/// A part of a file read back, as one line of JSON, to compare with what is expected.
pub(crate) fn part(document: &tree::Value<Span>, path: &[&str]) -> String {
    let mut value = document;
    for key in path {
        let next = match key.parse::<usize>() {
            Ok(at) => value.as_seq().and_then(|items| items.get(at)),
            Err(_) => value.as_map().and_then(|map| map.get(key)),
        };
        value = next.unwrap_or_else(|| panic!("no `{key}` in {path:?}"));
    }
    json::write(value).text.split_whitespace().collect::<Vec<_>>().join(" ")
}
