//! Messages: who writes to which topic, and who reads it.

use std::collections::BTreeSet;

use telstack_catalog::{ComponentKind, Signal, product::kafka};

use super::{Call, dials::message_addresses};
use crate::{
    expansion::is_open,
    graph::{NodeId, System},
    known::Known,
    model::{Collector, Component, ComponentId, Dial, Node, Protocol, Purpose},
    origin::{Origin, Sourced, Value},
    wiring::Wiring,
};

/// A component that writes one signal to a topic, or reads it.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The collector.
    pub node: NodeId,
    /// The exporter or receiver.
    pub component: ComponentId,
    /// The signal.
    pub signal: Signal,
    /// The topic; none where data, a pattern or run time decides.
    pub topic: Option<Sourced<String>>,
    /// How messages are written; none where run time decides.
    pub encoding: Option<Sourced<String>>,
    /// The brokers, by what tells them apart; none where run time decides.
    pub brokers: BTreeSet<String>,
    /// Readers of one group share the messages; none where run time decides. Nothing for writers.
    pub group: Option<String>,
    /// Do all messages of a trace come to the same reader? Nothing for readers.
    pub keyed: Known<bool>,
    /// What makes it: the component.
    pub origin: Origin,
}

impl Channel {
    /// Is it about the same topic of the same brokers?
    pub fn same_topic(&self, other: &Self) -> bool {
        let name = |it: &Self| it.topic.as_ref().map(|it| it.value.clone());
        self.same_brokers(other) && self.topic.is_some() && name(self) == name(other)
    }

    /// Do both speak to the same brokers, as far as that is known?
    pub fn same_brokers(&self, other: &Self) -> bool {
        !self.brokers.is_disjoint(&other.brokers)
    }
}

const SETTINGS: [&str; 2] = ["topic", "encoding"];
/// What decides on the topic when data comes.
const BY_DATA: [&str; 2] = ["topic_from_attribute", "topic_from_metadata_key"];
const TOPICS: &str = "topics";
const GROUP: &str = "group_id";
/// What spreads messages otherwise.
const PARTITIONER: &str = "record_partitioner";
const BY_TRACE: &str = "partition_traces_by_id";

/// Who writes messages, signal by signal.
pub fn producers(system: &System) -> Vec<Channel> {
    channels(system, ComponentKind::Exporter)
}

/// Who reads messages, signal by signal and topic by topic.
pub fn consumers(system: &System) -> Vec<Channel> {
    channels(system, ComponentKind::Receiver)
}

fn channels(system: &System, kind: ComponentKind) -> Vec<Channel> {
    let mut found = Vec::new();
    for (id, node, collector) in system.collectors() {
        let wiring = Wiring::of(collector);
        for component in collector.of_kind(kind).filter(|it| speaks(it)) {
            let mut signals: Vec<Signal> =
                wiring.mentions(component).filter_map(|(at, _)| Some(collector.pipelines.get(at)?.signal)).collect();
            signals.sort_unstable();
            signals.dedup();
            for signal in signals {
                found.extend(channel(system, (id, node), component, signal));
            }
        }
    }
    found
}

fn speaks(component: &Component) -> bool {
    let protocol = component.fact().and_then(telstack_catalog::otelcol::Component::protocol);
    protocol.map(Protocol) == Some(Protocol::KAFKA)
}

fn channel(system: &System, (id, node): (NodeId, &Node), component: &Component, signal: Signal) -> Vec<Channel> {
    let [topic, encoding] = SETTINGS.map(|key| said(component, signal, key));
    let default = |text: &str| {
        let reason = format!("`{text}` is the default for {signal}");
        Sourced::new(text.to_owned(), Origin::fact("links", reason, &[&component.origin]))
    };
    let own_topic = || node.version().and_then(|version| kafka::topic(signal, version)).map(default);
    let by_data = BY_DATA.iter().any(|key| {
        component.setting(key).is_some_and(|it| it.as_str() != Some(""))
            || component.setting(&format!("{signal}.{key}")).is_some()
    });
    let listed = component.setting(&format!("{signal}.{TOPICS}"));
    let topics: Vec<Option<Sourced<String>>> = match (listed.map(|it| it.as_seq()), topic) {
        _ if by_data => vec![None],
        (Some(Some(items)), _) if !items.is_empty() => items.iter().map(literal).collect(),
        (None, Known::Value(value)) => vec![literal(value)],
        (None, Known::Absent) => vec![own_topic()],
        (Some(_), _) | (None, Known::Unknown) => vec![None],
    };
    let encoding = match encoding {
        Known::Value(value) => literal(value),
        Known::Unknown => None,
        Known::Absent => Some(default(kafka::encoding())),
    };
    let group = match component.text(GROUP) {
        Known::Value(text) => Some(text.to_owned()).filter(|it| !is_open(it)),
        Known::Unknown => None,
        Known::Absent => Some(kafka::group().to_owned()),
    };
    let keyed = match component.truth(BY_TRACE) {
        Known::Absent if component.setting(PARTITIONER).is_some() => Known::Unknown,
        Known::Absent => Known::Value(false),
        known => known,
    };
    let brokers = brokers(system, id, component);
    let of = |topic| Channel {
        node: id,
        component: component.id.clone(),
        signal,
        topic,
        encoding: encoding.clone(),
        brokers: brokers.clone(),
        group: group.clone(),
        keyed,
        origin: component.origin.clone(),
    };
    topics.into_iter().map(of).collect()
}

/// A text as it is; none for a pattern, and where run time decides.
fn literal(value: &Value) -> Option<Sourced<String>> {
    let text = value.as_str().filter(|it| !is_open(it) && !it.starts_with('^') && !it.is_empty())?;
    Some(Sourced::new(text.to_owned(), value.mark.clone()))
}

/// What is said of a signal, else of all of them.
fn said<'a>(component: &'a Component, signal: Signal, key: &str) -> Known<&'a Value> {
    let block = component.setting(signal.as_str());
    if block.is_some_and(|it| it.as_str().is_some()) {
        return Known::Unknown;
    }
    let own = component.setting(&format!("{signal}.{key}"));
    own.or_else(|| component.setting(key)).map_or(Known::Absent, Known::Value)
}

/// What tells the brokers apart that a component dials.
fn brokers(system: &System, from: NodeId, component: &Component) -> BTreeSet<String> {
    let purpose = if component.kind == ComponentKind::Exporter { Purpose::Telemetry } else { Purpose::Consume };
    let mine = system.outgoing(from, purpose).into_iter().filter_map(|(edge, to)| {
        let dial = system.edge(edge).dial.as_ref()?;
        (dial.component.as_ref()? == &component.reference()).then_some((dial, to))
    });
    let key = |(dial, to): (&Dial, NodeId)| match system.node(to).external() {
        Some(_) if system.node(to).container.is_none() => format!("{}:{}", dial.host.to_lowercase(), dial.port),
        _ => system.node(to).name.clone(),
    };
    mine.map(key).collect()
}

/// What receivers dial to read messages.
pub(super) fn calls(system: &System, (from, collector): (NodeId, &Collector), out: &mut Vec<Call>) {
    let wiring = Wiring::of(collector);
    let served: Vec<_> = system.outgoing(from, Purpose::Consume);
    for receiver in collector.of_kind(ComponentKind::Receiver).filter(|it| speaks(it)) {
        let is_mine = |dial: &Dial| dial.component.as_ref() == Some(&receiver.reference());
        if served.iter().any(|(edge, _)| system.edge(*edge).dial.as_ref().is_some_and(is_mine)) {
            continue;
        }
        let signals =
            wiring.mentions(receiver).filter_map(|(at, _)| Some(collector.pipelines.get(at)?.signal)).collect();
        if wiring.mentions(receiver).next().is_none() {
            continue;
        }
        for dial in message_addresses(receiver) {
            out.push(Call { purpose: Purpose::Consume, from, dial, signals, pipelines: Vec::new() });
        }
    }
}
