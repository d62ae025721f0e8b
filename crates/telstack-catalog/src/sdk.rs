//! Variables that tell programs with an OpenTelemetry SDK where telemetry goes (`data/sdk.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use crate::signal::Signal;

/// Variables that say where all signals go, or one of them.
#[derive(Deserialize, Debug)]
pub struct Variables {
    /// Names the variable that holds the address. That for all signals is the start of it, to which programs add
    /// the path of each signal; that for one signal is all of it.
    pub endpoint: String,
    /// Names the variable that holds the protocol. What is spoken without it differs between languages.
    pub protocol: String,
    /// Names the variable that holds the file of the authority that vouches for the other end.
    pub certificate: String,
    /// Names the variable that lists the exporters of a signal.
    #[serde(default)]
    pub exporters: Option<String>,
}

/// Variables that say who a program is, and how it treats traces.
#[derive(Deserialize, Debug)]
pub struct SaidVariables {
    /// Names the variable with the name of the service.
    pub service: String,
    /// Names the variable with what else describes the program: `key=value,…`.
    pub attributes: String,
    /// Names the variable with headers of all requests: `key=value,…`, percent-encoded.
    pub headers: String,
    /// Names the variable that lists how traces are handed on.
    pub propagators: String,
    /// Names the variable that says which traces are kept.
    pub sampler: String,
    /// Names the variable with the number that the sampler takes.
    pub sampler_argument: String,
}

/// What describes a program in a pod: the attribute, the variable that holds it, and the field of the pod.
#[derive(Deserialize, Debug)]
pub struct Identity(pub String, pub String, pub String);

/// How traces are handed on from program to program.
pub const PROPAGATORS: &[&str] = &["tracecontext", "baggage", "b3", "b3multi", "jaeger", "xray", "ottrace", "none"];

/// What decides, where a trace begins, whether it is kept.
pub const SAMPLERS: &[&str] = &[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Those of them that take a share of all traces.
pub fn takes_ratio(sampler: &str) -> bool {
    sampler.ends_with("traceidratio")
}

#[derive(Deserialize)]
struct Table {
    off: String,
    said: SaidVariables,
    identity: Vec<Identity>,
    shared: Variables,
    signals: BTreeMap<String, Variables>,
    protocols: BTreeMap<String, String>,
    exporter: String,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        serde_json::from_str(include_str!("../data/sdk.json")).expect("sdk.json is embedded and read by the tests")
    })
}

/// The variable that, when `true`, switches all off.
pub fn off() -> &'static str {
    &table().off
}

/// The variables that say who a program is.
pub fn said() -> &'static SaidVariables {
    &table().said
}

/// What describes a program in a pod.
pub fn identity() -> &'static [Identity] {
    &table().identity
}

/// The variables for all signals.
pub fn shared() -> &'static Variables {
    &table().shared
}

/// The variables for one signal; none for one that has none.
pub fn of_signal(signal: Signal) -> Option<&'static Variables> {
    table().signals.get(signal.as_str())
}

/// The signal that a variable holds the whole address for.
pub fn signal_of(endpoint: &str) -> Option<Signal> {
    let (signal, _) = table().signals.iter().find(|(_, it)| it.endpoint == endpoint)?;
    Signal::parse(signal)
}

/// The catalog's word for what a protocol variable says.
pub fn protocol(word: &str) -> Option<&'static str> {
    table().protocols.get(word.trim()).map(String::as_str)
}

/// What to write for a protocol, by the catalog's word for it.
pub fn protocol_word(protocol: &str) -> Option<&'static str> {
    // `http/protobuf` is what every language has.
    table().protocols.iter().filter(|(_, it)| *it == protocol).map(|(word, _)| word.as_str()).max()
}

/// What a list of exporters calls OTLP.
pub fn exporter() -> &'static str {
    &table().exporter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_one() {
        for (name, variables) in &table().signals {
            let signal = Signal::parse(name).expect("a signal");
            assert_eq!(signal_of(&variables.endpoint), Some(signal));
            assert!(variables.exporters.is_some());
        }
        assert_eq!(signal_of(&shared().endpoint), None);
        assert_eq!(protocol("http/protobuf"), Some("otlp-http"));
    }
}
