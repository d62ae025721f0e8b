//! The `service` section, the collector's own telemetry and environment expansion, by version.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use serde_json::Value;

use super::component::Component;
use super::settings::{SettingType, SettingsNode};
use super::structs;
use crate::signal::ComponentKind;
use crate::version::{Version, VersionRange};

/// First release whose servers bind `localhost` by default (feature gate
/// `component.UseLocalHostAsDefaultHost` in beta).
const LOCALHOST_SINCE: Version = Version::new(0, 104, 0);

/// The host that servers bind by default at a version: `0.0.0.0` until 0.103.1, then `localhost`.
pub fn default_host(version: Version) -> &'static str {
    if version < LOCALHOST_SINCE { "0.0.0.0" } else { "localhost" }
}

/// What a collector makes of `service.telemetry.metrics.address`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddressState {
    /// It works (until 0.110.0).
    Accepted,
    /// It works, with a warning (0.111.0 to 0.122.1).
    Deprecated,
    /// It is parsed and has no effect (0.123.0 to 0.127.0).
    Ignored,
    /// It is an unknown key: the collector does not start (since 0.128.0).
    Rejected,
}

/// How the collector's own metrics are configured and served at a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TelemetryFacts {
    /// What becomes of `service.telemetry.metrics.address`.
    pub metrics_address: AddressState,
    /// First release that rejects it, when that is not later than the version.
    pub address_removed_in: Option<Version>,
    /// True when `service.telemetry.metrics.readers` can be relied on: since 0.111.0. The key is known
    /// since 0.82.0 but stood behind a feature gate before.
    pub readers: bool,
    /// True when a Prometheus reader that is written out adds `_total` and units to metric names, unless told
    /// not to (0.119.0 to 0.151.x): names then differ from those of all other releases.
    pub readers_add_suffixes: bool,
    /// Host of the metrics endpoint when nothing is configured: `0.0.0.0` until 0.110.0, then
    /// `localhost`.
    pub default_bind: &'static str,
    /// Port of the metrics endpoint when nothing is configured.
    pub default_port: u16,
    /// `service.telemetry.metrics.level` when not set: `basic` until 0.98.0, then `normal`.
    pub default_metrics_level: &'static str,
}

/// Facts about the collector's own telemetry at a version.
pub fn telemetry(version: Version) -> TelemetryFacts {
    let before = |minor| version < Version::new(0, minor, 0);
    let metrics_address = if before(111) {
        AddressState::Accepted
    } else if before(123) {
        AddressState::Deprecated
    } else if before(128) {
        AddressState::Ignored
    } else {
        AddressState::Rejected
    };
    TelemetryFacts {
        metrics_address,
        address_removed_in: (!before(128)).then_some(Version::new(0, 128, 0)),
        readers: !before(111),
        readers_add_suffixes: !before(119) && before(152),
        default_bind: if before(111) { "0.0.0.0" } else { "localhost" },
        default_port: 8888,
        default_metrics_level: if before(99) { "basic" } else { "normal" },
    }
}

/// What a collector does with `$NAME` (no braces) in its configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BareDollar {
    /// Replaced by the environment variable (until 0.103.1).
    Expanded,
    /// The collector refuses to start (0.104.0 to 0.106.1).
    Error,
    /// Left as it is (since 0.107.0).
    Literal,
}

/// How environment variables are expanded at a version. `${NAME}` and `${env:NAME}` are expanded in
/// every version the catalog knows; `$$` stands for one `$`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnvExpansion {
    /// What becomes of `$NAME` at that version.
    pub bare_dollar: BareDollar,
    /// Last release that expands `$NAME`.
    pub expanded_until: Version,
    /// First release that leaves `$NAME` as it is.
    pub literal_since: Version,
}

/// How environment variables are expanded at a version.
pub fn env_expansion(version: Version) -> EnvExpansion {
    let (expanded_until, literal_since) = (Version::new(0, 103, 1), Version::new(0, 107, 0));
    let bare_dollar = if version <= expanded_until {
        BareDollar::Expanded
    } else if version < literal_since {
        BareDollar::Error
    } else {
        BareDollar::Literal
    };
    EnvExpansion { bare_dollar, expanded_until, literal_since }
}

/// The settings of the `service` section at a version: `extensions`, `pipelines`, `telemetry`. What
/// the collector takes from the OpenTelemetry declarative configuration (readers, processors, views)
/// accepts anything.
pub fn service_settings(version: Version) -> Arc<SettingsNode> {
    static MEMO: OnceLock<Mutex<HashMap<Version, Arc<SettingsNode>>>> = OnceLock::new();
    let memo = MEMO.get_or_init(Mutex::default);
    let mut memo = memo.lock().unwrap_or_else(PoisonError::into_inner);
    let node = memo.entry(version).or_insert_with(|| Arc::new(build_service(version)));
    Arc::clone(node)
}

fn build_service(version: Version) -> SettingsNode {
    let mut service = struct_node("service", version);
    let ids = Arc::new(SettingsNode {
        item: Some(Arc::new(SettingsNode::new(SettingType::String))),
        ..SettingsNode::new(SettingType::List)
    });
    let mut pipeline = struct_node("service.pipelines.*", version);
    for child in pipeline.children.values_mut() {
        *child = Arc::clone(&ids);
    }
    // A pipeline's key is its id: any. `item` holds the shape of each.
    let pipelines = SettingsNode { open: true, item: Some(Arc::new(pipeline)), ..SettingsNode::new(SettingType::Map) };
    let mut telemetry = struct_node("service.telemetry", version);
    for section in ["logs", "metrics", "traces"] {
        let mut node = struct_node(&format!("service.telemetry.{section}"), version);
        if section == "logs" {
            let sampling = Arc::new(struct_node("service.telemetry.logs.sampling", version));
            node.children.insert("sampling".into(), sampling);
        }
        telemetry.children.insert(section.into(), Arc::new(node));
    }
    let resource = SettingsNode { open: true, ..SettingsNode::new(SettingType::Map) };
    telemetry.children.insert("resource".into(), Arc::new(resource));
    service.children.insert("extensions".into(), ids);
    service.children.insert("pipelines".into(), Arc::new(pipelines));
    service.children.insert("telemetry".into(), Arc::new(telemetry));
    service
}

/// The keys of a core struct at a version.
fn struct_node(name: &str, version: Version) -> SettingsNode {
    let keys = structs::table().get(name).into_iter().flatten();
    let now = keys.filter(|(_, ranges)| ranges.iter().any(|range| range.contains(version)));
    let children = now.map(|(key, _)| (key.as_str().into(), Arc::new(service_leaf(name, key, version))));
    SettingsNode { children: children.collect(), ..SettingsNode::new(SettingType::Map) }
}

fn service_leaf(name: &str, key: &str, version: Version) -> SettingsNode {
    let strings = || SettingsNode {
        item: Some(Arc::new(SettingsNode::new(SettingType::String))),
        ..SettingsNode::new(SettingType::List)
    };
    let words = |words: &[&str]| SettingsNode {
        enumeration: words.iter().map(|&word| word.into()).collect(),
        ..SettingsNode::new(SettingType::String)
    };
    match (name.rsplit('.').next().unwrap_or(""), key) {
        ("metrics", "level") => words(&["none", "basic", "normal", "detailed"]),
        ("metrics", "address") => SettingsNode {
            deprecated: telemetry(version).metrics_address >= AddressState::Deprecated,
            replaced_by: Some("service.telemetry.metrics.readers".into()),
            ..SettingsNode::new(SettingType::String)
        },
        ("logs", "level") => SettingsNode::new(SettingType::String),
        ("logs", "encoding") => words(&["console", "json"]),
        ("logs", "development" | "disable_caller" | "disable_stacktrace" | "disable_zap_resource")
        | ("sampling", "enabled") => SettingsNode::new(SettingType::Bool),
        ("sampling", "initial" | "thereafter") => SettingsNode::new(SettingType::Int),
        ("sampling", "tick") => SettingsNode::new(SettingType::Duration),
        ("logs", "output_paths" | "error_output_paths") | ("traces", "propagators") => strings(),
        ("logs", "initial_fields") => SettingsNode { open: true, ..SettingsNode::new(SettingType::Map) },
        _ => SettingsNode::new(SettingType::Any),
    }
}

/// A default of the helpers that most exporters share.
#[derive(Deserialize)]
struct SharedDefault {
    path: String,
    range: VersionRange,
    value: Value,
}

/// The default of a setting every exporter with that helper shares.
pub(super) fn shared_default(component: Component, path: &str, version: Version) -> Option<&'static Value> {
    static DEFAULTS: OnceLock<Vec<SharedDefault>> = OnceLock::new();
    if component.kind() != ComponentKind::Exporter {
        return None;
    }
    let defaults = DEFAULTS.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/otelcol/helper_defaults.json")).unwrap_or_default()
    });
    component.settings(version)?.at(path)?;
    let found = defaults.iter().find(|row| row.path == path && row.range.contains(version))?;
    Some(&found.value)
}

/// Which of the collector's own metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum InternalMetric {
    /// Batches waiting in an exporter's queue.
    QueueSize,
    /// Capacity of an exporter's queue.
    QueueCapacity,
    /// Items an exporter failed to send for good.
    SendFailed(crate::Signal),
    /// Items an exporter sent.
    Sent(crate::Signal),
    /// Items a receiver could not hand on.
    Refused(crate::Signal),
    /// Items a receiver took in.
    Accepted(crate::Signal),
    /// Items that did not fit into an exporter's queue.
    EnqueueFailed(crate::Signal),
    /// Items the memory limiter turned away.
    LimiterRefused(crate::Signal),
    /// Time since the start of the process.
    Uptime,
    /// Memory of the process.
    MemoryRss,
}

/// How the metrics are exposed; it decides suffixes of their names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MetricsEndpoint {
    /// `service.telemetry.metrics.address`, or nothing configured, or a Prometheus reader with both
    /// `without_type_suffix` and `without_units` true. The names are the same in every version.
    Address,
    /// A Prometheus reader under `service.telemetry.metrics.readers` without those options: suffixes
    /// from 0.119.0 to 0.151.0.
    Readers,
}

#[derive(Deserialize)]
struct MetricName {
    range: VersionRange,
    /// Absent: both ways.
    endpoint: Option<String>,
    name: String,
}

/// The name of one of the collector's own metrics, as Prometheus sees it.
pub fn internal_metric(which: InternalMetric, version: Version, endpoint: MetricsEndpoint) -> String {
    static NAMES: OnceLock<BTreeMap<String, Vec<MetricName>>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/otelcol/internal_metrics.json")).unwrap_or_default()
    });
    let (key, signal) = match which {
        InternalMetric::QueueSize => ("queue_size", None),
        InternalMetric::QueueCapacity => ("queue_capacity", None),
        InternalMetric::SendFailed(signal) => ("send_failed", Some(signal)),
        InternalMetric::Sent(signal) => ("sent", Some(signal)),
        InternalMetric::Refused(signal) => ("refused", Some(signal)),
        InternalMetric::Accepted(signal) => ("accepted", Some(signal)),
        InternalMetric::EnqueueFailed(signal) => ("enqueue_failed", Some(signal)),
        InternalMetric::LimiterRefused(signal) => ("limiter_refused", Some(signal)),
        InternalMetric::Uptime => ("uptime", None),
        InternalMetric::MemoryRss => ("memory_rss", None),
    };
    let items = match signal {
        Some(crate::Signal::Traces) => "spans",
        Some(crate::Signal::Metrics) => "metric_points",
        Some(crate::Signal::Logs) => "log_records",
        Some(crate::Signal::Profiles) => "profile_samples",
        None => "",
    };
    let word = match endpoint {
        MetricsEndpoint::Address => "address",
        MetricsEndpoint::Readers => "readers",
    };
    let rows = names.get(key).map_or(&[][..], Vec::as_slice);
    let row = rows
        .iter()
        .find(|row| row.range.contains(version) && row.endpoint.as_deref().is_none_or(|other| other == word));
    row.map_or_else(|| format!("otelcol_{key}"), |row| row.name.replace("{items}", items))
}
