//! Large stacks, made up.

#![allow(dead_code, reason = "each test and benchmark uses its part")]

use std::fmt::Write as _;

/// How collectors stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Each sends to the stores.
    Star,
    /// Of each ten, nine send to the first, which sends to the stores.
    Tiers,
    /// Each sends to the next, the last to the stores.
    Chain,
}

/// A stack of so many collectors, with stores, Grafana and Alertmanager.
pub fn stack(shape: Shape, collectors: usize) -> String {
    let mut out = String::from(
        "stack \"big\" {\n    platform \"compose\"\n    versions { otelcol \"0.158.0\"; prometheus \"3.14.0\"; loki \
         \"3.7.6\"; grafana \"13.0.1\"; alertmanager \"0.34.0\" }\n",
    );
    for at in 0..collectors {
        let to = match shape {
            Shape::Tiers if at % 10 != 0 => Some(at - at % 10),
            Shape::Chain if at + 1 < collectors => Some(at + 1),
            _ => None,
        };
        let (logs, metrics) = match to {
            Some(next) => (format!("c{next}"), format!("c{next}")),
            None => ("loki".to_owned(), "prometheus".to_owned()),
        };
        let _ = writeln!(
            out,
            "    collector \"c{at}\" {{\n        resources memory=\"1GiB\"\n        receiver \"otlp\"\n        processor \
             \"batch\" {{ timeout \"5s\" }}\n        pipeline \"logs\" {{ from \"otlp\"; to \"{logs}\" }}\n        \
             pipeline \"metrics\" {{ from \"otlp\"; to \"{metrics}\" }}\n        durable queue_size=5000\n    }}"
        );
    }
    out += "    loki \"loki\" { retention \"30d\" }\n    prometheus \"prometheus\" { retention \"30d\" }\n    grafana \
            \"grafana\"\n    alertmanager \"alertmanager\"\n}\n";
    out
}
