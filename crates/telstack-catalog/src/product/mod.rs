//! Facts about everything that is not a collector component: stores, their images and endpoints.

pub mod haproxy;
mod image;
pub mod kafka;
mod layout;
mod options;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::signal::{Signal, SignalSet};
use crate::version::{Version, VersionRange};

pub use image::{Image, ImageFacts, Running, image_facts, running};
pub use layout::Layout;
pub use options::OptionFact;
pub use settings::{Level, Moved, Setting, moved, rule_file};

/// A product of a telemetry stack.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Product {
    /// The OpenTelemetry Collector (its details are in [`crate::otelcol`]).
    Otelcol,
    /// Prometheus.
    Prometheus,
    /// Grafana Loki.
    Loki,
    /// Grafana Tempo.
    Tempo,
    /// Grafana Mimir.
    Mimir,
    /// Jaeger.
    Jaeger,
    /// Grafana.
    Grafana,
    /// Prometheus Alertmanager.
    Alertmanager,
    /// HAProxy.
    Haproxy,
    /// kube-state-metrics.
    KubeStateMetrics,
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Otelcol => "OpenTelemetry Collector",
            Self::Prometheus => "Prometheus",
            Self::Loki => "Loki",
            Self::Tempo => "Tempo",
            Self::Mimir => "Mimir",
            Self::Jaeger => "Jaeger",
            Self::Grafana => "Grafana",
            Self::Alertmanager => "Alertmanager",
            Self::Haproxy => "HAProxy",
            Self::KubeStateMetrics => "kube-state-metrics",
        })
    }
}

/// Something a server answers on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// What it is for: `otlp-grpc`, `otlp-http`, `remote-write`, `push`, `query`, `metrics`, `ready`,
    /// `health`, `ui`, or the protocol's word.
    pub name: &'static str,
    /// Default port.
    pub port: u16,
    /// The port to set instead, where the default is a poor one.
    pub better_port: Option<u16>,
    /// HTTP path; `None` for other protocols.
    pub path: Option<&'static str>,
    /// The path to ask whether the server is well, where `path` wants arguments and answers 4xx without them.
    pub probe: Option<&'static str>,
    /// Protocol, in the words of [`crate::otelcol::Component::protocol`]; `http` for queries, readiness and
    /// metrics.
    pub protocol: &'static str,
    /// Signals taken in; empty for what takes none.
    pub signals: SignalSet,
    /// What must be set before it answers.
    pub needs: Option<Need>,
    /// Host bound by default: `0.0.0.0` or `localhost`.
    pub default_bind: &'static str,
    /// Is it open where the configuration says nothing of the like?
    pub by_default: bool,
    /// What the `endpoint` of an OTLP/HTTP exporter must end with: `/otlp`. The exporter appends
    /// `/v1/<signal>`. For queries, what the address of a data source must end with, if anything.
    pub base: Option<&'static str>,
}

/// What must be set before an endpoint answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Need {
    /// A command line flag, with its dashes.
    Flag(&'static str),
    /// A word of `--enable-feature`.
    Feature(&'static str),
    /// A setting of the configuration file, as a dotted path.
    Setting(&'static str),
    /// An environment variable.
    Env(&'static str),
}

#[derive(Deserialize)]
struct StoredEndpoint {
    name: String,
    port: u16,
    better_port: Option<u16>,
    path: Option<String>,
    probe: Option<String>,
    protocol: String,
    #[serde(default)]
    signals: Vec<String>,
    needs: Option<StoredNeed>,
    bind: Option<String>,
    #[serde(default)]
    by_default: bool,
    base: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredNeed {
    Flag(String),
    Feature(String),
    Setting(String),
    Env(String),
}

#[derive(Deserialize)]
struct StoredImage {
    repository: String,
    tag: String,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
struct StoredProduct {
    newest: Version,
    /// The last patch known of each minor release, ascending; without a third number where the patches are
    /// not known.
    last: Vec<String>,
    images: Vec<StoredImage>,
    endpoints: Vec<StoredEndpoint>,
    /// Flags of libraries that every version is built with: no option table has them.
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    server: StoredServer,
    /// The minor releases whose settings are known to the last one; none where all are.
    settings: Option<VersionRange>,
    ring: Option<Ring>,
    /// The types of Grafana's data sources that may ask it.
    #[serde(default)]
    data_sources: Vec<String>,
    /// What it asks of the API of its cluster.
    #[serde(default)]
    cluster: Vec<crate::otelcol::Need>,
    #[serde(default)]
    rejects: Vec<String>,
    #[serde(default)]
    constraints: Vec<(VersionRange, String)>,
}

/// Where a store's configuration speaks of the ring, in which its processes find each other.
#[derive(Deserialize, Debug)]
pub struct Ring {
    /// To how many of them each piece of data goes.
    pub factor: String,
    /// Where the ring is kept.
    pub store: String,
}

/// What a command line says of the server that all parts of a product share.
#[derive(Default, Deserialize)]
struct StoredServer {
    /// Flags, and the settings of the configuration file that they override, beyond those that upstream's own
    /// table of flags has.
    #[serde(default)]
    flags: BTreeMap<String, String>,
    /// How further flags of it start.
    others: Vec<String>,
}

/// What a flag does to the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingFlag {
    /// It overrides a setting of the configuration file, by its dotted path.
    Sets(&'static str),
    /// Nobody knows what it does.
    Unknown,
}

fn stored(product: Product) -> Option<&'static StoredProduct> {
    static STORED: OnceLock<BTreeMap<String, StoredProduct>> = OnceLock::new();
    let all = STORED.get_or_init(|| serde_json::from_str(include_str!("../../data/products.json")).unwrap_or_default());
    all.get(product.id())
}

/// The repositories of a product's official images, over all its releases.
fn repositories(product: Product) -> impl Iterator<Item = &'static str> {
    stored(product).into_iter().flat_map(|it| &it.images).map(|row| row.repository.as_str())
}

impl Product {
    /// The word used for it in Telstack files: `loki`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Otelcol => "otelcol",
            Self::Prometheus => "prometheus",
            Self::Loki => "loki",
            Self::Tempo => "tempo",
            Self::Mimir => "mimir",
            Self::Jaeger => "jaeger",
            Self::Grafana => "grafana",
            Self::Alertmanager => "alertmanager",
            Self::Haproxy => "haproxy",
            Self::KubeStateMetrics => "kube-state-metrics",
        }
    }

    /// Every product, in order.
    pub const ALL: &'static [Self] = &[
        Self::Otelcol,
        Self::Prometheus,
        Self::Loki,
        Self::Tempo,
        Self::Mimir,
        Self::Jaeger,
        Self::Grafana,
        Self::Alertmanager,
        Self::Haproxy,
        Self::KubeStateMetrics,
    ];

    /// Reads the word of [`Product::id`].
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|product| product.id() == id)
    }

    /// Newest version the catalog knows.
    pub fn newest(self) -> Version {
        match self {
            Self::Otelcol => crate::otelcol::newest(),
            _ => stored(self).map_or(Version::new(0, 0, 0), |product| product.newest),
        }
    }

    /// Oldest version the catalog knows.
    pub fn oldest(self) -> Version {
        match self {
            Self::Otelcol => crate::otelcol::releases().first().map_or(Version::new(0, 0, 0), |first| first.version),
            _ => self.minors().first().copied().unwrap_or(Version::new(0, 0, 0)),
        }
    }

    /// The minor versions the catalog knows, ascending, with patch 0. Empty for the collector: see
    /// [`crate::otelcol::releases`].
    pub fn minors(self) -> Vec<Version> {
        let last = stored(self).map_or(&[][..], |product| &product.last);
        let minor = |release: Version| Version::new(release.major, release.minor, 0);
        last.iter().filter_map(|release| Version::parse(release)).map(minor).collect()
    }

    /// True when the catalog knows that minor version (for the collector: exactly that release).
    pub fn knows(self, version: Version) -> bool {
        match self {
            Self::Otelcol => crate::otelcol::is_released(version),
            _ => self.minors().iter().any(|minor| minor.same_minor(version)),
        }
    }

    /// The last patch that the catalog knows of that minor version. `None` where it does not know the
    /// minor, or not its patches (Grafana).
    pub fn last_patch(self, version: Version) -> Option<Version> {
        let last = stored(self).map_or(&[][..], |product| &product.last);
        let exact = last.iter().filter(|release| release.split('.').count() == 3);
        exact.filter_map(|release| Version::parse(release)).find(|release| release.same_minor(version))
    }

    /// The release nearest to one that does not exist: the last patch of the minor below, else of the oldest
    /// minor above. For the collector, that of [`crate::otelcol::nearest_release`].
    pub fn nearest(self, version: Version) -> Version {
        if self == Self::Otelcol {
            return crate::otelcol::nearest_release(version);
        }
        let minors = self.minors();
        let below = minors.iter().rev().find(|minor| **minor <= version);
        let minor = below.or(minors.first()).copied().unwrap_or(version);
        self.last_patch(minor).unwrap_or(if minor.same_minor(self.newest()) { self.newest() } else { minor })
    }

    /// The release that a text names, such as `v3.4.2`; where it names none that is known, the nearest one.
    pub fn release(self, text: &str) -> Result<Version, Version> {
        match Version::parse(text) {
            Some(version) if self.knows(version) => Ok(version),
            Some(version) => Err(self.nearest(version)),
            None => Err(self.newest()),
        }
    }

    /// The official image at a version. For the collector, that of the contrib distribution.
    pub fn image(self, version: Version) -> Image {
        if self == Self::Otelcol {
            let repository = crate::Distribution::Contrib.image_at(version);
            return Image { repository, tag: version.to_string() };
        }
        let images = stored(self).map_or(&[][..], |product| &product.images);
        let row = images
            .iter()
            .find(|row| VersionRange::from_text(row.since.as_deref(), row.until.as_deref()).contains(version));
        match row.or(images.last()) {
            Some(row) => Image { repository: &row.repository, tag: row.tag.replace("{version}", &version.to_string()) },
            None => Image { repository: self.id(), tag: version.to_string() },
        }
    }

    /// What it asks of the API of its cluster at a version.
    pub fn cluster_needs(self, version: Version) -> impl Iterator<Item = &'static crate::otelcol::Need> {
        stored(self).into_iter().flat_map(|it| &it.cluster).filter(move |need| need.holds(version))
    }

    /// What it answers on at a version.
    pub fn endpoints(self, version: Version) -> Vec<Endpoint> {
        let endpoints = stored(self).map_or(&[][..], |product| &product.endpoints);
        let here = |row: &&StoredEndpoint| {
            VersionRange::from_text(row.since.as_deref(), row.until.as_deref()).contains(version)
        };
        let typed = |row: &'static StoredEndpoint| Endpoint {
            name: &row.name,
            port: row.port,
            better_port: row.better_port,
            path: row.path.as_deref(),
            probe: row.probe.as_deref(),
            protocol: &row.protocol,
            signals: row.signals.iter().filter_map(|signal| Signal::parse(signal)).collect(),
            needs: row.needs.as_ref().map(|need| match need {
                StoredNeed::Flag(flag) => Need::Flag(flag),
                StoredNeed::Feature(feature) => Need::Feature(feature),
                StoredNeed::Setting(setting) => Need::Setting(setting),
                StoredNeed::Env(name) => Need::Env(name),
            }),
            default_bind: row.bind.as_deref().unwrap_or(match self {
                Self::Otelcol => crate::otelcol::default_host(version),
                _ => "0.0.0.0",
            }),
            by_default: row.by_default,
            base: row.base.as_deref(),
        };
        endpoints.iter().filter(here).map(typed).collect()
    }

    /// The endpoint of that name at a version.
    pub fn endpoint(self, version: Version, name: &str) -> Option<Endpoint> {
        self.endpoints(version).into_iter().find(|endpoint| endpoint.name == name)
    }

    /// Where its configuration speaks of the ring that its processes form, if they do.
    pub fn ring(self) -> Option<&'static Ring> {
        stored(self)?.ring.as_ref()
    }

    /// The types of Grafana's data sources whose queries it answers, the usual one first.
    pub fn data_sources(self) -> &'static [String] {
        stored(self).map_or(&[], |product| &product.data_sources)
    }

    /// What it does not take, in words: for messages about a wrong target.
    pub fn rejects(self) -> Vec<&'static str> {
        stored(self).map_or_else(Vec::new, |p| p.rejects.iter().map(String::as_str).collect())
    }

    /// Rules of its configuration at a version, in words.
    pub fn constraints(self, version: Version) -> Vec<&'static str> {
        let rules = stored(self).map_or(&[][..], |product| &product.constraints);
        let here = rules.iter().filter(|(range, _)| range.contains(version));
        here.map(|(_, text)| text.as_str()).collect()
    }

    /// True when that command line flag is known at a version. Leading dashes do not matter. Only
    /// Prometheus's flags are in the catalog; for other products every flag counts as unknown.
    pub fn flag(self, version: Version, name: &str) -> bool {
        let name = name.trim_start_matches('-');
        options::flag(self, version, name) || stored(self).is_some_and(|it| it.flags.iter().any(|it| it == name))
    }

    /// Command line flags known at a version, without dashes.
    pub fn flags(self, version: Version) -> Vec<&'static str> {
        let shared = stored(self).map_or(&[][..], |product| &product.flags).iter().map(String::as_str);
        options::flags(self, version).chain(shared).collect()
    }

    /// What a command line flag of Loki, Tempo or Mimir, without dashes, sets in place of the configuration file; none
    /// where it sets nothing there, or adds to a list. Sources: `RegisterFlags` of each, and of dskit `server`.
    pub fn setting_flag(self, name: &str) -> Option<SettingFlag> {
        let server = &stored(self)?.server;
        let known = server.flags.get(name).map(String::as_str).or_else(|| options::set_by_flag(self, name));
        known
            .map(SettingFlag::Sets)
            .or_else(|| server.others.iter().any(|it| name.starts_with(it)).then_some(SettingFlag::Unknown))
    }

    /// The versions in which a command line flag exists, whichever.
    pub fn flag_ranges(self, name: &str) -> Vec<VersionRange> {
        options::ranges(self, &format!("--{}", name.trim_start_matches('-')))
    }

    /// What a command line flag that is gone, without dashes, is called at a version (Prometheus).
    pub fn flag_instead(self, version: Version, name: &str) -> Option<&'static str> {
        options::flag_instead(self, version, name)
    }

    /// True when a command line flag may be given more than once at a version: each adds to a list.
    pub fn flag_adds_up(self, version: Version, name: &str) -> bool {
        options::flag_type(self, version, name.trim_start_matches('-')).is_some_and(|ty| ty.starts_with("list"))
    }

    /// True when that word of `--enable-feature` has an effect at a version (Prometheus).
    pub fn feature(self, version: Version, name: &str) -> bool {
        options::feature(self, version, name)
    }

    /// A setting of its configuration file at a version (Loki, Tempo, Prometheus); `None` when there
    /// is none of that path then. Dotted path; `[]` or a number steps into a list.
    pub fn option(self, version: Version, path: &str) -> Option<OptionFact> {
        options::option(self, version, path)
    }

    /// True when the catalog knows every setting of its configuration file at a version.
    pub fn knows_settings(self, version: Version) -> bool {
        let range = stored(self).and_then(|it| it.settings);
        options::lines(self).is_some() && self.knows(version) && range.is_none_or(|range| range.contains(version))
    }

    /// The versions in which a setting of its configuration file exists, whichever.
    pub fn option_ranges(self, path: &str) -> Vec<VersionRange> {
        options::ranges(self, path)
    }
}
