//! A collector component and what is known about it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

use super::record::{self, Ranged, Record, Runtime, StoredRequired, StoredSuccessor};
use super::releases::{release_after, samples_for};
use crate::signal::{ComponentKind, Distribution, Signal, SignalSet};
use crate::version::{Version, VersionRange};

/// A component of any kind. Cheap to copy. Two handles are equal when they are the same component,
/// whichever of its names they were asked for by.
#[derive(Clone, Copy)]
pub struct Component {
    pub(super) record: &'static Record,
    pub(super) kind: ComponentKind,
    /// The name it was asked for by.
    asked: &'static str,
}

impl PartialEq for Component {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.record, other.record)
    }
}

impl Eq for Component {}

impl std::hash::Hash for Component {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.record.key.hash(state);
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Component({}, asked for as {})", self.record.key, self.asked)
    }
}

/// Whether a component is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// It is there.
    Present,
    /// It came later.
    NotYet {
        /// First release with it.
        since: Version,
    },
    /// It is gone (or, for the one release in which two components were left out by mistake, away:
    /// see [`Component::returns_in`]).
    Removed {
        /// Last release with it before the asked version.
        last: Version,
        /// First release without it.
        removed_in: Version,
    },
    /// It never was in that distribution.
    Never,
}

/// What to use in place of a removed or deprecated component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replacement {
    /// Name of the component (its newest one: see [`Component::name_at`]), or of whatever else
    /// replaces it, such as the environment variable `GOMEMLIMIT`.
    pub name: &'static str,
    /// Kind of the replacing component; `None` when it is not a component.
    pub kind: Option<ComponentKind>,
    /// A remark for the reader.
    pub note: Option<&'static str>,
    settings: &'static BTreeMap<String, StoredSuccessor>,
}

impl Replacement {
    /// What one of the settings is called there, and a value of it; where that differs. The value is `None` where
    /// nothing stands for it.
    pub fn setting(self, name: &str, value: &str) -> Option<(&'static str, Option<&'static str>)> {
        let successor = self.settings.get(name)?;
        Some((&successor.name, successor.values.get(value).map(String::as_str)))
    }
}

/// A requirement on settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Required {
    /// This setting must be given. Dotted path; `[]` stands for every element of a list.
    All(&'static str),
    /// At least one of these settings must be given.
    OneOf(Vec<&'static str>),
}

/// Transport of a listening port.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port a component listens on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listen {
    /// Dotted path of the setting that holds the address: `protocols.grpc.endpoint`.
    pub setting: &'static str,
    /// Default port; `None` when there is no default and the setting must be given.
    pub port: Option<u16>,
    /// TCP or UDP.
    pub transport: Transport,
    /// What is spoken on the connection: `grpc`, `http`, `websocket`, `fluentforward` or `raw`.
    pub app: &'static str,
    /// Telemetry protocol, in the words of [`Component::protocol`]; `None` for a service port.
    pub protocol: Option<&'static str>,
    /// Host bound by default at that version; `None` when there is no default. An empty text means
    /// every interface.
    pub default_host: Option<&'static str>,
    /// When the port is open, if not always: `when protocols.grpc is set`.
    pub enabled_when: Option<&'static str>,
}

/// The component a name stands for, in any of its spellings, old or new.
pub fn component(kind: ComponentKind, name: &str) -> Option<Component> {
    static MEMO: record::Memo<Component> = record::Memo::new();
    let key = format!("{kind}/{name}");
    let make = || {
        let canonical = record::NAMES.get(&key)?.trim_matches('"');
        let record = record::record(&format!("{kind}/{canonical}"))?;
        let asked = record.names.iter().find(|known| *known == name)?;
        Some(Component { record, kind, asked })
    };
    MEMO.get(&key, make).copied()
}

/// Every name of a kind of component, old ones included, in alphabetical order.
pub fn component_names(kind: ComponentKind) -> impl Iterator<Item = &'static str> {
    record::NAMES.iter().filter_map(move |(key, _)| key.strip_prefix(kind.as_str())?.strip_prefix('/'))
}

/// Every component of a kind, once each.
pub fn components(kind: ComponentKind) -> impl Iterator<Item = Component> {
    record::COMPONENTS
        .iter()
        .filter_map(move |(key, _)| component(kind, key.strip_prefix(kind.as_str())?.strip_prefix('/')?))
}

/// The exporters that reach any receiver of a protocol by its address alone, the usual one first. An
/// exporter for one vendor's service is none of them, whatever it speaks. Source: `data/exporters.json`.
pub fn plain_exporters(protocol: &str) -> Vec<Component> {
    static STORED: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    let all =
        STORED.get_or_init(|| serde_json::from_str(include_str!("../../data/exporters.json")).unwrap_or_default());
    let names = all.get(protocol).into_iter().flatten();
    names.filter_map(|name| component(ComponentKind::Exporter, name)).collect()
}

/// The setting that holds the address of most exporters.
pub const ENDPOINT: &str = "endpoint";

impl Component {
    /// The setting of an exporter that holds the address it dials, as a dotted path.
    pub fn address_setting(self) -> &'static str {
        static STORED: OnceLock<BTreeMap<String, String>> = OnceLock::new();
        let all = STORED.get_or_init(|| {
            serde_json::from_str(include_str!("../../data/exporter_addresses.json")).unwrap_or_default()
        });
        self.record.names.iter().find_map(|name| all.get(name)).map_or(ENDPOINT, String::as_str)
    }

    /// Receiver, processor, exporter, connector or extension.
    pub fn kind(self) -> ComponentKind {
        self.kind
    }

    /// Path of the Go module, as the distribution manifests name it.
    pub fn module(self) -> &'static str {
        &self.record.module
    }

    /// The name this handle was asked for by.
    pub fn asked_name(self) -> &'static str {
        self.asked
    }

    /// The newest name.
    pub fn newest_name(self) -> &'static str {
        self.record.names.last().map_or(self.asked, String::as_str)
    }

    /// The preferred name at a version: the newest of its names that some distribution knows then.
    /// The name asked for when none does.
    pub fn name_at(self, version: Version) -> &'static str {
        let known = |name: &str| {
            self.record
                .presence
                .values()
                .any(|names| names.get(name).is_some_and(|ranges| ranges.iter().any(|range| range.contains(version))))
        };
        self.record.names.iter().rev().find(|name| known(name)).map_or(self.asked, String::as_str)
    }

    /// Every name, oldest first. Names joined here are aliases upstream, or (three components) a
    /// plain rename that kept no alias; [`Component::name_presence`] tells which name is accepted.
    pub fn names(self) -> Vec<&'static str> {
        self.record.names.iter().map(String::as_str).collect()
    }

    /// First release in which that name resolves, in any distribution. 0.70.0, the oldest release
    /// known, stands for "0.70.0 or earlier".
    pub fn name_since(self, name: &str) -> Option<Version> {
        let ranges = self.record.presence.values().filter_map(|names| names.get(name)).flatten();
        ranges.filter_map(|range| range.since).min()
    }

    /// Whether the component is there under any of its names.
    pub fn presence(self, distribution: Distribution, version: Version) -> Presence {
        presence(&self.lifespan(distribution), version)
    }

    /// Whether exactly that name resolves.
    pub fn name_presence(self, name: &str, distribution: Distribution, version: Version) -> Presence {
        let ranges = self.record.presence.get(distribution.as_str()).and_then(|names| names.get(name));
        presence(ranges.map_or(&[], Vec::as_slice), version)
    }

    /// The distributions that hold the component at a version.
    pub fn distributions_at(self, version: Version) -> Vec<Distribution> {
        let here = |d: &Distribution| self.presence(*d, version) == Presence::Present;
        Distribution::ALL.iter().copied().filter(here).collect()
    }

    /// The ranges of releases with the component, oldest first, over all its names. `until: None`
    /// means it is still there.
    pub fn lifespan(self, distribution: Distribution) -> Vec<VersionRange> {
        let Some(names) = self.record.presence.get(distribution.as_str()) else { return Vec::new() };
        let mut ranges: Vec<VersionRange> = names.values().flatten().copied().collect();
        ranges.sort_by_key(|range| range.since);
        let mut joined: Vec<VersionRange> = Vec::new();
        for range in ranges {
            let touches = |last: &VersionRange| {
                last.until.is_none_or(|until| range.since <= Some(until) || range.since == release_after(until))
            };
            match joined.last_mut().filter(|last| touches(last)) {
                Some(last) if last.until.is_some() && (range.until.is_none() || range.until > last.until) => {
                    last.until = range.until;
                }
                Some(_) => {}
                None => joined.push(range),
            }
        }
        joined
    }

    /// For a component that is away at a version and comes back: the release of its return.
    pub fn returns_in(self, distribution: Distribution, version: Version) -> Option<Version> {
        let spans = self.lifespan(distribution);
        let gone = matches!(presence(&spans, version), Presence::Removed { .. });
        spans.iter().filter_map(|span| span.since).find(|&since| gone && since > version)
    }

    /// What replaces it, when it was removed or deprecated.
    pub fn replacement(self) -> Option<Replacement> {
        let stored = self.record.replacement.as_ref()?;
        Some(Replacement {
            name: &stored.name,
            kind: stored.kind.as_deref().and_then(ComponentKind::parse),
            note: stored.note.as_deref(),
            settings: &stored.settings,
        })
    }

    /// First release in which upstream calls it deprecated, when that release is known.
    pub fn deprecated_since(self) -> Option<Version> {
        self.record.deprecated
    }

    /// The signals it takes; `None` for connectors (see [`Component::pairs`]), extensions, and where
    /// unknown. Between two sampled versions: the signals of either.
    pub fn signals(self, version: Version) -> Option<SignalSet> {
        let words = union_at(&self.record.signals, version)?;
        Some(words.iter().filter_map(|word| Signal::parse(word)).collect())
    }

    /// What a connector turns into what; `None` for other kinds and where unknown.
    pub fn pairs(self, version: Version) -> Option<Vec<(Signal, Signal)>> {
        let words = union_at(&self.record.pairs, version)?;
        let pair = |word: &&str| {
            let (from, to) = word.split_once("->")?;
            Some((Signal::parse(from)?, Signal::parse(to)?))
        };
        Some(words.iter().filter_map(pair).collect())
    }

    /// Upstream's stability level for a signal: `stable`, `beta`, `alpha`, `development`,
    /// `deprecated` or `unmaintained`. For a connector, of the pairs that start from that signal;
    /// for an extension the signal does not matter.
    pub fn stability(self, version: Version, signal: Signal) -> Option<&'static str> {
        let levels = first_at(&self.record.stability, version)?;
        let start = format!("{signal}_to_");
        let level =
            levels.iter().find(|(key, _)| *key == signal.as_str() || *key == "extension" || key.starts_with(&start));
        level.map(|(_, level)| level.as_str())
    }

    /// What must be set.
    pub fn required(self, _version: Version) -> Vec<Required> {
        let Some(runtime) = self.runtime() else { return Vec::new() };
        let typed = |required: &'static StoredRequired| match required {
            StoredRequired::All(path) => Required::All(path),
            StoredRequired::One(paths) => Required::OneOf(paths.iter().map(String::as_str).collect()),
        };
        runtime.required.iter().map(typed).collect()
    }

    /// The default of a setting, when known. Dotted path. Values are as in YAML: a duration is a
    /// text such as `200ms`.
    pub fn default_value(self, path: &str, version: Version) -> Option<&'static Value> {
        let own = self.runtime().and_then(|runtime| runtime.defaults.get(path));
        own.or_else(|| super::telemetry::shared_default(self, path, version))
    }

    /// The ports it listens on, with the default host of that version.
    pub fn listens(self, version: Version) -> Vec<Listen> {
        let Some(runtime) = self.runtime() else { return Vec::new() };
        let protocol = runtime.protocol.as_deref();
        let typed = runtime.listens.iter().map(|listen| {
            let app = listen.app.as_deref().unwrap_or("raw");
            Listen {
                setting: &listen.setting,
                port: listen.port,
                transport: if listen.transport == "udp" { Transport::Udp } else { Transport::Tcp },
                app,
                protocol: listen_protocol(self.kind, protocol, &listen.setting, app),
                default_host: match listen.host.as_deref() {
                    Some("gate") => Some(super::behaviour::default_host(version)),
                    host => host,
                },
                enabled_when: listen.when.as_deref(),
            }
        });
        let exists = |listen: &Listen| match self.settings(version) {
            Some(tree) => tree.at(listen.setting).is_some() || tree.open,
            None => true,
        };
        typed.filter(exists).collect()
    }

    /// What an exporter speaks or a receiver accepts: `otlp-grpc`, `otlp-http`, `otlp` (a receiver of
    /// both: see [`Listen::protocol`]), `prometheus-remote-write`, `prometheus-exposition`,
    /// `loki-push`, `jaeger-grpc`, `jaeger-thrift-http`, `jaeger`, `zipkin`, `kafka`, `splunk-hec`,
    /// `datadog`, `none` (nothing leaves the collector), `file`, or upstream's own words otherwise.
    pub fn protocol(self) -> Option<&'static str> {
        self.runtime()?.protocol.as_deref()
    }

    /// Where an instance belongs: `any`, `one_per_node`, `one_per_cluster`, `one per target set`.
    pub fn placement(self) -> Option<&'static str> {
        self.runtime()?.placement.as_deref()
    }

    /// True when all spans of one trace must reach the same instance.
    pub fn is_stateful_by_trace(self) -> bool {
        self.runtime().is_some_and(|runtime| runtime.scope.as_deref() == Some("trace"))
    }

    /// What its state is kept by: `trace`, `metric_stream`, `aggregated_series`, `none` and others.
    pub fn state_scope(self) -> Option<&'static str> {
        self.runtime()?.scope.as_deref()
    }

    /// True when data of one key must always reach the same instance.
    pub fn needs_same_instance(self) -> bool {
        self.runtime().is_some_and(|runtime| runtime.same_instance)
    }

    /// The setting that names a storage extension: `storage`, or `sending_queue.storage` of an
    /// exporter whose queue takes one at some version.
    pub fn storage_setting(self) -> Option<&'static str> {
        let own = self.runtime().and_then(|runtime| runtime.storage.as_deref());
        own.or_else(|| {
            let settings = self.settings(super::newest()).or_else(|| self.last_settings())?;
            settings.at("sending_queue.storage").map(|_| "sending_queue.storage")
        })
    }

    /// The settings that name files of the host.
    pub fn host_paths(self) -> impl Iterator<Item = &'static super::HostPath> {
        super::host_paths::of(&self.record.key)
    }

    /// What an extension gives to other components: `storage`, `client auth`, `server auth`.
    pub fn provides(self) -> Option<&'static str> {
        self.runtime()?.provides.first().map(String::as_str)
    }

    /// Everything an extension gives to other components.
    pub fn provides_all(self) -> Vec<&'static str> {
        self.runtime().map_or_else(Vec::new, |r| r.provides.iter().map(String::as_str).collect())
    }

    /// True when it can read the request context of incoming data (the connection's address, headers),
    /// which is lost after a processor that groups data of several requests, such as `batch`.
    pub fn context_reader(self) -> bool {
        self.runtime().is_some_and(|runtime| runtime.reads_context)
    }

    /// Where it belongs among processors, in words.
    pub fn order(self) -> Option<&'static str> {
        self.runtime()?.order.as_deref()
    }

    /// Kubernetes permissions it needs: objects with `apiGroups`, `resources`, `verbs` and maybe
    /// `when`.
    pub fn rbac(self) -> &'static [Value] {
        self.runtime().map_or(&[], |runtime| &runtime.rbac)
    }

    /// Where its facts come from: keys of the source table in `docs/catalog.md`.
    pub fn sources(self) -> Vec<&'static str> {
        let runtime = self.runtime().map_or(&[][..], |runtime| &runtime.src);
        self.record.src.iter().chain(runtime).map(String::as_str).collect()
    }

    fn runtime(self) -> Option<&'static Runtime> {
        record::runtime(&self.record.key)
    }
}

/// The telemetry protocol of one port, from that of the whole component.
fn listen_protocol(
    kind: ComponentKind,
    protocol: Option<&'static str>,
    setting: &str,
    app: &'static str,
) -> Option<&'static str> {
    let receives = matches!(kind, ComponentKind::Receiver | ComponentKind::Exporter);
    match protocol.filter(|_| receives)? {
        "otlp" if app == "grpc" => Some("otlp-grpc"),
        "otlp" => Some("otlp-http"),
        "jaeger" if app == "grpc" => Some("jaeger-grpc"),
        "jaeger" if app == "http" => Some("jaeger-thrift-http"),
        "jaeger" if setting.contains("compact") => Some("jaeger-thrift-compact"),
        "jaeger" => Some("jaeger-thrift-binary"),
        "loki-push" if app == "grpc" => Some("loki-push-grpc"),
        word => Some(word),
    }
}

fn presence(ranges: &[VersionRange], version: Version) -> Presence {
    if ranges.iter().any(|range| range.contains(version)) {
        return Presence::Present;
    }
    let before = ranges.iter().filter_map(|range| range.until).filter(|&until| until < version).max();
    if let Some(last) = before {
        return Presence::Removed { last, removed_in: release_after(last).unwrap_or(version) };
    }
    match ranges.iter().filter_map(|range| range.since).min() {
        Some(since) => Presence::NotYet { since },
        None => Presence::Never,
    }
}

/// The value at a sampled version. Facts of early samples have holes: the next later value is used.
pub(super) fn at_sample<T>(ranges: &[Ranged<T>], sample: Version) -> Option<&T> {
    ranges.iter().find(|range| range.1 >= sample).map(|range| &range.2)
}

fn first_at<T>(ranges: &'static [Ranged<T>], version: Version) -> Option<&'static T> {
    samples_for(version).iter().find_map(|&sample| at_sample(ranges, sample))
}

/// The words of all samples that stand for a version.
fn union_at(ranges: &'static [Ranged<Vec<String>>], version: Version) -> Option<Vec<&'static str>> {
    let mut all: Vec<&str> = Vec::new();
    let mut known = false;
    for &sample in samples_for(version) {
        let Some(words) = at_sample(ranges, sample) else { continue };
        known = true;
        for word in words {
            if !all.contains(&word.as_str()) {
                all.push(word);
            }
        }
    }
    known.then_some(all)
}
