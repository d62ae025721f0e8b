//! Systems for the cases of rules: collectors read from collector YAML, everything else made by hand with
//! origins that point at slices of a text.

use std::sync::Arc;

use telstack_catalog::{Distribution, Signal, SignalSet, Version, otelcol::Transport, product::Product};
use telstack_diagnostics::{Applicability, Diagnostics, Severity, SourceMap, Span, apply};
use telstack_system::{
    Alerter, Bind, Cluster, Container, Dial, Edge, ImageRef, Known, Listener, Node, NodeId, NodeKind, Origin, Platform,
    Pod, Protocol, Purpose, Selector, Service, ServicePort, ServiceType, Sourced, Store, System, TargetPort, Tls,
    Viewer, WorkloadKind, cluster::Labels, link, passes,
};
use telstack_tools::{
    Alone, Manifests, Said, SourceFile,
    collector::{self, Runs},
    haproxy, read_alone,
};

/// A System and the texts that its origins point into.
pub(crate) struct Bench {
    sources: SourceMap,
    /// Paths and texts of a project that was read.
    files: Vec<(String, String)>,
    pub(crate) system: System,
}

impl Bench {
    /// Nothing yet; `text` is what origins of things made by hand point into.
    pub(crate) fn new(text: &str) -> Self {
        let mut sources = SourceMap::default();
        let file = sources.add("stack.kdl", text);
        let origin = Origin::written(Span::new(file, 0, 0));
        let system = System::new("test", origin.clone(), Sourced::new(Platform::Compose, origin));
        Self { sources, files: Vec::new(), system }
    }

    /// A docker compose project, with what its services read.
    pub(crate) fn project(files: &[(&str, &str)]) -> Self {
        let mut sources = SourceMap::default();
        let ids: Vec<_> = files.iter().map(|(path, text)| sources.add(*path, *text)).collect();
        let given: Vec<SourceFile<'_>> =
            files.iter().zip(ids).map(|((path, text), file)| SourceFile { path, file, text }).collect();
        let mut wrong = Diagnostics::default();
        let compose = [files.first().expect("a compose file").0];
        let said = Said { searched: true, ..Said::default() };
        let system = telstack_tools::read_project(&given, &compose, said, &mut wrong).system;
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { sources, files, system }
    }

    /// Kubernetes manifests in one file, applied together.
    pub(crate) fn manifests(text: &str) -> Self {
        let mut sources = SourceMap::default();
        let path = "all.yaml";
        let given = [SourceFile { path, file: sources.add(path, text), text }];
        let manifests = Manifests { name: "all".to_owned(), paths: vec![path.to_owned()], ..Manifests::default() };
        let said = Said { searched: true, ..Said::default() };
        let system = telstack_tools::read_manifests(&given, &manifests, said, &mut Diagnostics::default()).system;
        Self { sources, files: Vec::new(), system }
    }

    /// One collector of the contrib distribution, in a container.
    pub(crate) fn collector(version: &str, yaml: &str) -> Self {
        let mut bench = Self::new("");
        bench.add_collector("collector", Distribution::Contrib, version, yaml);
        bench
    }

    /// A collector that sends traces through one exporter: `otlp: {endpoint: …}`.
    pub(crate) fn exporter(version: &str, settings: &str) -> Self {
        let id = settings.split_once(':').map_or(settings, |(id, _)| id);
        let service = format!("service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{id}]}}}}}}");
        Self::collector(version, &format!("exporters: {{{settings}}}\n{service}"))
    }

    /// Data sources of Grafana, in a file by itself.
    pub(crate) fn data_sources(text: &str) -> Self {
        Self::alone(Alone::DataSources, "", text)
    }

    /// The configuration of a product by itself, of a release or of whichever one.
    pub(crate) fn file(product: Product, version: &str, text: &str) -> Self {
        Self::alone(Alone::Config(product), version, text)
    }

    fn alone(what: Alone, version: &str, text: &str) -> Self {
        let mut bench = Self::new("");
        let file = bench.sources.add("file.yaml", text);
        let source = SourceFile { path: "file.yaml", file, text };
        let mut out = Diagnostics::default();
        bench.system = read_alone(source, "file", what, None, &mut out);
        assert_eq!(out.iter().count(), 0, "{text}");
        let id = bench.system.node_ids()[0];
        let origin = bench.system.origin.clone();
        bench.node(id).version = Version::parse(version).map(|version| Sourced::new(version, origin));
        bench
    }

    /// Two nodes and a link, each end as OTLP over gRPC in plain text until `change`d. The dialling end is
    /// written `dials`, the listening end `binds`.
    pub(crate) fn link(change: impl FnOnce(&mut Edge, &mut Listener)) -> Self {
        let mut bench = Self::new("dials binds");
        let from = bench.add_collector("agent", Distribution::Contrib, "0.158.0", "");
        let to = bench.add_collector("gateway", Distribution::Contrib, "0.158.0", "");
        let mut listener = bench.listener("otlp-grpc", 4317, "binds");
        let mut edge = bench.edge(Protocol::OTLP_GRPC, "gateway", 4317, "dials");
        change(&mut edge, &mut listener);
        bench.node(to).listeners.push(listener);
        bench.system.connect(from, to, edge);
        bench
    }

    pub(crate) fn add_collector(&mut self, name: &str, dist: Distribution, version: &str, text: &str) -> NodeId {
        let file = self.sources.add(format!("{name}.yaml"), text);
        let origin = Origin::written(Span::new(file, 0, 0));
        let version = Version::parse(version).expect("a version");
        let runs = Runs { distribution: Sourced::new(dist, origin.clone()), certain: true, version, operated: false };
        // Most cases are parts of a configuration: that the rest is missing is none of the rules' business.
        let mut parts_missing = Diagnostics::default();
        let collector = collector::read(file, text, runs, &mut parts_missing);
        let image = ImageRef { repository: dist.image().to_owned(), tag: version.to_string() };
        self.place(name, version, NodeKind::Collector(Box::new(collector)), image, origin)
    }

    /// A proxy named `lb` with that configuration, and collectors with their listeners.
    pub(crate) fn proxy(cfg: &str, collectors: &[(&str, &str)]) -> Self {
        let mut bench = Self::new("");
        let file = bench.sources.add("haproxy.cfg", cfg);
        let mut wrong = Diagnostics::default();
        let proxy = haproxy::read_alone(file, cfg, None, &mut wrong);
        assert!(!wrong.has_errors(), "{:?}", wrong.iter().collect::<Vec<_>>());
        let origin = Origin::written(Span::new(file, 0, 0));
        let mut node = Node::new("lb", origin, None, NodeKind::Proxy(Box::new(proxy)));
        node.listeners = node.proxy().map(haproxy::listeners).unwrap_or_default();
        bench.system.add(node);
        for (name, yaml) in collectors {
            let id = bench.add_collector(name, Distribution::Contrib, "0.158.0", yaml);
            let node = bench.node(id);
            let version = node.version().expect("a release");
            node.listeners = passes::collector_listeners(node.collector().expect("a collector"), version);
        }
        let calls = link::telemetry(&bench.system);
        link::connect(&mut bench.system, calls);
        link::forward(&mut bench.system);
        bench
    }

    /// A broker, and collectors of a release whose addresses are followed.
    pub(crate) fn around_a_broker(broker: &str, version: &str, collectors: &[(&str, &str)]) -> Self {
        let mut bench = Self::new("");
        bench.system.from_files = true;
        let kind = NodeKind::Broker(Box::default());
        let mut node = Node::new(broker, bench.system.origin.clone(), None, kind);
        let image = ImageRef { repository: "apache/kafka".to_owned(), tag: "4.0.0".to_owned() };
        let origin = bench.system.origin.clone();
        node.container = Some(Container::new(Sourced::new(image, origin.clone()), origin));
        bench.system.add(node);
        for (name, yaml) in collectors {
            bench.add_collector(name, Distribution::Contrib, version, yaml);
        }
        let calls = link::telemetry(&bench.system);
        link::connect(&mut bench.system, calls);
        bench
    }

    /// A store, Grafana or Alertmanager, named after its product.
    pub(crate) fn add(&mut self, product: Product, version: &str) -> NodeId {
        let kind = match product {
            Product::Grafana => NodeKind::Viewer(Box::<Viewer>::default()),
            Product::Alertmanager => NodeKind::Alerter(Box::<Alerter>::default()),
            _ => NodeKind::Store(Box::new(Store::new(product).expect("a store"))),
        };
        let version = Version::parse(version).expect("a version");
        let image = product.image(version);
        let image = ImageRef { repository: image.repository.to_owned(), tag: image.tag };
        self.place(product.id(), version, kind, image, self.system.origin.clone())
    }

    fn place(&mut self, name: &str, version: Version, kind: NodeKind, image: ImageRef, origin: Origin) -> NodeId {
        let mut node = Node::new(name, origin.clone(), Some(Sourced::new(version, origin.clone())), kind);
        node.container = Some(Container::new(Sourced::new(image, origin.clone()), origin));
        self.system.add(node)
    }

    pub(crate) fn node(&mut self, id: NodeId) -> &mut Node {
        self.system.node_mut(id)
    }

    /// The node of the first collector, to change.
    pub(crate) fn first(&mut self) -> &mut Node {
        let id = self.system.node_ids()[0];
        self.node(id)
    }

    pub(crate) fn container(&mut self, id: NodeId) -> &mut Container {
        self.node(id).container.as_mut().expect("a container")
    }

    /// Puts the first node into a pod of a cluster in which nothing else is.
    pub(crate) fn in_pod(&mut self, kind: WorkloadKind) -> &mut Pod {
        let id = self.system.node_ids()[0];
        self.pod_of(id, kind)
    }

    /// Puts a node into a pod of its own.
    pub(crate) fn pod_of(&mut self, id: NodeId, kind: WorkloadKind) -> &mut Pod {
        self.system.cluster.get_or_insert_default();
        let name = self.node(id).name.clone();
        let origin = self.system.origin.clone();
        let label = Sourced::new(name.clone(), origin.clone());
        let pod = Pod {
            kind,
            name,
            namespace: None,
            labels: [("app".to_owned(), label)].into(),
            annotations: Labels::new(),
            workload_annotations: Labels::new(),
            service_account: None,
            host_network: None,
            fs_group: None,
            groups: Vec::new(),
            strategy: None,
            max_surge: None,
            service_name: None,
            own_volumes: Vec::new(),
            node_selector: Labels::new(),
            tolerant: None,
            affinity: false,
            operated: false,
            patched: false,
            links: false,
            targets_shared: None,
            origin,
        };
        Arc::make_mut(self.container(id).pod.insert(Arc::new(pod)))
    }

    /// A Service named `gw` that leads from 4317 to a port of pods with these labels; written `slice`, as is the port.
    pub(crate) fn service(&mut self, labels: Labels, target: TargetPort, slice: &str) -> &mut Service {
        let origin = self.at(slice);
        let port = ServicePort {
            name: None,
            port: 4317,
            target,
            transport: Transport::Tcp,
            app_protocol: None,
            node_port: None,
            origin: origin.clone(),
        };
        let service = Service {
            name: "gw".to_owned(),
            namespace: None,
            ty: ServiceType::ClusterIp,
            headless: false,
            selector: Some(Selector { labels, expressions: Vec::new(), origin: origin.clone() }),
            ports: vec![port],
            open_ports: false,
            lacks: Vec::new(),
            labels: Labels::new(),
            annotations: Labels::new(),
            sticky: false,
            origin,
        };
        let services = &mut self.cluster().services;
        services.push(service);
        services.last_mut().expect("one was pushed")
    }

    /// The cluster around the pods.
    pub(crate) fn cluster(&mut self) -> &mut Cluster {
        self.system.cluster.get_or_insert_default()
    }

    /// Written where `slice` stands first in any of the texts.
    pub(crate) fn at(&self, slice: &str) -> Origin {
        let mut places = self.sources.files().filter_map(|(id, file)| Some((id, file.text().find(slice)?)));
        let (file, start) = places.next().unwrap_or_else(|| panic!("`{slice}` is in no text"));
        Origin::written(Span::new(file, start, start + slice.len()))
    }

    pub(crate) fn listener(&self, name: &str, port: u16, slice: &str) -> Listener {
        Listener {
            name: name.to_owned(),
            port,
            transport: Transport::Tcp,
            bind: Bind::All,
            protocol: Protocol::OTLP_GRPC,
            signals: SignalSet::of(&[Signal::Traces]),
            path: None,
            base: None,
            paths: Vec::new(),
            tls: Known::Value(Tls::Off),
            requirement: None,
            owner: None,
            origin: self.at(slice),
        }
    }

    pub(crate) fn edge(&self, protocol: Protocol, host: &str, port: u16, slice: &str) -> Edge {
        let mut edge = Edge::new(Purpose::Telemetry, self.at(slice));
        edge.dial = Some(Dial {
            component: None,
            protocol,
            host: host.to_owned(),
            port,
            path: String::new(),
            only: None,
            tls: Known::Value(Tls::Off),
            tenant: None,
            origin: self.at(slice),
        });
        edge
    }

    /// Code, slice under the primary label and severity of every finding.
    pub(crate) fn found(&self) -> Vec<(&'static str, String, Severity)> {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        let slice = |span| self.sources.slice(span).to_owned();
        out.sorted(&self.sources)
            .into_iter()
            .map(|it| {
                let primary = it.primary.map(|label| slice(label.span)).unwrap_or_default();
                (it.rule.code, primary, it.severity)
            })
            .collect()
    }

    /// The rule reports once, at `slice`.
    #[track_caller]
    pub(crate) fn finds(&self, code: &str, slice: &str) -> Severity {
        let found = self.found();
        let mine: Vec<_> = found.iter().filter(|(it, ..)| *it == code).collect();
        let [(_, primary, severity)] = mine.as_slice() else { panic!("wanted one {code}, found {found:?}") };
        assert_eq!(primary, slice, "{found:?}");
        *severity
    }

    /// The rule's fix makes the only collector's or product's text to `after`, and then the rule says nothing.
    #[track_caller]
    pub(crate) fn fixed(&self, code: &str, after: &str) -> Applicability {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        let found: Vec<_> = out.sorted(&self.sources).into_iter().filter(|it| it.rule.code == code).collect();
        let fix = found.iter().find_map(|it| it.fix.clone()).unwrap_or_else(|| panic!("no fix in {found:?}"));
        let file = fix.edits[0].span.file;
        let text = apply(self.sources.file(file).text(), &fix.edits.iter().collect::<Vec<_>>());
        assert_eq!(text, after);
        if !self.files.is_empty() {
            let name = self.sources.file(file).name();
            let now =
                |(path, old): &(String, String)| (path.clone(), if path == name { text.clone() } else { old.clone() });
            let files: Vec<(String, String)> = self.files.iter().map(now).collect();
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            Bench::project(&files).silent(code);
            return fix.applicability;
        }
        let nodes: Vec<&Node> = self.system.nodes().map(|(_, node)| node).collect();
        let version = |node: &Node| node.version().map_or_else(String::new, |it| it.to_string());
        let again = match nodes.iter().find(|it| it.collector().is_some()) {
            Some(node) => Bench::collector(&version(node), &text),
            None if nodes[0].viewer().is_some() => Bench::data_sources(&text),
            None => Bench::file(nodes[0].product().expect("a product"), &version(nodes[0]), &text),
        };
        again.silent(code);
        fix.applicability
    }

    /// The rule's fix makes the text that it is about to `after`.
    #[track_caller]
    pub(crate) fn fixes(&self, code: &str, after: &str) -> Applicability {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        let found: Vec<_> = out.sorted(&self.sources).into_iter().filter(|it| it.rule.code == code).collect();
        let fix = found.iter().find_map(|it| it.fix.clone()).unwrap_or_else(|| panic!("no fix in {found:?}"));
        let text = self.sources.file(fix.edits[0].span.file).text();
        assert_eq!(apply(text, &fix.edits.iter().collect::<Vec<_>>()), after);
        fix.applicability
    }

    /// What the rule finds, it does not fix.
    #[track_caller]
    pub(crate) fn leaves(&self, code: &str) {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        let found = out.sorted(&self.sources);
        let mine: Vec<_> = found.iter().filter(|it| it.rule.code == code).collect();
        assert!(!mine.is_empty() && mine.iter().all(|it| it.fix.is_none()), "{found:?}");
    }

    /// The ways out that the rule shows, of all that it finds.
    pub(crate) fn helps(&self, code: &str) -> Vec<String> {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        out.iter().filter(|it| it.rule.code == code).flat_map(|it| it.help.clone()).collect()
    }

    /// What the rule says besides, of all that it finds.
    pub(crate) fn notes(&self, code: &str) -> Vec<String> {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        out.iter().filter(|it| it.rule.code == code).flat_map(|it| it.notes.clone()).collect()
    }

    /// What the rule says, each finding in its line.
    pub(crate) fn messages(&self, code: &str) -> Vec<String> {
        let mut out = Diagnostics::default();
        crate::check(&self.system, &mut out);
        out.iter().filter(|it| it.rule.code == code).map(|it| it.message.clone()).collect()
    }

    /// The rule says nothing.
    #[track_caller]
    pub(crate) fn silent(&self, code: &str) {
        let found = self.found();
        assert!(found.iter().all(|(it, ..)| *it != code), "{found:?}");
    }
}
