//! Alerts on the pipeline's own health, in the metric names of each collector's release.

use telstack_catalog::{
    Signal, Version,
    otelcol::{InternalMetric, MetricsEndpoint, internal_metric},
    product::Product,
};
use telstack_diagnostics::Diagnostics;

use super::{Pass, scrape::watched};
use crate::{
    graph::System,
    known::Known,
    model::{AlertRule, Dial, Node, Protocol, Purpose, Tls},
    origin::{Origin, Sourced},
    units::Period,
};

const NAME: &str = "alerts";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "alert on what loses telemetry: full queues, failing sends, refused data, collectors and stores that are down",
    run,
};

/// The name of a collector's own metric as this stack exposes it: the `telemetry` pass keeps every
/// release to the names without suffixes.
pub(super) fn metric(which: InternalMetric, version: Version) -> String {
    internal_metric(which, version, MetricsEndpoint::Address)
}

/// Signals that a collector carries, in the order of its pipelines.
pub(super) fn signals(node: &Node) -> Vec<Signal> {
    let mut found = Vec::new();
    for pipeline in node.collector().iter().flat_map(|collector| &collector.pipelines) {
        if !found.contains(&pipeline.signal) {
            found.push(pipeline.signal);
        }
    }
    found
}

/// What a signal is counted in, for sentences.
pub(super) fn items(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Metrics => "metric points",
        Signal::Logs => "log records",
        Signal::Profiles => "profile samples",
    }
}

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        if system.node(id).store().and_then(|store| store.prometheus()).is_none() {
            continue;
        }
        let scraped = watched(system, id);
        let stores = scraped.iter().filter_map(|target| store_down(system.node(*target), id == *target));
        let collectors = scraped.iter().flat_map(|target| rules(system.node(*target)));
        let rules: Vec<AlertRule> = collectors.chain(stores).collect();
        if let Some(facet) = system.node_mut(id).store_mut().and_then(|store| store.prometheus_mut()) {
            facet.alerts.extend(rules);
        }
    }
    dial_alert_managers(system);
}

/// Where Prometheus and Loki send alerts.
fn dial_alert_managers(system: &mut System) {
    for edge in system.edge_ids() {
        if system.edge(edge).purpose != Purpose::Alert || system.edge(edge).dial.is_some() {
            continue;
        }
        let (from, to) = system.ends(edge);
        let node = system.node(to);
        let Some(listener) =
            node.listeners.iter().find(|it| it.name == "alerts" || it.name == "api").or(node.listeners.first())
        else {
            continue;
        };
        let origin = Origin::fact(NAME, format!("{} takes alerts here", node.title()), &[&node.origin]);
        let dial = Dial {
            component: None,
            protocol: Protocol::HTTP,
            host: node.host_for(system.node(from)),
            port: listener.port,
            path: String::new(),
            only: None,
            tls: Known::Value(Tls::Off),
            tenant: None,
            origin,
        };
        system.edge_mut(edge).dial = Some(dial);
    }
}

/// A store that cannot be scraped. Prometheus itself is left out: while it is down it says nothing.
fn store_down(node: &Node, itself: bool) -> Option<AlertRule> {
    let store = node.store().filter(|_| !itself)?;
    let name = &node.name;
    let what = match store.product() {
        Product::Prometheus => "metrics",
        Product::Loki => "logs",
        _ => "traces",
    };
    let origin = Origin::builtin(NAME, "every store is watched: what it does not take is soon lost", &[&node.origin]);
    Some(AlertRule {
        group: name.clone(),
        name: "StoreDown".to_owned(),
        expr: Sourced::new(format!("up{{job=\"{name}\"}} == 0"), origin.clone()),
        hold: Period::from_secs(120),
        severity: "critical".to_owned(),
        summary: format!("{} ({name}) is down", store.product()),
        description: format!(
            "Prometheus cannot reach its metrics. No {what} are stored or shown until it is back; collectors keep what \
             their queues hold."
        ),
        origin,
    })
}

fn rules(node: &Node) -> Vec<AlertRule> {
    let (Some(_), Some(version)) = (node.collector(), &node.version) else { return Vec::new() };
    let name = &node.name;
    let job = format!("job=\"{name}\"");
    let origin =
        Origin::builtin(NAME, "every collector is watched for what loses telemetry", &[&node.origin, &version.origin]);
    let mut rules = Vec::new();
    let mut add =
        |alert: &str, expr: String, hold: u64, severity: &'static str, summary: String, description: String| {
            rules.push(AlertRule {
                group: name.clone(),
                name: alert.to_owned(),
                expr: Sourced::new(expr, origin.clone()),
                hold: Period::from_secs(hold),
                severity: severity.to_owned(),
                summary,
                description,
                origin: origin.clone(),
            });
        };
    add(
        "CollectorDown",
        format!("up{{{job}}} == 0"),
        120,
        "critical",
        format!("Collector {name} is down"),
        "Prometheus cannot reach its metrics. Senders queue or drop what they have until it is back.".to_owned(),
    );
    let (size, capacity) =
        (metric(InternalMetric::QueueSize, version.value), metric(InternalMetric::QueueCapacity, version.value));
    // Size and capacity carry different labels in some releases: only what both have is compared.
    let by = "max by (job, instance, exporter)";
    add(
        "CollectorQueueNearlyFull",
        format!("{by} ({size}{{{job}}}) / {by} ({capacity}{{{job}}}) > 0.8"),
        300,
        "warning",
        format!("A sending queue of collector {name} is more than 80 % full"),
        "The backend behind exporter {{ $labels.exporter }} takes less than what arrives. A full queue drops data."
            .to_owned(),
    );
    let rate = |which: InternalMetric, by: &str| {
        format!("sum by ({by}) (rate({}{{{job}}}[5m])) > 0", metric(which, version.value))
    };
    for signal in signals(node) {
        let what = items(signal);
        let word = title(signal);
        add(
            &format!("Collector{word}SendFailing"),
            rate(InternalMetric::SendFailed(signal), "job, instance, exporter"),
            300,
            "warning",
            format!("Collector {name} fails to send {what}"),
            format!(
                "Exporter {{{{ $labels.exporter }}}} gives up on {what}: see the collector's log for the reason, and the backend's."
            ),
        );
        add(
            &format!("Collector{word}Dropped"),
            rate(InternalMetric::EnqueueFailed(signal), "job, instance, exporter"),
            60,
            "critical",
            format!("Collector {name} drops {what}"),
            format!("The queue of exporter {{{{ $labels.exporter }}}} is full, so {what} are lost."),
        );
        add(
            &format!("Collector{word}Refused"),
            rate(InternalMetric::Refused(signal), "job, instance, receiver"),
            300,
            "warning",
            format!("Collector {name} refuses {what}"),
            format!(
                "Receiver {{{{ $labels.receiver }}}} turns {what} away, mostly because memory is short. Senders have to retry."
            ),
        );
    }
    rules
}

fn title(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "Traces",
        Signal::Metrics => "Metrics",
        Signal::Logs => "Logs",
        Signal::Profiles => "Profiles",
    }
}
