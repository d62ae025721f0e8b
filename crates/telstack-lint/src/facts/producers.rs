//! What the metrics are called that a stack makes, as far as that is certain.

use std::collections::{BTreeMap, BTreeSet};

use telstack_catalog::{
    ComponentKind, Signal, Version,
    near::Near,
    otelcol::{self, Metric, MetricKind},
    product::Product,
};
use telstack_system::{Collector, Known, Node, Protocol, System, Value};

use super::{Facts, Part};

/// How the names of the collector's own metrics start in Prometheus.
const OWN: &str = "otelcol_";
/// How the names of metrics about spans start: those of Tempo, and those of `span_metrics` as it is.
const OF_SPANS: [&str; 2] = ["traces_spanmetrics_", "traces_span_metrics_"];
/// Before this release names changed in ways that are not written down.
const CERTAIN_SINCE: Version = Version::new(0, 105, 0);
/// More letters are another name.
const SLIP: Near = Near { letter: |_| true, case: true, limit: |_, _| Some(2) };
/// Settings of exporters that change names.
const RENAMES: [&str; 3] = ["namespace", "add_metric_suffixes", "translation_strategy"];

/// Who makes metrics whose names are certain.
pub(crate) struct Producers<'a> {
    own: Vec<Own<'a>>,
    /// Names of metrics about spans; none where they are not certain.
    spans: Option<BTreeSet<String>>,
    /// Names of metrics of receivers that lack their unit, with those that Prometheus has.
    bare: BTreeMap<String, String>,
}

/// A collector's own metrics.
struct Own<'a> {
    node: &'a Node,
    version: Version,
    form: Form,
}

/// What is put behind names.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Suffixed,
    /// Either, or some of each.
    Any,
}

/// Is a metric produced?
pub(crate) enum Verdict<'a> {
    /// It is, or nobody knows.
    Maybe,
    /// It is not.
    NotProduced {
        /// What it is called, or what took its place.
        instead: Vec<String>,
        /// Whose release decides, and how.
        because: Option<(&'a Node, String)>,
    },
}

impl<'a> Producers<'a> {
    /// None where something may make such metrics that is not known.
    pub(crate) fn of(system: &'a System, facts: &Facts<'a>) -> Option<Self> {
        if !system.complete {
            return None;
        }
        let mut own = Vec::new();
        for (_, node) in system.nodes() {
            let image = node.container.as_ref().map(|it| it.image.value.repository.as_str());
            if let Some(collector) = node.collector() {
                let version = node.version().filter(|it| *it >= CERTAIN_SINCE && !collector.gaps.distribution)?;
                own.push(Own { node, version, form: form(collector, version) });
            } else if node.product() == Some(Product::Jaeger) || image.is_some_and(otelcol::named_like_us) {
                return None;
            }
        }
        // A collector that scrapes may put suffixes to what it has scraped.
        let scrapes = |part: &&Part<'_>| {
            let exposed = part.usable().is_some_and(|(fact, _)| fact.protocol() == Some(Protocol::EXPOSITION.0));
            part.component.kind == ComponentKind::Receiver && exposed && part.runs()
        };
        if facts.parts.iter().any(|part| scrapes(&part)) {
            for it in &mut own {
                it.form = Form::Any;
            }
        }
        let renamed = facts.parts.iter().any(|part| {
            part.component.kind == ComponentKind::Exporter
                && RENAMES.iter().any(|it| part.component.setting(it).is_some())
        });
        // Prometheus decides on the names of what it is sent as OTLP, by a setting that is not looked at.
        let otlp = facts.parts.iter().any(|part| {
            let carries = part.pipelines().any(|it| it.signal == Signal::Metrics);
            part.component.kind == ComponentKind::Exporter && part.speaks_otlp() && carries
        });
        Some(Self {
            own,
            spans: if renamed { None } else { spans(system, facts, otlp) },
            bare: if renamed || otlp { BTreeMap::new() } else { bare(facts) },
        })
    }

    /// Is that a name of a family that is known?
    pub(crate) fn knows(&self, name: &str) -> bool {
        name.starts_with(OWN) || self.bare.contains_key(name) || OF_SPANS.iter().any(|it| name.starts_with(it))
    }

    /// Is a metric of that name produced?
    pub(crate) fn judge(&self, name: &str) -> Verdict<'a> {
        if name.starts_with(OWN) {
            return self.judge_own(name);
        }
        if let Some(right) = self.bare.get(name) {
            return Verdict::NotProduced { instead: vec![right.clone()], because: None };
        }
        match &self.spans {
            Some(names) if !names.is_empty() && !names.contains(name) => {
                let instead = names.iter().filter(|it| role(it).is_some() && role(it) == role(name)).cloned().collect();
                Verdict::NotProduced { instead, because: None }
            }
            _ => Verdict::Maybe,
        }
    }

    fn judge_own(&self, name: &str) -> Verdict<'a> {
        if self.own.is_empty() {
            return Verdict::Maybe;
        }
        // The metrics that some release calls so, and which of their series it is.
        let named = otelcol::own_metrics().iter().filter_map(|metric| {
            let at = |names: Vec<String>| names.iter().position(|it| it == name);
            let (plain, suffixed) = (at(metric.plain(OWN)), at(metric.suffixed(OWN)));
            Some((metric, plain.is_some(), suffixed.is_some(), plain.or(suffixed)?))
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            return match SLIP.nearest(name, self.produced().iter().map(String::as_str)) {
                Some(near) => Verdict::NotProduced { instead: vec![near.to_owned()], because: None },
                // A component may make metrics of its own.
                None => Verdict::Maybe,
            };
        }
        let mut instead = BTreeSet::new();
        let mut because = None;
        for own in &self.own {
            for (metric, plain, suffixed, series) in &named {
                let there = metric.range.contains(own.version);
                let called = *plain && own.form != Form::Suffixed || *suffixed && own.form != Form::Plain;
                if there && called {
                    return Verdict::Maybe;
                }
                let metric = if there { Some(*metric) } else { metric.now.as_deref().and_then(own_named) };
                let right = metric
                    .filter(|it| it.range.contains(own.version))
                    .and_then(|it| own.names(it).into_iter().nth(*series));
                let calls = |it: &String| format!("`{}` {} calls it `{it}`", own.node.name, own.version);
                let lacks = || format!("`{}` {} has no such metric", own.node.name, own.version);
                because.get_or_insert_with(|| (own.node, right.as_ref().map_or_else(lacks, calls)));
                instead.extend(right);
            }
        }
        Verdict::NotProduced { instead: instead.into_iter().collect(), because }
    }

    /// All own metrics that are surely there.
    fn produced(&self) -> BTreeSet<String> {
        let of = |own: &Own<'_>| {
            let there = otelcol::own_metrics().iter().filter(|it| it.range.contains(own.version));
            there.flat_map(|it| own.names(it)).collect::<Vec<_>>()
        };
        self.own.iter().flat_map(of).collect()
    }
}

impl Own<'_> {
    /// What it calls a metric.
    fn names(&self, metric: &Metric) -> Vec<String> {
        match self.form {
            Form::Suffixed => metric.suffixed(OWN),
            Form::Plain | Form::Any => metric.plain(OWN),
        }
    }
}

fn own_named(name: &str) -> Option<&'static Metric> {
    otelcol::own_metrics().iter().find(|it| it.name == name)
}

/// What a collector's readers put behind the names of its own metrics.
fn form(collector: &Collector, version: Version) -> Form {
    let Some(metrics) = collector.telemetry.get("metrics") else { return Form::Plain };
    let Some(readers) = metrics.at("readers") else {
        return if metrics.as_map().is_some() { Form::Plain } else { Form::Any };
    };
    let forms: Option<Vec<Form>> =
        readers.as_seq().map(|readers| readers.iter().map(|reader| reader_form(reader, version)).collect());
    match forms.as_deref() {
        Some([first, rest @ ..]) if rest.iter().all(|it| it == first) => *first,
        _ => Form::Any,
    }
}

fn reader_form(reader: &Value, version: Version) -> Form {
    let Some(exporter) = reader.at("pull.exporter.prometheus") else { return Form::Any };
    let without = |key: &str| match exporter.at(key) {
        None => Some(!otelcol::telemetry(version).readers_add_suffixes),
        Some(value) => value.as_bool(),
    };
    match (without("without_type_suffix"), without("without_units")) {
        (Some(true), Some(true)) => Form::Plain,
        (Some(false), Some(false)) => Form::Suffixed,
        _ => Form::Any,
    }
}

/// The names of metrics about spans; none where something makes them otherwise than is known.
fn spans(system: &System, facts: &Facts<'_>, otlp: bool) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    if system.nodes().any(|(_, node)| node.product() == Some(Product::Tempo)) {
        names.extend(otelcol::tempo_span_metrics().iter().flat_map(|it| it.plain("")));
    }
    for part in facts.parts.iter().filter(|part| part.is("span_metrics") && part.runs()) {
        let (_, version) = part.usable()?;
        let namespace = match part.component.text("namespace") {
            Known::Value(text) => text,
            Known::Absent => otelcol::span_metrics_namespace(version),
            Known::Unknown => return None,
        };
        let unit = match part.component.text("histogram.unit") {
            Known::Value(text) => text,
            Known::Absent => "ms",
            Known::Unknown => return None,
        };
        // Native histograms have no series for each bucket.
        if part.component.setting("histogram.exponential").is_some() {
            return None;
        }
        let full = |name: &str| if namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") };
        for metric in [
            Metric::new(full("calls"), MetricKind::Counter, ""),
            Metric::new(full("duration"), MetricKind::Histogram, unit),
            Metric::new(full("events"), MetricKind::Counter, ""),
        ] {
            names.extend(metric.suffixed(""));
            names.extend(metric.plain("").into_iter().filter(|_| otlp));
        }
    }
    Some(names)
}

/// What a metric about spans says, whatever it is called.
fn role(name: &str) -> Option<&'static str> {
    const ROLES: [(&str, &str); 7] = [
        ("calls_total", "calls"),
        ("size_total", "size"),
        ("events_total", "events"),
        ("_bucket", "buckets"),
        ("_sum", "sum"),
        ("_count", "count"),
        ("calls", "calls"),
    ];
    ROLES.iter().find(|(end, _)| name.ends_with(end)).map(|(_, role)| *role)
}

/// Metrics of receivers that Prometheus stores with a unit behind their names, by the name without it.
fn bare(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for part in facts.parts.iter().filter(|part| part.component.kind == ComponentKind::Receiver && part.runs()) {
        let Some((fact, version)) = part.usable() else { continue };
        if version < CERTAIN_SINCE {
            continue;
        }
        for metric in fact.metrics() {
            names.extend(metric.plain("").into_iter().zip(metric.suffixed("")).filter(|(plain, right)| plain != right));
        }
    }
    // A name that is right for one metric is not wrong for another.
    let right: BTreeSet<String> = names.values().cloned().collect();
    names.retain(|plain, _| !right.contains(plain));
    names
}
