//! What a collector does by itself, by version: where servers bind, how its own metrics are configured, what
//! becomes of `$NAME`. The stages are data (`data/otelcol/behaviour.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use crate::{
    Distribution,
    version::{Version, VersionRange},
};

/// One behaviour over all releases: each release lies in exactly one stage.
#[derive(Deserialize)]
struct Behaviour<T> {
    stages: Vec<(VersionRange, T)>,
}

impl<T: Copy> Behaviour<T> {
    fn at(&self, version: Version) -> T {
        let stage = self.stages.iter().find(|(range, _)| range.contains(version)).or(self.stages.last());
        stage.map(|(_, value)| *value).expect("behaviour.json: a behaviour has stages")
    }
}

impl<T: PartialEq + Copy> Behaviour<T> {
    /// The releases that behave so.
    fn stage(&self, value: T) -> Option<VersionRange> {
        self.stages.iter().find(|(_, other)| *other == value).map(|(range, _)| *range)
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Table {
    servers_bind: Behaviour<&'static str>,
    metrics_address: Behaviour<AddressState>,
    metrics_readers: Behaviour<bool>,
    readers_add_suffixes: Behaviour<bool>,
    metrics_bind: Behaviour<&'static str>,
    metrics_port: Behaviour<u16>,
    metrics_level: Behaviour<&'static str>,
    span_metrics_namespace: Behaviour<&'static str>,
    bare_dollar: Behaviour<BareDollar>,
    images_on_docker_hub: Behaviour<bool>,
    typed_input: Behaviour<bool>,
    default_in_reference: Behaviour<bool>,
    checked_ids: Behaviour<bool>,
    exact_keys: Behaviour<bool>,
    gives_up_for_good: Behaviour<bool>,
    queues_keep_context: Behaviour<bool>,
    checks_unused: BTreeMap<String, Behaviour<bool>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/behaviour.json");
        serde_json::from_str(text).expect("behaviour.json is embedded and read by the tests")
    })
}

/// The host that servers bind by default at a version: `0.0.0.0` until 0.103.1, then `localhost` (feature
/// gate `component.UseLocalHostAsDefaultHost`).
pub fn default_host(version: Version) -> &'static str {
    table().servers_bind.at(version)
}

impl Distribution {
    /// The image to pull at a version, without a tag: that on Docker Hub, except for the releases that were
    /// published on the GitHub registry only.
    pub fn image_at(self, version: Version) -> &'static str {
        if table().images_on_docker_hub.at(version) { self.image() } else { self.ghcr_image() }
    }
}

/// Does a collector refuse a value of another type than its setting takes (since 0.105.0)? Before, `"5"`
/// was a number and `5` a text where such was wanted, and one value a list.
pub fn is_strictly_typed(version: Version) -> bool {
    table().typed_input.at(version)
}

/// Does a collector tell the keys of settings apart by upper and lower case (since 0.71.0)?
pub fn has_exact_keys(version: Version) -> bool {
    table().exact_keys.at(version)
}

/// Does a collector refuse names of components with blanks or symbols in them (since 0.106.0)?
pub fn checks_ids(version: Version) -> bool {
    table().checked_ids.at(version)
}

/// Does an exporter drop a batch of a queue on disk once it was retried long enough (since 0.92.0)? Before, it went
/// back to the end of the queue.
pub fn gives_up_for_good(version: Version) -> bool {
    table().gives_up_for_good.at(version)
}

/// What stands in front of the names of `span_metrics` where `namespace` says nothing, at a version.
pub fn span_metrics_namespace(version: Version) -> &'static str {
    table().span_metrics_namespace.at(version)
}

/// Does a queue on disk keep the context of requests, such as their headers (since 0.131.0)?
pub fn queues_keep_context(version: Version) -> bool {
    table().queues_keep_context.at(version)
}

/// Does a collector check the settings of a component, by its key `processor/batch`, that nothing uses? What it
/// compares only when it builds the component is not looked at then.
pub(super) fn checks_unused(key: &str, version: Version) -> bool {
    table().checks_unused.get(key).is_none_or(|behaviour| behaviour.at(version))
}

/// What a collector makes of `service.telemetry.metrics.address`.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(rename_all = "snake_case")]
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
    let table = table();
    let metrics_address = table.metrics_address.at(version);
    let rejected = table.metrics_address.stage(AddressState::Rejected).and_then(|stage| stage.since);
    TelemetryFacts {
        metrics_address,
        address_removed_in: rejected.filter(|_| metrics_address == AddressState::Rejected),
        readers: table.metrics_readers.at(version),
        readers_add_suffixes: table.readers_add_suffixes.at(version),
        default_bind: table.metrics_bind.at(version),
        default_port: table.metrics_port.at(version),
        default_metrics_level: table.metrics_level.at(version),
    }
}

/// What a collector does with `$NAME` (no braces) in its configuration.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(rename_all = "snake_case")]
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
    /// May a reference say what stands for a variable that is not set, `${env:NAME:-default}` (since
    /// 0.110.0)?
    pub defaults: bool,
}

/// How environment variables are expanded at a version.
pub fn env_expansion(version: Version) -> EnvExpansion {
    let bare_dollar = &table().bare_dollar;
    let bound = |state, end: fn(VersionRange) -> Option<Version>| bare_dollar.stage(state).and_then(end);
    EnvExpansion {
        bare_dollar: bare_dollar.at(version),
        expanded_until: bound(BareDollar::Expanded, |stage| stage.until).unwrap_or(version),
        literal_since: bound(BareDollar::Literal, |stage| stage.since).unwrap_or(version),
        defaults: table().default_in_reference.at(version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_lies_in_one_stage() {
        fn once<T>(name: &str, behaviour: &Behaviour<T>) {
            for release in super::super::releases() {
                let stages = behaviour.stages.iter().filter(|(range, _)| range.contains(release.version));
                assert_eq!(stages.count(), 1, "{name} at {}", release.version);
            }
        }
        let table = table();
        once("servers_bind", &table.servers_bind);
        once("metrics_address", &table.metrics_address);
        once("metrics_readers", &table.metrics_readers);
        once("readers_add_suffixes", &table.readers_add_suffixes);
        once("metrics_bind", &table.metrics_bind);
        once("metrics_port", &table.metrics_port);
        once("metrics_level", &table.metrics_level);
        once("bare_dollar", &table.bare_dollar);
        once("images_on_docker_hub", &table.images_on_docker_hub);
        once("typed_input", &table.typed_input);
        once("default_in_reference", &table.default_in_reference);
        once("checked_ids", &table.checked_ids);
        once("exact_keys", &table.exact_keys);
        once("gives_up_for_good", &table.gives_up_for_good);
        once("queues_keep_context", &table.queues_keep_context);
        for (key, behaviour) in &table.checks_unused {
            assert!(super::super::record::record(key).is_some(), "{key}");
            once(key, behaviour);
        }
    }
}
