//! What a System is made of.

mod broker;
mod built;
pub mod cluster;
mod collector;
mod container;
mod link;
pub(crate) mod network;
mod placement;
mod pod;
mod proxy;
mod store;
pub mod tls;
mod view;

pub use broker::{Advertised, Broker};
pub use built::{BuiltDistribution, OwnComponent};
pub use cluster::{Cluster, Selector, Service, ServicePort, ServiceType, TargetPort};
pub use collector::{
    Collector, Component, ComponentId, ComponentRef, Delivery, Gaps, Pipeline, PresetUse, Reference, Scrape,
};
pub use container::{
    ConfigFile, ConfigPath, Container, ContainerGaps, Dependency, EnvValue, EnvVar, Handed, HealthCheck, ImageRef,
    Looked, Mount, MountSource, Published, SecretRef, Unfilled,
};
pub use link::{Bind, Dial, Edge, Hop, Listener, Protocol, Purpose, Requirement, Tls, Via};
pub use network::{Joined, Network};
pub use placement::{Exposure, ExposureTls, Isolation, Machine, Placement, Remote};
pub use pod::{Allocator, ContainerPort, Instances, Pod, Probe, ProbeAction, ProbeKind, WorkloadKind};
pub use proxy::{Backend, Frontend, HttpProbe, Layer, Proxy, ProxyDoor, Route, Server, ServerCheck};
pub use store::{
    AlertRule, Flag, JAEGER_TRACES_IN_MEMORY, JaegerStorage, LokiFacet, MetricsGenerator, MimirFacet, NamedFiles,
    PrometheusFacet, Recorded, SchemaPeriod, ScrapeJob, Store, StoreFacet, TempoFacet, is_declared_in_stacks,
};
pub use tls::ServerTls;
pub use view::{
    Alerter, AskingAlert, Dashboard, DashboardFolder, DataSource, External, ExternalEndpoint, Panel, Programs, Query,
    Viewer, Webhook,
};

use telstack_catalog::{Version, product::Product};
use telstack_diagnostics::Span;

use self::cluster::operator::Operated;
use crate::{
    origin::{Origin, Sourced, Value},
    units::{Bytes, Cpu},
};

/// Where the containers run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Platform {
    /// One host, docker compose.
    Compose,
    /// A Kubernetes cluster.
    Kubernetes,
}

impl Platform {
    /// The word of the stack language.
    pub const fn id(self) -> &'static str {
        match self {
            Platform::Compose => "compose",
            Platform::Kubernetes => "kubernetes",
        }
    }
}

/// A collector, store, viewer, alert manager or something outside.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name: the host name that others dial.
    pub name: String,
    /// Further names by which others dial it.
    pub aliases: Vec<String>,
    /// The line that declares it.
    pub origin: Origin,
    /// The release it runs; none for things outside, and where nobody can tell (`latest`).
    pub version: Option<Sourced<Version>>,
    /// What it is.
    pub kind: NodeKind,
    /// What it listens on. For collectors and stores the `listeners` pass fills it.
    pub listeners: Vec<Listener>,
    /// The processor time and memory that the stack grants it.
    pub resources: Resources,
    /// Where and how often it is to run.
    pub placement: Placement,
    /// Environment that its configuration refers to.
    pub environment: Vec<EnvVar>,
    /// What its files say, whole, where people wrote them: for rules that judge every setting. Those of collectors
    /// are taken apart instead.
    pub written: Vec<WrittenFile>,
    /// The container it runs in; none for things outside.
    pub container: Option<Container>,
    /// The program that it is, where it runs in no container.
    pub machine: Option<Box<Machine>>,
}

/// Processor time and memory.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Most processor time.
    pub cpu: Option<Sourced<Cpu>>,
    /// Most memory.
    pub memory: Option<Sourced<Bytes>>,
    /// Processor time that is kept for it.
    pub cpu_request: Option<Sourced<Cpu>>,
    /// Memory that is kept for it.
    pub memory_request: Option<Sourced<Bytes>>,
}

/// What a file says that a node reads.
#[derive(Clone, Debug)]
pub struct WrittenFile {
    /// Which one: the role of a [`ConfigFile`].
    pub role: &'static str,
    /// All that it says.
    pub document: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// An OpenTelemetry Collector.
    Collector(Box<Collector>),
    /// Prometheus, Loki, Tempo, Mimir or Jaeger.
    Store(Box<Store>),
    /// Grafana.
    Viewer(Box<Viewer>),
    /// Alertmanager.
    Alerter(Box<Alerter>),
    /// Something that shows metrics of what it watches, and nothing else: kube-state-metrics.
    Informer(Product),
    /// Something that hands on what it takes: HAProxy.
    Proxy(Box<Proxy>),
    /// Something that keeps messages until they are read: Kafka.
    Broker(Box<Broker>),
    /// Something that is not ours to run.
    External(Box<External>),
}

impl Node {
    /// A node with everything but name, kind and version left to the passes.
    pub fn new(name: impl Into<String>, origin: Origin, version: Option<Sourced<Version>>, kind: NodeKind) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            origin,
            version,
            kind,
            listeners: Vec::new(),
            resources: Resources::default(),
            placement: Placement::default(),
            environment: Vec::new(),
            written: Vec::new(),
            container: None,
            machine: None,
        }
    }

    /// Is that one of its doors for what comes from outside of the cluster?
    pub fn is_exposed(&self, door: &Listener) -> bool {
        let named = || door.owner.as_ref().is_some_and(|it| it.id.name.as_deref() == Some(Exposure::RECEIVER));
        self.placement.exposure.is_some() && named()
    }

    /// The same under another name, to show it beside others of its name.
    pub(crate) fn renamed(&self, name: String) -> Self {
        Self { name, ..self.clone() }
    }

    /// The host name by which another node dials it: with its namespace, where that is not the dialer's own.
    pub fn host_for(&self, dialer: &Node) -> String {
        self.host_at(None, dialer)
    }

    /// The same where another Service may lead to one of its listeners than to all others.
    pub fn host_at(&self, listener: Option<&Listener>, dialer: &Node) -> String {
        if self.placement.sidecar().is_some() {
            return "localhost".to_owned();
        }
        let services = listener.map_or(&[][..], Operated::leading_to);
        let name = match &self.placement.operated {
            Some(_) => services.first().unwrap_or(&Operated::Base).name(&self.name),
            None => self.name.clone(),
        };
        let namespace = |node: &Node| node.placement.namespace.as_ref().map(|it| it.value.clone());
        // The pods of programs may be anywhere.
        let anywhere = dialer.placement.sidecar().is_some();
        match namespace(self).filter(|own| namespace(dialer).is_some_and(|it| anywhere || it != *own)) {
            Some(namespace) => format!("{name}.{namespace}"),
            None => name,
        }
    }

    /// Is that one of the names by which others dial it?
    pub fn answers_to(&self, host: &str) -> bool {
        self.name == host || self.aliases.iter().any(|alias| alias == host)
    }

    /// The product, for versions and images; none for things outside.
    pub fn product(&self) -> Option<Product> {
        match &self.kind {
            NodeKind::Collector(_) => Some(Product::Otelcol),
            NodeKind::Store(store) => Some(store.product()),
            NodeKind::Viewer(_) => Some(Product::Grafana),
            NodeKind::Alerter(_) => Some(Product::Alertmanager),
            NodeKind::Informer(product) => Some(*product),
            NodeKind::Proxy(proxy) => Some(proxy.product),
            NodeKind::Broker(_) | NodeKind::External(_) => None,
        }
    }

    /// The release, without its origin.
    pub fn version(&self) -> Option<Version> {
        self.version.as_ref().map(|version| version.value)
    }

    /// The line that declares it.
    pub fn span(&self) -> Option<Span> {
        self.origin.span()
    }

    /// The collector, if it is one.
    pub fn collector(&self) -> Option<&Collector> {
        match &self.kind {
            NodeKind::Collector(it) => Some(it),
            _ => None,
        }
    }

    /// The collector to change, if it is one.
    pub fn collector_mut(&mut self) -> Option<&mut Collector> {
        match &mut self.kind {
            NodeKind::Collector(it) => Some(it),
            _ => None,
        }
    }

    /// The store, if it is one.
    pub fn store(&self) -> Option<&Store> {
        match &self.kind {
            NodeKind::Store(it) => Some(it),
            _ => None,
        }
    }

    /// The store to change, if it is one.
    pub fn store_mut(&mut self) -> Option<&mut Store> {
        match &mut self.kind {
            NodeKind::Store(it) => Some(it),
            _ => None,
        }
    }

    /// The certificate that it answers with, if the stack names one.
    pub fn tls(&self) -> Option<&ServerTls> {
        match &self.kind {
            NodeKind::Collector(it) => it.tls.as_ref(),
            NodeKind::Store(it) => it.tls.as_ref(),
            _ => None,
        }
    }

    /// The viewer, if it is one.
    pub fn viewer(&self) -> Option<&Viewer> {
        match &self.kind {
            NodeKind::Viewer(it) => Some(it),
            _ => None,
        }
    }

    /// The viewer to change, if it is one.
    pub fn viewer_mut(&mut self) -> Option<&mut Viewer> {
        match &mut self.kind {
            NodeKind::Viewer(it) => Some(it),
            _ => None,
        }
    }

    /// The alert manager, if it is one.
    pub fn alerter(&self) -> Option<&Alerter> {
        match &self.kind {
            NodeKind::Alerter(it) => Some(it),
            _ => None,
        }
    }

    /// The proxy, if it is one.
    pub fn proxy(&self) -> Option<&Proxy> {
        match &self.kind {
            NodeKind::Proxy(it) => Some(it),
            _ => None,
        }
    }

    /// The broker, if it is one.
    pub fn broker(&self) -> Option<&Broker> {
        match &self.kind {
            NodeKind::Broker(it) => Some(it),
            _ => None,
        }
    }

    /// The thing outside, if it is one.
    pub fn external_mut(&mut self) -> Option<&mut External> {
        match &mut self.kind {
            NodeKind::External(it) => Some(it),
            _ => None,
        }
    }

    /// What is outside, if it is that.
    pub fn external(&self) -> Option<&External> {
        match &self.kind {
            NodeKind::External(it) => Some(it),
            _ => None,
        }
    }

    /// `Loki 3.7.6`, `otelcol-contrib 0.158.0`, or the bare name for things outside.
    pub fn title(&self) -> String {
        let product = match &self.kind {
            NodeKind::Collector(collector) => collector.distribution.value.binary().to_owned(),
            NodeKind::Broker(_) | NodeKind::External(_) => return format!("`{}`", self.name),
            _ => self.product().map(|product| product.to_string()).unwrap_or_default(),
        };
        self.version().map_or_else(|| product.clone(), |version| format!("{product} {version}"))
    }
}
