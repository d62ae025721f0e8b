//! The `service` section, defaults of the exporter helpers and names of the collector's own metrics, by version.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use serde_json::Value;

use super::behaviour::{AddressState, telemetry};
use super::component::Component;
use super::settings::{SettingType, SettingsNode};
use super::structs;
use crate::signal::ComponentKind;
use crate::version::{Version, VersionRange};

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

/// From here on `resource` may also be what the declarative configuration has.
const DECLARATIVE_RESOURCE: Version = Version::new(0, 151, 0);
/// From here on readers follow the declarative configuration's schema 0.3.
const READERS: Version = Version::new(0, 120, 0);

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
    // Before the declarative form (0.151.0 to 0.155.0) a resource was a map of texts.
    let text = (version < DECLARATIVE_RESOURCE).then(|| Arc::new(SettingsNode::new(SettingType::String)));
    let resource = SettingsNode { open: true, item: text, ..SettingsNode::new(SettingType::Map) };
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
        ("metrics" | "traces", "level") => words(&["none", "basic", "normal", "detailed"]),
        ("metrics", "address") => SettingsNode {
            deprecated: telemetry(version).metrics_address >= AddressState::Deprecated,
            replaced_by: Some("service.telemetry.metrics.readers".into()),
            ..SettingsNode::new(SettingType::String)
        },
        // zap also takes the names of its panic levels.
        ("logs", "level") => words(&["debug", "info", "warn", "error", "dpanic", "panic", "fatal"]),
        ("metrics", "readers") if version >= READERS => {
            let tree = super::settings::parse(include_str!("../../data/otelcol/readers.json"));
            tree.map_or_else(|| SettingsNode::new(SettingType::Any), |tree| (*tree).clone())
        }
        ("logs" | "traces", "processors") | ("metrics", "views") => {
            let any = Arc::new(SettingsNode::new(SettingType::Any));
            SettingsNode { item: Some(any), ..SettingsNode::new(SettingType::List) }
        }
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
