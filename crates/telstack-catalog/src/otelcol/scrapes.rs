//! How Prometheus, and the receiver that embeds it, find what they scrape (`data/otelcol/scrapes.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;
use serde_json::Value;

/// How targets are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Targets {
    /// Pods whose annotations ask for it.
    AnnotatedPods,
    /// The pods of a node of the stack.
    Pods,
    /// What a Service leads to.
    Service,
}

impl Targets {
    const fn id(self) -> &'static str {
        match self {
            Self::AnnotatedPods => "annotated-pods",
            Self::Pods => "pods",
            Self::Service => "service",
        }
    }
}

/// The settings of a job that finds its targets by the API of the cluster.
#[derive(Deserialize, Debug)]
pub struct Finding {
    /// Who is asked.
    pub kubernetes_sd_configs: Value,
    /// Which of them are taken, and where.
    pub relabel_configs: Value,
}

#[derive(Deserialize)]
struct Table {
    jobs: BTreeMap<String, Finding>,
    own_machine: Value,
    own_machine_field: String,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/scrapes.json");
        serde_json::from_str(text).expect("scrapes.json is embedded and read by the tests")
    })
}

/// The word of the stack language for pods whose annotations ask to be scraped.
pub const ANNOTATED_PODS: &str = Targets::AnnotatedPods.id();

/// How targets are found.
///
/// # Panics
///
/// Never: the tests look at each row.
pub fn finding(targets: Targets) -> &'static Finding {
    &table().jobs[targets.id()]
}

/// Of what relabelling keeps the targets of the collector's own machine, and the field selector that does so for pods.
pub fn on_own_machine() -> (&'static Value, &'static str) {
    (&table().own_machine, &table().own_machine_field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_there() {
        for targets in [Targets::AnnotatedPods, Targets::Pods, Targets::Service] {
            let found = finding(targets);
            assert!(found.kubernetes_sd_configs.is_array() && found.relabel_configs.is_array(), "{targets:?}");
        }
        assert!(on_own_machine().0.is_array());
    }
}
