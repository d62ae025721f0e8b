//! What programs with an OpenTelemetry SDK dial, as far as the variables of their containers say.

use telstack_catalog::{Signal, SignalSet, sdk};

use super::{Address, Call};
use crate::{
    expansion::is_open,
    graph::{NodeId, System},
    known::Known,
    model::{Dial, EnvValue, EnvVar, Node, Protocol, Purpose, Tls},
};

/// What programs that nobody else reads send to, by the variables of their containers. The protocol is
/// [`Protocol::OTLP`] where no variable names it: each language has its own default.
pub fn programs(system: &System) -> Vec<Call> {
    let mut calls = Vec::new();
    for (from, node) in system.nodes().filter(|(_, node)| node.external().is_some()) {
        of_program(from, node, &mut calls);
    }
    calls
}

fn of_program(from: NodeId, node: &Node, calls: &mut Vec<Call>) {
    let Some(container) = &node.container else { return };
    let variable = |name: &str| container.env.iter().rev().find(|it| it.name == name);
    let text = |name: &str| variable(name).and_then(literal);
    if text(sdk::off()).is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        return;
    }
    for signal in Signal::ALL.iter().copied() {
        let Some(own) = sdk::of_signal(signal) else { continue };
        let exporters = own.exporters.as_deref().and_then(variable);
        let listed =
            exporters.map(|it| literal(it).is_some_and(|it| it.split(',').any(|it| it.trim() == sdk::exporter())));
        if listed == Some(false) {
            continue;
        }
        let own_endpoint = variable(&own.endpoint);
        let Some(endpoint) = own_endpoint.or_else(|| variable(&sdk::shared().endpoint)) else { continue };
        let protocol = variable(&own.protocol).or_else(|| variable(&sdk::shared().protocol));
        let protocol = protocol.and_then(literal).and_then(sdk::protocol).map_or(Protocol::OTLP, Protocol);
        let Some(mut dial) = dial(endpoint, protocol) else { continue };
        dial.only = own_endpoint.is_some().then_some(signal);
        // A program need not send every signal that it could.
        let surely = own_endpoint.is_some() || listed == Some(true);
        let signals = if surely { SignalSet::of(&[signal]) } else { SignalSet::default() };
        match calls.iter_mut().find(|it| it.from == from && it.dial == dial) {
            Some(call) => call.signals = call.signals.union(signals),
            None => calls.push(Call { purpose: Purpose::Telemetry, from, dial, signals, pipelines: Vec::new() }),
        }
    }
}

/// The value of a variable; none if run time decides it.
fn literal(variable: &EnvVar) -> Option<&str> {
    match &variable.value {
        // `$(NAME)` is Kubernetes' own way to name another variable.
        EnvValue::Literal(text) if !is_open(text) && !text.contains("$(") && !text.is_empty() => Some(text),
        _ => None,
    }
}

fn dial(endpoint: &EnvVar, protocol: Protocol) -> Option<Dial> {
    let address = Address::parse(literal(endpoint)?)?;
    // Which port is meant without one, the protocol decides.
    if address.port.is_none() && protocol != Protocol::OTLP_HTTP {
        return None;
    }
    let tls = match address.scheme.as_str() {
        "http" => Known::Value(Tls::Off),
        "https" => Known::Value(Tls::On),
        _ => Known::Unknown,
    };
    Some(Dial {
        component: None,
        protocol,
        port: address.port_or_default(),
        host: address.host,
        path: address.path,
        only: None,
        tls,
        tenant: None,
        origin: endpoint.origin.clone(),
    })
}
