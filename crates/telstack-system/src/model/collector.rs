//! The inside of a collector.

use std::{collections::BTreeSet, fmt, sync::Arc};

use telstack_catalog::{ComponentKind, Distribution, Signal, Version, operator, otelcol};

use crate::{
    expansion,
    known::Known,
    model::{
        built::{BuiltDistribution, OwnComponent},
        container::Mount,
        tls::ServerTls,
    },
    origin::{Origin, Settings, Sourced, Value},
    units::Period,
};

/// A component's id: `otlp`, `otlp/jaeger`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ComponentId {
    /// The type, as written: upstream's name or one of its aliases.
    pub ty: String,
    /// What stands behind the slash.
    pub name: Option<String>,
}

impl ComponentId {
    /// `type` or `type/name`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some((ty, name)) => Self { ty: ty.trim().to_owned(), name: Some(name.trim().to_owned()) },
            None => Self { ty: text.trim().to_owned(), name: None },
        }
    }

    /// `type`, or `type/name`.
    pub fn new(ty: impl Into<String>, name: Option<&str>) -> Self {
        Self { ty: ty.into(), name: name.map(str::to_owned) }
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.ty),
            None => f.write_str(&self.ty),
        }
    }
}

/// Which component of a collector: kind and id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ComponentRef {
    /// Receiver, processor, …
    pub kind: ComponentKind,
    /// Its id.
    pub id: ComponentId,
}

impl fmt::Display for ComponentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind.section(), self.id)
    }
}

/// A configured component.
#[derive(Clone, Debug)]
pub struct Component {
    /// Receiver, processor, …
    pub kind: ComponentKind,
    /// Its id.
    pub id: ComponentId,
    /// Its settings; a map, or null where nothing is set.
    pub settings: Value,
    /// What declares it.
    pub origin: Origin,
}

impl Component {
    /// What the catalog knows of it; none for a type it does not know.
    pub fn fact(&self) -> Option<otelcol::Component> {
        otelcol::component(self.kind, &self.id.ty)
    }

    /// Would a target allocator look for its targets?
    pub fn is_allocatable(&self) -> bool {
        self.kind == ComponentKind::Receiver && self.id.to_string() == operator::allocator().receiver
    }

    /// Kind and id.
    pub fn reference(&self) -> ComponentRef {
        ComponentRef { kind: self.kind, id: self.id.clone() }
    }

    /// The setting at a dotted path.
    pub fn setting(&self, path: &str) -> Option<&Value> {
        self.settings.at(path)
    }

    /// The folder that a storage extension keeps its files in; none if it keeps none, or run time decides where.
    pub fn storage_directory(&self, version: Version) -> Option<Sourced<String>> {
        const SETTING: &str = "directory";
        let fact = self.fact().filter(|fact| fact.provides_all().contains(&"storage"))?;
        match self.setting(SETTING) {
            Some(value) => {
                let text = value.as_str().filter(|text| !expansion::is_open(text))?;
                Some(Sourced::new(text.to_owned(), value.mark.clone()))
            }
            None => Some(Sourced::new(fact.default_value(SETTING, version)?.as_str()?.to_owned(), self.origin.clone())),
        }
    }

    /// Text at a dotted path; unknown if it refers to the environment, or is still to be written.
    pub fn text(&self, path: &str) -> Known<&str> {
        match self.setting(path) {
            None => Known::Absent,
            Some(value) => match value.as_str() {
                Some(text) if expansion::is_unsettled(text) => Known::Unknown,
                Some(text) => Known::Value(text),
                None => Known::Unknown,
            },
        }
    }

    /// A truth value at a dotted path.
    pub fn truth(&self, path: &str) -> Known<bool> {
        self.setting(path).map_or(Known::Absent, |value| value.as_bool().map_or(Known::Unknown, Known::Value))
    }

    /// A whole number at a dotted path.
    pub fn number(&self, path: &str) -> Known<i64> {
        self.setting(path).map_or(Known::Absent, |value| value.as_int().map_or(Known::Unknown, Known::Value))
    }

    /// A duration at a dotted path.
    pub fn period(&self, path: &str) -> Known<Period> {
        match self.text(path) {
            Known::Value(text) => Period::parse(text).map_or(Known::Unknown, Known::Value),
            Known::Absent => Known::Absent,
            Known::Unknown => Known::Unknown,
        }
    }

    /// The settings to change; made a map if they are not one.
    ///
    /// # Panics
    ///
    /// Never.
    pub fn settings_mut(&mut self) -> &mut Settings {
        if self.settings.as_map().is_none() {
            self.settings = Value::map(self.settings.mark.clone());
        }
        self.settings.as_map_mut().expect("made a map just above")
    }

    /// The map at a dotted path to change; made, with the maps around it, where it is not there. The empty path is
    /// that of all settings.
    pub fn block_mut(&mut self, path: &str, mark: &Origin) -> &mut Settings {
        let parts = path.split('.').filter(|part| !part.is_empty());
        parts.fold(self.settings_mut(), |map, part| map.map_mut(part, mark))
    }

    /// Writes the setting at a dotted path, with the maps around it.
    pub fn put(&mut self, path: &str, value: Value) {
        let (block, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mark = value.mark.clone();
        self.block_mut(block, &mark).set(key, value);
    }
}

/// A mention of a component: in a pipeline, in `service.extensions`.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    /// Which component.
    pub id: ComponentId,
    /// Where it is mentioned.
    pub origin: Origin,
}

/// A pipeline: one signal from receivers through processors to exporters.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its signal.
    pub signal: Signal,
    /// What stands behind the slash of its id.
    pub name: Option<String>,
    /// Receivers and connectors that feed it.
    pub receivers: Vec<Reference>,
    /// Processors in the order they run.
    pub processors: Vec<Reference>,
    /// Was the order written out?
    pub ordered: bool,
    /// Exporters and connectors that it feeds.
    pub exporters: Vec<Reference>,
    /// Does part of it stand elsewhere, or was it not understood? Then nothing is known to be missing.
    pub open: bool,
    /// What declares it.
    pub origin: Origin,
}

impl Pipeline {
    /// `traces`, `traces/sampled`.
    pub fn id(&self) -> String {
        match &self.name {
            Some(name) => format!("{}/{name}", self.signal),
            None => self.signal.to_string(),
        }
    }
}

/// The wish for the settings of a preset.
#[derive(Clone, Debug)]
pub struct PresetUse {
    /// The component that is to have them.
    pub component: ComponentRef,
    /// Which preset.
    pub name: Sourced<String>,
}

/// The wish to scrape something.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The receiver that does it.
    pub receiver: ComponentId,
    /// A node of the stack, a Service, or the word for annotated pods.
    pub target: Sourced<String>,
    /// The namespace of the Service; none is that of the collector.
    pub namespace: Option<Sourced<String>>,
    /// The port of the pods; none is that of a node's metrics, or all of a Service.
    pub port: Option<Sourced<u16>>,
    /// The path; none is `/metrics`.
    pub path: Option<Sourced<String>>,
    /// How often; none is as often as the receiver does by itself.
    pub interval: Option<Sourced<Period>>,
    /// The line that wishes it.
    pub origin: Origin,
}

/// The wish that queues outlive the process.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Requests (batches) that each exporter's queue holds.
    pub queue_size: Option<Sourced<i64>>,
    /// When a batch that cannot be delivered is given up; none is the collector's own default.
    pub give_up_after: Option<Sourced<Period>>,
    /// The line that wishes it.
    pub origin: Origin,
}

/// Parts of a collector that stand elsewhere (`${file:…}`) or were not understood. Nothing is known to be
/// missing from them.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// Kinds of which there may be more components.
    pub sections: Vec<ComponentKind>,
    /// There may be more pipelines.
    pub pipelines: bool,
    /// `service.extensions` may list more.
    pub extensions: bool,
    /// Nobody says which distribution runs, or it is one of somebody's own: it may lack what the one named has,
    /// and have what no other has.
    pub distribution: bool,
    /// Components of somebody's own, which have nothing but their names from those that are known.
    pub own: Arc<BTreeSet<OwnComponent>>,
}

/// An OpenTelemetry Collector.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Which distribution runs.
    pub distribution: Sourced<Distribution>,
    /// The distribution that runs, where somebody built it; `distribution` then only says what it is taken from.
    pub built: Option<Arc<BuiltDistribution>>,
    /// Components in the order declared.
    pub components: Vec<Component>,
    /// Pipelines in the order declared.
    pub pipelines: Vec<Pipeline>,
    /// `service.extensions`.
    pub extensions: Vec<Reference>,
    /// `service.telemetry`.
    pub telemetry: Settings,
    /// What lists of one configuration name that a later one replaces, as has been said.
    pub lost: Vec<ComponentId>,
    /// What of it is not known.
    pub gaps: Gaps,
    /// Settings for a task that components are to have.
    pub presets: Vec<PresetUse>,
    /// What it scrapes, by receivers of its own.
    pub scrapes: Vec<Scrape>,
    /// Queues on disk.
    pub delivery: Option<Delivery>,
    /// The certificate that its receivers answer with, where their own settings name none.
    pub tls: Option<ServerTls>,
    /// Files and folders of the host that it is given.
    pub mounts: Vec<Mount>,
    /// What it measures that is of its machine's network, and not of its pod's.
    pub host_network: Option<Origin>,
    /// The user that it runs as; none is the image's own.
    pub user: Option<Sourced<String>>,
}

impl Collector {
    /// A collector with nothing in it.
    pub fn new(distribution: Sourced<Distribution>) -> Self {
        Self {
            distribution,
            built: None,
            components: Vec::new(),
            pipelines: Vec::new(),
            extensions: Vec::new(),
            telemetry: Settings::default(),
            lost: Vec::new(),
            gaps: Gaps::default(),
            presets: Vec::new(),
            scrapes: Vec::new(),
            delivery: None,
            tls: None,
            mounts: Vec::new(),
            host_network: None,
            user: None,
        }
    }

    /// The setting that switches the collector's own metrics off, if one does.
    pub fn metrics_off(&self) -> Option<&Value> {
        let level = self.telemetry.get("metrics")?.at("level")?;
        level.as_str().is_some_and(|it| it.eq_ignore_ascii_case("none")).then_some(level)
    }

    /// The component of that kind and id.
    pub fn component(&self, kind: ComponentKind, id: &ComponentId) -> Option<&Component> {
        self.components.iter().find(|it| it.kind == kind && it.id == *id)
    }

    /// The component of that kind and id, to change.
    pub fn component_mut(&mut self, kind: ComponentKind, id: &ComponentId) -> Option<&mut Component> {
        self.components.iter_mut().find(|it| it.kind == kind && it.id == *id)
    }

    /// All components of a kind, in the order declared.
    pub fn of_kind(&self, kind: ComponentKind) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(move |it| it.kind == kind)
    }

    /// What a pipeline's `receivers` entry means: a receiver, or a connector that feeds it.
    pub fn source(&self, id: &ComponentId) -> Option<&Component> {
        self.component(ComponentKind::Receiver, id).or_else(|| self.component(ComponentKind::Connector, id))
    }

    /// What a pipeline's `exporters` entry means: an exporter, or a connector that it feeds.
    pub fn sink(&self, id: &ComponentId) -> Option<&Component> {
        self.component(ComponentKind::Exporter, id).or_else(|| self.component(ComponentKind::Connector, id))
    }

    /// Does its distribution ship that type of component at a version?
    pub fn ships(&self, kind: ComponentKind, ty: &str, version: Version) -> bool {
        otelcol::component(kind, ty)
            .is_some_and(|it| it.presence(self.distribution.value, version) == otelcol::Presence::Present)
    }

    /// Is it listed in `service.extensions`, as far as is known?
    pub fn is_enabled(&self, extension: &ComponentId) -> bool {
        self.gaps.extensions || self.extensions.iter().any(|it| it.id == *extension)
    }

    /// May there be components of that kind that are not known here?
    pub fn may_have_more(&self, kind: ComponentKind) -> bool {
        self.gaps.sections.contains(&kind)
    }

    /// May pipelines mention more than is known here?
    pub fn has_open_pipelines(&self) -> bool {
        self.gaps.pipelines || self.pipelines.iter().any(|it| it.open)
    }
}
