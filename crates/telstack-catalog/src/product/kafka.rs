//! Kafka: what the collector's components send and read by themselves, and how images of brokers are told where to
//! listen (`data/kafka.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use crate::{
    signal::Signal,
    version::{Version, VersionRange},
};

#[derive(Deserialize)]
struct Table {
    topics: BTreeMap<String, String>,
    encoding: String,
    group: String,
    defaults_by_signal: VersionRange,
    encodings: Vec<String>,
    plain: Vec<String>,
    encrypted: Vec<String>,
    brokers: Vec<BrokerImage>,
}

/// How an image of a broker is told where to listen.
#[derive(Deserialize, Debug)]
pub struct BrokerImage {
    images: Vec<String>,
    /// The variable that lists where it listens.
    pub listeners: Option<String>,
    /// The variable that lists where clients are sent.
    pub advertised: Option<String>,
    /// The variable that says which protocol a listener has.
    pub protocols: Option<String>,
    /// The flag that lists where it listens.
    pub listeners_flag: Option<String>,
    /// The flag that lists where clients are sent.
    pub advertised_flag: Option<String>,
    /// Does it listen on the ports that clients are sent to, where nothing else is written?
    #[serde(default)]
    pub listens_where_advertised: bool,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/kafka.json"))
            .expect("kafka.json is embedded and read by the tests")
    })
}

/// The broker in an image, if it is one that is known. A registry in front does not matter.
pub fn broker(repository: &str) -> Option<&'static BrokerImage> {
    let plain = match repository.split_once('/') {
        Some((host, rest)) if host.contains('.') => rest,
        _ => repository,
    };
    table().brokers.iter().find(|it| it.images.iter().any(|image| image == plain))
}

/// The topic of a signal where nothing is written; none for releases of which that is not known.
pub fn topic(signal: Signal, version: Version) -> Option<&'static str> {
    let known = table().defaults_by_signal.contains(version);
    table().topics.get(signal.as_str()).filter(|_| known).map(String::as_str)
}

/// The encoding where nothing is written.
pub fn encoding() -> &'static str {
    &table().encoding
}

/// The group that consumers are in where nothing is written.
pub fn group() -> &'static str {
    &table().group
}

/// Is it an encoding of its own, which no other one reads?
pub fn is_encoding(word: &str) -> bool {
    table().encodings.iter().any(|it| it == word)
}

/// Does a protocol of Kafka encrypt? None for one that is not known.
pub fn encrypts(protocol: &str) -> Option<bool> {
    let one_of = |list: &[String]| list.iter().any(|it| it.eq_ignore_ascii_case(protocol));
    if one_of(&table().encrypted) { Some(true) } else { one_of(&table().plain).then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_and_defaults() {
        assert!(
            broker("docker.io/bitnami/kafka").is_some()
                && broker("docker.redpanda.com/redpandadata/redpanda").is_some()
        );
        assert!(broker("apache/kafka").is_some_and(|it| it.listeners.as_deref() == Some("KAFKA_LISTENERS")));
        assert!(broker("kafka").is_none() && broker("provectuslabs/kafka-ui").is_none());
        assert_eq!(topic(Signal::Traces, Version::new(0, 120, 0)), Some("otlp_spans"));
        assert_eq!(topic(Signal::Logs, Version::new(0, 80, 0)), None);
        assert_eq!(
            [encrypts("SSL"), encrypts("sasl_plaintext"), encrypts("INTERNAL")],
            [Some(true), Some(false), None]
        );
        assert!(is_encoding(encoding()) && !is_encoding("raw") && group() == "otel-collector");
    }
}
