//! What HAProxy takes in its configuration (`data/haproxy.json`).

use std::sync::OnceLock;

use serde::Deserialize;

use crate::version::{Version, VersionRange};

#[derive(Deserialize)]
struct Table {
    sections: Vec<String>,
    proxy: Vec<String>,
    bind: Vec<String>,
    bind_alone: Vec<String>,
    server: Vec<String>,
    server_alone: Vec<String>,
    options: Vec<String>,
    timeouts: Vec<String>,
    balance: Vec<String>,
    keyed_by_client: Vec<String>,
    fills_one: Vec<String>,
    keyed_by_request: Vec<String>,
    modes: Vec<String>,
    rewrites: Vec<String>,
    plain_http2: Vec<VersionRange>,
    http2_over_tls: Vec<VersionRange>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/haproxy.json"))
            .expect("haproxy.json is embedded and read by the tests")
    })
}

/// Where a word stands in a configuration of HAProxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words {
    /// It starts a section.
    Section,
    /// It starts a line of a frontend, backend, listen or defaults section.
    Proxy,
    /// It says something of a `bind` line.
    Bind,
    /// It says something of a `server` line.
    Server,
    /// It follows `option`.
    Option,
    /// It follows `timeout`.
    Timeout,
    /// It follows `balance`.
    Balance,
    /// It follows `mode`.
    Mode,
    /// It follows `http-request`, and requests are another thing behind it.
    Rewrites,
    /// It follows `balance`, and what belongs together reaches the same server by something in the request.
    Keyed,
    /// The same, by who sends.
    KeyedByClient,
    /// It follows `balance`, and one server gets everything while it can take it.
    FillsOne,
}

/// The words that some release of HAProxy knows at a place.
pub fn words(place: Words) -> &'static [String] {
    let table = table();
    match place {
        Words::Section => &table.sections,
        Words::Proxy => &table.proxy,
        Words::Bind => &table.bind,
        Words::Server => &table.server,
        Words::Option => &table.options,
        Words::Timeout => &table.timeouts,
        Words::Balance => &table.balance,
        Words::Mode => &table.modes,
        Words::Rewrites => &table.rewrites,
        Words::Keyed => &table.keyed_by_request,
        Words::KeyedByClient => &table.keyed_by_client,
        Words::FillsOne => &table.fills_one,
    }
}

/// Does some release of HAProxy know a word at a place?
pub fn knows(place: Words, word: &str) -> bool {
    words(place).iter().any(|it| it == word)
}

/// Does a word of a `bind` or `server` line stand alone? Others are followed by what they say.
pub fn stands_alone(place: Words, word: &str) -> bool {
    let alone = if place == Words::Bind { &table().bind_alone } else { &table().server_alone };
    alone.iter().any(|it| it == word)
}

/// Does a frontend that speaks HTTP in plain text take HTTP/2, without being told to?
pub fn takes_plain_http2(version: Version) -> bool {
    table().plain_http2.iter().any(|range| range.contains(version))
}

/// Does a frontend that speaks HTTP over TLS offer HTTP/2, without being told to?
pub fn offers_http2(version: Version) -> bool {
    table().http2_over_tls.iter().any(|range| range.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_releases() {
        assert!(knows(Words::Server, "check") && knows(Words::Server, "proto") && !knows(Words::Server, "chek"));
        assert!(knows(Words::Section, "backend") && knows(Words::Option, "httpchk") && knows(Words::Bind, "alpn"));
        assert!(!offers_http2(Version::new(2, 7, 0)) && offers_http2(Version::new(2, 8, 0)));
        assert!(!takes_plain_http2(Version::new(1, 9, 0)) && takes_plain_http2(Version::new(2, 4, 0)));
    }
}
