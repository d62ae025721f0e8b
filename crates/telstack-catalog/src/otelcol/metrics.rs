//! Names of metrics: the collector's own (`data/otelcol/own_metrics.json`) and those of receivers
//! (`data/otelcol/receiver_metrics.json`), and what Prometheus calls them.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use super::component::Component;
use crate::version::VersionRange;

/// What kind of metric it is, as far as its name goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// A value of now.
    Gauge,
    /// A sum that goes down as well.
    Level,
    /// Buckets, with their sum and count.
    Histogram,
}

/// A metric as its producer names it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name, which may hold dots.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Its unit in the words of UCUM; empty where it has none.
    #[serde(default)]
    pub unit: String,
    /// The releases that have it.
    #[serde(default)]
    pub range: VersionRange,
    /// What took its place.
    #[serde(default)]
    pub now: Option<String>,
}

/// How Prometheus writes units.
const UNITS: [(&str, &str); 6] = [
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("Hz", "hertz"),
    ("%", "percent"),
];
/// A unit that says that there is none.
const ONE: &str = "1";

impl Metric {
    /// A metric that is in no table.
    pub fn new(name: impl Into<String>, kind: MetricKind, unit: &str) -> Self {
        Self { name: name.into(), kind, unit: unit.to_owned(), range: VersionRange::default(), now: None }
    }

    /// Its series in Prometheus, where nothing is put behind its name.
    pub fn plain(&self, prefix: &str) -> Vec<String> {
        self.series(format!("{prefix}{}", underscored(&self.name)))
    }

    /// Its series in Prometheus, with the unit and `_total` behind its name.
    pub fn suffixed(&self, prefix: &str) -> Vec<String> {
        let mut words: Vec<String> = underscored(&self.name).split('_').map(str::to_owned).collect();
        if let Some((_, unit)) = UNITS.iter().find(|(unit, _)| *unit == self.unit)
            && words.iter().all(|word| word != unit)
        {
            words.push((*unit).to_owned());
        }
        let last = match self.kind {
            MetricKind::Counter => Some("total"),
            MetricKind::Gauge if self.unit == ONE => Some("ratio"),
            _ => None,
        };
        if let Some(last) = last {
            words.retain(|word| word != last);
            words.push(last.to_owned());
        }
        self.series(format!("{prefix}{}", words.join("_")))
    }

    fn series(&self, name: String) -> Vec<String> {
        match self.kind {
            MetricKind::Histogram => ["bucket", "sum", "count"].map(|part| format!("{name}_{part}")).to_vec(),
            _ => vec![name],
        }
    }
}

fn underscored(name: &str) -> String {
    name.replace('.', "_")
}

#[derive(Deserialize)]
struct Own {
    also_by: Vec<String>,
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct OfReceivers {
    receivers: BTreeMap<String, Vec<Metric>>,
    tempo_spans: Vec<Metric>,
}

fn of_receivers() -> &'static OfReceivers {
    static TABLE: OnceLock<OfReceivers> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/receiver_metrics.json");
        serde_json::from_str(text).expect("receiver_metrics.json is embedded and read by the tests")
    })
}

fn own() -> &'static Own {
    static TABLE: OnceLock<Own> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/own_metrics.json");
        serde_json::from_str(text).expect("own_metrics.json is embedded and read by the tests")
    })
}

/// The collector's own metrics of all releases since 0.105.0. In Prometheus their names start with `otelcol_`.
pub fn own_metrics() -> &'static [Metric] {
    &own().metrics
}

/// What Tempo's generator calls metrics about spans.
pub fn tempo_span_metrics() -> &'static [Metric] {
    &of_receivers().tempo_spans
}

/// Is that an image of something that may be a collector, or names its metrics alike?
pub fn named_like_us(image: &str) -> bool {
    own().also_by.iter().any(|word| image.contains(word.as_str()))
}

impl Component {
    /// The metrics that it makes, where they are known.
    pub fn metrics(self) -> &'static [Metric] {
        of_receivers().receivers.get(&self.record.key).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otelcol::{component, components};
    use crate::signal::ComponentKind;

    fn own_named(name: &str) -> &'static Metric {
        own_metrics().iter().find(|it| it.name == name).expect("known")
    }

    #[test]
    fn names_as_prometheus_has_them() {
        let both = |it: &Metric| (it.plain("otelcol_").remove(0), it.suffixed("otelcol_").remove(0));
        let pair = |plain: &str, suffixed: &str| (plain.to_owned(), suffixed.to_owned());
        let sent = both(own_named("exporter_sent_spans"));
        assert_eq!(sent, pair("otelcol_exporter_sent_spans", "otelcol_exporter_sent_spans_total"));
        let up = both(own_named("process_uptime"));
        assert_eq!(up, pair("otelcol_process_uptime", "otelcol_process_uptime_seconds_total"));
        let cpu = both(own_named("process_cpu_seconds"));
        assert_eq!(cpu, pair("otelcol_process_cpu_seconds", "otelcol_process_cpu_seconds_total"));
        let size = own_named("processor_batch_batch_send_size_bytes").suffixed("otelcol_");
        assert!(size.contains(&"otelcol_processor_batch_batch_send_size_bytes_bucket".to_owned()), "{size:?}");
    }

    #[test]
    fn names_of_receivers() {
        let host = component(ComponentKind::Receiver, "hostmetrics").expect("known").metrics();
        let suffixed = |name: &str| host.iter().find(|it| it.name == name).expect("known").suffixed("").remove(0);
        assert_eq!(suffixed("system.cpu.time"), "system_cpu_time_seconds_total");
        assert_eq!(suffixed("system.memory.usage"), "system_memory_usage_bytes");
        assert_eq!(suffixed("system.cpu.utilization"), "system_cpu_utilization_ratio");
        assert_eq!(suffixed("system.cpu.load_average.1m"), "system_cpu_load_average_1m");
        let known = components(ComponentKind::Receiver).filter(|it| !it.metrics().is_empty()).count();
        assert_eq!(known, 4, "each key of receiver_metrics.json is a receiver's");
    }

    #[test]
    fn what_took_the_place_of_another_is_known() {
        for metric in own_metrics().iter().filter_map(|it| it.now.as_deref()) {
            assert!(own_metrics().iter().any(|it| it.name == metric), "{metric}");
        }
    }
}
