//! What the collector wants of values beyond their types. Source: `data/otelcol/limits.json`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::signal::Signal;
use crate::version::Version;

/// What is wanted of a value that is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Demand {
    /// No item of the list stands twice, in whatever case.
    Unique,
    /// The words that it takes are taken in this case only.
    Exact,
    /// The text is not empty.
    Given,
    /// The list is not empty.
    Some,
    /// A byte size: a number, or a text with a unit such as `MiB`.
    Size,
    /// A URL, as Go takes it for one, of HTTP.
    Url,
    /// A host and a port that a gRPC client dials.
    #[serde(rename = "host_port")]
    HostPort,
    /// It is not given at all, while `when` holds.
    Absent,
}

/// What is wanted of the value at a path.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Dotted path.
    pub path: String,
    components: Vec<String>,
    from: Option<Version>,
    until: Option<Version>,
    /// Only where a pipeline of that signal names the component.
    #[serde(default, deserialize_with = "signal")]
    pub signal: Option<Signal>,
    /// The check ends when this switch is off.
    pub unless_off: Option<String>,
    /// Only while each of these settings is one of the words; its default counts where it is not set.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
    /// The least number, or nanoseconds of a duration.
    pub least: Option<f64>,
    /// The most.
    pub most: Option<f64>,
    /// More than this.
    pub above: Option<f64>,
    #[serde(default)]
    demands: Vec<Demand>,
    /// The collector looks only when it builds the component.
    #[serde(default)]
    pub when_built: bool,
    #[serde(rename = "source")]
    _source: String,
}

impl Limit {
    /// Is that wanted?
    pub fn wants(&self, demand: Demand) -> bool {
        self.demands.contains(&demand)
    }
}

fn signal<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Signal>, D::Error> {
    let word = String::deserialize(from)?;
    Signal::parse(&word).map(Some).ok_or_else(|| serde::de::Error::custom(format!("`{word}` is no signal")))
}

/// Settings of which one at most may be given.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternatives {
    /// Dotted paths.
    pub paths: Vec<String>,
    components: Vec<String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
struct Table {
    limits: Vec<Limit>,
    alternatives: Vec<Alternatives>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/limits.json");
        serde_json::from_str(text).expect("limits.json is embedded and read by the tests")
    })
}

fn covers(components: &[String], key: &str) -> bool {
    components.iter().any(|it| it == key || it.strip_suffix('*').is_some_and(|kind| key.starts_with(kind)))
}

/// The limits of a component, by its key `exporter/otlp_http`, or of `service/telemetry`, at a version.
pub(super) fn limits(key: &str, version: Version) -> impl Iterator<Item = &'static Limit> {
    table().limits.iter().filter(move |limit| {
        covers(&limit.components, key)
            && limit.from.is_none_or(|from| from <= version)
            && limit.until.is_none_or(|until| version <= until)
    })
}

/// The limits of the collector's own telemetry at a version.
pub fn service_limits(version: Version) -> impl Iterator<Item = &'static Limit> {
    limits("service/telemetry", version)
}

/// The settings of a component of which one at most may be given.
pub(super) fn alternatives(key: &str) -> impl Iterator<Item = &'static Alternatives> {
    table().alternatives.iter().filter(move |it| covers(&it.components, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_says_something_and_names_components_that_exist() {
        for limit in &table().limits {
            let says = limit.least.or(limit.most).or(limit.above).is_some();
            assert!(says || !limit.demands.is_empty(), "{}", limit.path);
        }
        let components = table().limits.iter().flat_map(|it| &it.components);
        for key in components.chain(table().alternatives.iter().flat_map(|it| &it.components)) {
            let known = super::super::record::record(key).is_some();
            assert!(known || key.ends_with('*') || key == "service/telemetry", "{key}");
        }
    }
}
