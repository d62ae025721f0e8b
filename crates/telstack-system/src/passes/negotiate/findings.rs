//! What cannot be negotiated, and every way out.

use telstack_catalog::{ComponentKind, Distribution, Signal, SignalSet, Version, otelcol::Presence, product::Product};
use telstack_diagnostics::Diagnostic;

use super::{
    super::codes,
    called,
    doors::{Door, PREFERENCE, Place, doors, is_wanted, product_doors, speaker, speakers},
};
use crate::{
    graph::System,
    model::{Collector, Component, Edge, Node, Protocol, is_declared_in_stacks},
    origin::{Origin, Sourced},
};

pub(super) fn signal_not_accepted(system: &System, receiver: &Node, signal: Signal, at: &Origin) -> Diagnostic {
    let finding = Diagnostic::new(&codes::SIGNAL_NOT_ACCEPTED, format!("`{}` does not take {signal}", receiver.name))
        .at(at.span(), format!("{signal} are sent here"));
    if let Some(collector) = receiver.collector() {
        return not_received(finding, receiver, collector, signal);
    }
    let accepted: SignalSet = doors(receiver).iter().flat_map(|door| door.signals.iter()).collect();
    let takes = if accepted.is_empty() { "no telemetry".to_owned() } else { format!("{accepted} only") };
    let finding = finding.label(receiver.span(), format!("{} takes {takes}", receiver.title()));
    let fitting: Vec<String> = system
        .nodes()
        .filter(|(_, node)| node.collector().is_none())
        .filter(|(_, node)| doors(node).iter().any(|door| door.signals.contains(signal)))
        .map(|(_, node)| format!("`{}`", node.name))
        .collect();
    if fitting.is_empty() {
        let products: Vec<&str> = Product::ALL
            .iter()
            .filter(|product| **product != Product::Otelcol && is_declared_in_stacks(**product))
            .filter(|product| product.endpoints(product.newest()).iter().any(|it| it.signals.contains(signal)))
            .map(|product| product.id())
            .collect();
        finding.help(format!("declare a store that takes {signal} (`{}`) and send them there", products.join("`, `")))
    } else {
        finding.help(format!("send {signal} to {}", fitting.join(" or ")))
    }
}

/// A collector without a receiver for a signal: both ends can be changed.
fn not_received(finding: Diagnostic, receiver: &Node, collector: &Collector, signal: Signal) -> Diagnostic {
    let name = &receiver.name;
    let open = doors(receiver);
    let listens: Vec<String> =
        open.iter().map(|door| format!("{} for {}", door.protocol.title(), door.signals)).collect();
    let listens = if listens.is_empty() { "to no other collector".to_owned() } else { listens.join(", ") };
    let finding = finding.label(receiver.span(), format!("it listens to {}", listens.trim_start_matches("to ")));
    let exporters_of = |component: &&Component| {
        let fact = component.fact().zip(receiver.version());
        fact.is_some_and(|(fact, version)| {
            fact.signals(version).is_some_and(|signals| signals.contains(signal))
                && fact
                    .listens(version)
                    .iter()
                    .any(|it| it.protocol.is_some_and(|it| PREFERENCE.contains(&Protocol(it))))
        })
    };
    let declared = collector.of_kind(ComponentKind::Receiver).find(exporters_of).map(|it| it.id.to_string());
    let finding = match declared {
        Some(id) => finding.help(format!(
            "feed a pipeline of `{name}` with {signal} from its receiver: `pipeline \"{signal}\" {{ from \"{id}\"; … }}`"
        )),
        None => finding.help(format!(
            "give `{name}` a receiver: `receiver \"otlp\"`, and `from \"otlp\"` in its pipeline of {signal}"
        )),
    };
    finding.help(format!("or send {signal} from here straight to where `{name}` would"))
}

/// Each signal has a door, but none takes them all, and an edge is served by one exporter.
pub(super) fn no_single_protocol(
    sender: &Node,
    receiver: &Node,
    signals: SignalSet,
    doors: &[Door],
    edge: &Edge,
) -> Diagnostic {
    let name = &receiver.name;
    let ways: Vec<String> =
        doors.iter().map(|door| format!("{} for {}", door.protocol.title(), door.signals)).collect();
    let at = edge.pipelines.first().map_or(&edge.origin, |pipeline| &pipeline.origin);
    let finding = Diagnostic::new(
        &codes::NO_COMMON_PROTOCOL,
        format!("no protocol takes {signals} from `{}` to `{name}` together", sender.name),
    )
    .at(at.span(), format!("{signals} are sent to it"))
    .label(receiver.span(), format!("it takes {}", ways.join(", ")))
    .note("one collector sends to another node in one way, whatever the signal");
    if receiver.collector().is_some() {
        finding.help(format!(
            "let `{name}` receive all of them by OTLP: `receiver \"otlp\"`, and `from \"otlp\"` in each pipeline"
        ))
    } else {
        finding
            .help(format!("give `{name}` an endpoint that takes {signals}, such as `otlp`"))
            .help("or declare two externals, one for each way")
    }
}

/// The receiver wants to see a certificate, and telstack has none for the sender.
pub(super) fn wants_certificate(sender: &Node, receiver: &Node, door: &Door, edge: &Edge) -> Diagnostic {
    let opened = match &door.place {
        Place::Inside(address) => address.origin.as_ref(),
        Place::Outside(_) => None,
    };
    let at = edge.pipelines.first().map_or(&edge.origin, |pipeline| &pipeline.origin);
    Diagnostic::new(
        &codes::CLIENT_CERTIFICATE,
        format!("`{}` asks its senders for a certificate, and `{}` has none", receiver.name, sender.name),
    )
    .at(at.span(), "sent without a certificate")
    .label(opened.and_then(Origin::span).or(receiver.span()), "`client_ca_file` here asks for one")
    .help(format!(
        "take `client_ca_file` out of the receiver of `{}`: senders then check it, and it checks nobody",
        receiver.name
    ))
    .help("or declare the exporter yourself, with `tls { cert_file …; key_file … }`, and name it behind `to`")
}

pub(super) fn not_available(
    sender: &Node,
    receiver: &Node,
    wanted: &Sourced<Protocol>,
    usable: &[&Door],
) -> Diagnostic {
    let choices = listed(usable.iter().map(|door| door.protocol.title()), "or");
    let name = if wanted.value.0 == "otlp" { "OTLP" } else { wanted.value.title() };
    let finding = Diagnostic::new(
        &codes::PROTOCOL_NOT_AVAILABLE,
        format!("{} and {} cannot speak {name} with each other", sender.title(), called(receiver)),
    )
    .at(wanted.span(), "asked for here")
    .label(
        receiver.version.as_ref().and_then(Sourced::span).or(receiver.span()),
        format!("this is {}", called(receiver)),
    )
    .help(format!("leave `protocol` out: they can use {choices}"));
    // A newer release may accept what is asked for.
    let product = receiver.store().map(crate::model::Store::product).zip(receiver.version());
    let newer = product.and_then(|(product, here)| {
        let accepts = |candidate: &Version| {
            product_doors(receiver, product, *candidate).iter().any(|door| is_wanted(wanted.value, door.protocol))
        };
        let first = product.minors().into_iter().find(|candidate| *candidate > here && accepts(candidate))?;
        Some(newer_release(product, first, name))
    });
    match newer {
        Some(way) => finding.help(format!("or {way}")),
        None => finding,
    }
}

/// `a, b or c`.
fn listed<'a>(words: impl Iterator<Item = &'a str>, last: &str) -> String {
    let words: Vec<&str> = words.collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

/// A release from which a product accepts a protocol, as a way out.
fn newer_release(product: Product, first: Version, protocol: &str) -> String {
    format!(
        "run {product} {}.{} or newer, which accepts {protocol}: `versions {{ {} \"{}\" }}`",
        first.major,
        first.minor,
        product.id(),
        product.newest()
    )
}

/// What the sender speaks, what the receiver accepts, why they do not meet, and every way out.
pub(super) fn no_common_protocol(
    sender: &Node,
    receiver: &Node,
    distribution: Distribution,
    version: Version,
    signal: Signal,
    edge: &Edge,
) -> Diagnostic {
    let accepted = doors(receiver);
    let fitting = accepted.iter().filter(|door| door.signals.contains(signal));
    let accepts = listed(fitting.map(|door| door.protocol.title()), "or");
    let spoken = PREFERENCE.iter().filter(|it| speaker(**it, signal, distribution, version).is_some());
    let spoken = listed(spoken.map(|protocol| protocol.title()), "and");
    let at = edge.pipelines.first().map_or(&edge.origin, |pipeline| &pipeline.origin);
    let mut finding = Diagnostic::new(
        &codes::NO_COMMON_PROTOCOL,
        format!("{} cannot send {signal} to {}: they have no protocol in common", sender.title(), called(receiver)),
    )
    .at(at.span(), format!("{signal} are sent here"))
    .label(
        sender.version.as_ref().and_then(Sourced::span).or(sender.span()),
        format!("{} speaks {} for {signal}", sender.title(), spoken),
    )
    .label(
        receiver.version.as_ref().and_then(Sourced::span).or(receiver.span()),
        format!("{} accepts {accepts} for {signal}", called(receiver)),
    );
    let mut ways = Vec::new();
    if let Some(store) = receiver.store() {
        ways.extend(other_receiver(store.product(), receiver, distribution, version, signal));
    }
    if receiver.collector().is_some() {
        ways.push(format!(
            "or give `{}` a receiver for OTLP: `receiver \"otlp\"`, and `from \"otlp\"` in its pipeline of {signal}",
            receiver.name
        ));
    }
    for door in accepted.iter().filter(|door| door.signals.contains(signal)) {
        for exporter in speakers(door.protocol) {
            match exporter.presence(distribution, version) {
                Presence::Removed { last, removed_in } => {
                    finding = finding.note(format!(
                        "the `{}` exporter left {} in {removed_in}; {last} is the last release that has it",
                        exporter.asked_name(),
                        distribution.binary(),
                    ));
                    ways.push(format!("or run the collector at {last} or older: `versions {{ otelcol \"{last}\" }}`"));
                }
                Presence::NotYet { since } => {
                    ways.push(format!(
                        "or run the collector at {since} or newer: `versions {{ otelcol \"{since}\" }}`"
                    ));
                }
                Presence::Never | Presence::Present => {
                    let others: Vec<String> = exporter
                        .distributions_at(version)
                        .iter()
                        .map(|it| format!("`distribution=\"{it}\"`"))
                        .collect();
                    if !others.is_empty() {
                        ways.push(format!(
                            "or run a distribution that ships the `{}` exporter: {}",
                            exporter.name_at(version),
                            listed(others.iter().map(String::as_str), "or")
                        ));
                    }
                }
            }
        }
    }
    if let Some(first) = ways.first_mut() {
        *first = first.trim_start_matches("or ").to_owned();
    }
    for way in ways {
        finding = finding.help(way);
    }
    finding
}

/// A release of the receiver that accepts something the sender speaks.
fn other_receiver(
    product: Product,
    receiver: &Node,
    distribution: Distribution,
    version: Version,
    signal: Signal,
) -> Option<String> {
    let fits = |candidate: &Version| {
        product_doors(receiver, product, *candidate)
            .iter()
            .find(|door| {
                door.signals.contains(signal) && speaker(door.protocol, signal, distribution, version).is_some()
            })
            .map(|door| door.protocol.title())
    };
    let here = receiver.version()?;
    let newer = product.minors().into_iter().find(|candidate| *candidate > here && fits(candidate).is_some())?;
    Some(newer_release(product, newer, fits(&newer)?))
}
