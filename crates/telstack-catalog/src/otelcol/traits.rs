//! What components do to the data that passes (`data/otelcol/traits.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use super::component::{Component, component};
use crate::{
    signal::{ComponentKind, Signal},
    version::{Version, VersionRange},
};

/// Something that a component does, whatever its settings say.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Trait {
    /// A connector that hands on what it takes, as it is.
    PassesOn,
    /// It hands on some of the data, or hands it on here or there.
    Chooses,
    /// A processor that makes deltas cumulative, or the reverse.
    ChangesTemporality,
    /// A processor that makes deltas cumulative.
    MakesCumulative,
    /// An exporter that drops delta metrics.
    RefusesDelta,
    /// A processor that keeps some of the traces.
    Samples,
    /// A processor that decides about a trace when its spans have come together.
    SamplesByTrace,
    /// A connector that makes metrics of spans.
    MeasuresSpans,
    /// A processor that puts data of several requests into one.
    JoinsRequests,
    /// A processor that joins requests only to make larger ones.
    Batches,
    /// An exporter that writes data to the collector's own output.
    Prints,
    /// A receiver that follows files as they grow.
    FollowsFiles,
    /// An extension that sets headers of requests.
    SetsHeaders,
    /// An exporter that spreads data over several servers.
    Balances,
    /// A connector that sends data to pipelines by conditions.
    Routes,
    /// A processor that changes or removes attributes.
    Rewrites,
    /// A processor that takes away attributes that no list of its names.
    KeepsListed,
    /// A connector that makes a series for each value of the attributes that it is told.
    CountsByAttributes,
    /// A processor that finds out what the collector itself runs on.
    DetectsResources,
    /// An exporter that keeps metrics until they are scraped.
    HoldsMetrics,
    /// A processor behind which requests are smaller, or many where there was one.
    BreaksUp,
    /// A processor that sets attributes, by a list of actions.
    SetsAttributes,
    /// It refuses data when memory runs short.
    LimitsMemory,
}

/// How a component comes to make delta metrics.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Delta {
    component: String,
    /// The setting that must hold `word`; always where there is none.
    pub setting: Option<String>,
    /// What the setting must hold.
    pub word: Option<String>,
    /// Is all that it makes delta?
    #[serde(default)]
    pub surely: bool,
}

/// Settings of a block that are for a server only: the component refuses them.
#[derive(Deserialize)]
struct ServerOnly {
    component: String,
    block: String,
    settings: Vec<String>,
}

/// A component that passes over keys that it does not know, instead of refusing them.
#[derive(Deserialize)]
struct ReadsOver {
    component: String,
    /// The blocks at its top in which it refuses them all the same.
    #[serde(default)]
    strict: Vec<String>,
}

/// The attributes of resources that a processor adds.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Adds {
    component: String,
    /// The setting that lists them.
    pub setting: String,
    /// Those that it adds where nothing is written.
    pub default: Vec<String>,
}

#[derive(Deserialize)]
struct Renamed {
    names: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Unbounded {
    attributes: Vec<String>,
    resource: Vec<String>,
}

/// A component that finds out where it runs, by detectors that are listed.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Detects {
    component: String,
    /// The setting that lists the detectors.
    pub setting: String,
    /// Detectors that find something wherever they run: they do not say where that is.
    pub everywhere: Vec<String>,
    /// Attributes of a detector that are others after each start, and that it adds unless told not to.
    pub finds: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Table {
    traits: BTreeMap<Trait, Vec<String>>,
    adds: Vec<Adds>,
    detects: Vec<Detects>,
    delta: Vec<Delta>,
    server_only: Vec<ServerOnly>,
    reads_over: Vec<ReadsOver>,
    routing_keys: BTreeMap<String, Vec<(VersionRange, Vec<String>)>>,
    renamed_attributes: Renamed,
    unbounded: Unbounded,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/traits.json");
        serde_json::from_str(text).expect("traits.json is embedded and read by the tests")
    })
}

fn named(key: &str) -> Option<Component> {
    let (kind, name) = key.split_once('/')?;
    component(ComponentKind::parse(kind)?, name)
}

/// The components that do something, by name.
pub fn with_trait(what: Trait) -> impl Iterator<Item = Component> {
    table().traits.get(&what).into_iter().flatten().filter_map(|key| named(key))
}

/// By what an exporter that spreads data can tell where data of a signal goes at a version. Of logs it goes by
/// the first alone where there is one.
pub fn routing_keys(signal: Signal, version: Version) -> Vec<&'static str> {
    let rows = table().routing_keys.get(signal.as_str()).into_iter().flatten();
    rows.filter(|(range, _)| range.contains(version)).flat_map(|(_, keys)| keys).map(String::as_str).collect()
}

/// What an attribute is called that was once called otherwise, or that many call otherwise.
pub fn renamed_attribute(name: &str) -> Option<&'static str> {
    table().renamed_attributes.names.get(name).map(String::as_str)
}

/// Have the values of an attribute no end, so that a series for each is too many?
pub fn is_unbounded(attribute: &str) -> bool {
    table().unbounded.attributes.iter().any(|it| it == attribute)
}

/// Does an attribute of a resource change with every start of a process or pod?
pub fn churns(attribute: &str) -> bool {
    table().unbounded.resource.iter().any(|it| it == attribute)
}

impl Component {
    /// Does it do that, whatever its settings say?
    pub fn has(self, what: Trait) -> bool {
        table().traits.get(&what).is_some_and(|keys| keys.contains(&self.record.key))
    }

    /// How it comes to make delta metrics, if it can.
    pub fn delta(self) -> Option<&'static Delta> {
        table().delta.iter().find(|row| row.component == self.record.key)
    }

    /// The attributes of resources that it adds, if it does.
    pub fn adds(self) -> Option<&'static Adds> {
        table().adds.iter().find(|row| row.component == self.record.key)
    }

    /// What it finds out about the place where it runs, if it does.
    pub fn detects(self) -> Option<&'static Detects> {
        table().detects.iter().find(|row| row.component == self.record.key)
    }

    /// Does it pass over a key that it does not know, at a dotted path? Other components refuse to start.
    pub fn reads_over(self, path: &str) -> bool {
        let first = path.split(['.', '[']).next().unwrap_or(path);
        let row = table().reads_over.iter().find(|row| row.component == self.record.key);
        row.is_some_and(|row| path == first || row.strict.iter().all(|block| block != first))
    }

    /// Settings that it knows and refuses, because they are for a server: the block they stand in, and their paths
    /// below it.
    pub fn server_only(self) -> Option<(&'static str, &'static [String])> {
        let row = table().server_only.iter().find(|row| row.component == self.record.key)?;
        Some((&row.block, &row.settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_component_by_its_newest_name() {
        let table = table();
        let traits = table.traits.values().flatten();
        let delta = table.delta.iter().map(|row| &row.component);
        let server_only = table.server_only.iter().map(|row| &row.component);
        let adds = table.adds.iter().map(|row| &row.component).chain(table.detects.iter().map(|row| &row.component));
        let reads_over = table.reads_over.iter().map(|row| &row.component);
        for key in traits.chain(delta).chain(server_only).chain(adds).chain(reads_over) {
            let component = named(key).unwrap_or_else(|| panic!("{key} is known"));
            assert_eq!(component.record.key, *key, "its newest name");
        }
        for row in &table.delta {
            assert_eq!(row.setting.is_some(), row.word.is_some(), "{}", row.component);
        }
    }

    #[test]
    fn old_names_have_the_traits_too() {
        let old = component(ComponentKind::Connector, "spanmetrics").expect("known");
        assert!(old.has(Trait::MeasuresSpans) && old.delta().is_some());
        let forward = component(ComponentKind::Connector, "forward").expect("known");
        assert!(forward.has(Trait::PassesOn) && !forward.has(Trait::Chooses) && forward.delta().is_none());
    }

    #[test]
    fn some_pass_over_keys_that_they_do_not_know() {
        let host = component(ComponentKind::Receiver, "hostmetrics").expect("known");
        assert!(host.reads_over("scrape_interval") && !host.reads_over("scrapers.cpu.interval"));
        let otlp = component(ComponentKind::Receiver, "otlp").expect("known");
        assert!(!otlp.reads_over("interval"));
    }

    #[test]
    fn routing_keys_by_release() {
        let at = |signal, version| routing_keys(signal, Version::parse(version).expect("a version"));
        assert_eq!(at(Signal::Logs, "0.150.0"), ["traceID"]);
        assert!(at(Signal::Logs, "0.158.0").contains(&"service"));
        assert!(!at(Signal::Traces, "0.158.0").contains(&"metric"));
    }
}
