//! What the OpenTelemetry operator calls its resources and what it makes of them (`data/operator.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

/// A kind of resource.
#[derive(Deserialize, Debug)]
pub struct Resource {
    /// Its group and version in the API.
    pub api: String,
    /// The kind.
    pub kind: String,
}

/// What it makes of a resource that describes a collector.
#[derive(Deserialize, Debug)]
pub struct Made {
    /// What is behind the name of the resource in the name of the workload, and of the Service that others dial.
    pub suffix: String,
    /// Behind that, in the name of the Service whose name stands for all pods.
    pub headless: String,
    /// Behind that, in the name of the Service that leads to the collector's own metrics.
    pub monitoring: String,
    /// The name of the container.
    pub container: String,
    /// Where the container reads its configuration.
    pub config: String,
    /// Labels by which it finds the pods again, beside [`Made::instance`].
    pub labels: BTreeMap<String, String>,
    /// The label that holds `NAMESPACE.NAME`.
    pub instance: String,
    /// A variable that it gives each container, and the field of the pod in it.
    pub variable: (String, String),
}

/// The target allocator, which it starts beside a collector that asks for it.
#[derive(Deserialize, Debug)]
pub struct Allocator {
    /// What is behind the name of the resource in the names of its account and of what else is its own.
    pub suffix: String,
    /// The receiver whose targets it shares out, and no other.
    pub receiver: String,
    /// The port at which collectors ask it.
    pub port: u16,
    /// Labels of its pods, beside [`Made::instance`].
    pub labels: BTreeMap<String, String>,
    /// How it shares targets out among the pods of a StatefulSet.
    pub strategy: String,
    /// The same among those of a DaemonSet.
    pub strategy_on_machines: String,
    /// What it watches in its own namespace, to know the pods that it shares out among.
    pub resources: Vec<String>,
    /// What it does with that.
    pub verbs: Vec<String>,
}

/// How collectors get into the pods of programs.
#[derive(Deserialize, Debug)]
pub struct Sidecar {
    /// The annotation by which pods, or the namespace of all, ask for one: its name, or `NAMESPACE/NAME`.
    pub annotation: String,
    /// The label of pods that have got one: `NAMESPACE.NAME`.
    pub label: String,
}

#[derive(Deserialize)]
struct Table {
    needs: String,
    collector: Resource,
    instrumentation: Resource,
    made: Made,
    allocator: Allocator,
    sidecar: Sidecar,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        serde_json::from_str(include_str!("../data/operator.json"))
            .expect("operator.json is embedded and read by the tests")
    })
}

/// What must be in a cluster before its resources can be.
pub fn needs() -> &'static str {
    &table().needs
}

/// The resource that describes a collector.
pub fn collector() -> &'static Resource {
    &table().collector
}

/// The resource that says how programs send telemetry.
pub fn instrumentation() -> &'static Resource {
    &table().instrumentation
}

/// What it makes of a collector.
pub fn made() -> &'static Made {
    &table().made
}

/// The target allocator.
pub fn allocator() -> &'static Allocator {
    &table().allocator
}

/// How collectors get into the pods of programs.
pub fn sidecar() -> &'static Sidecar {
    &table().sidecar
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_read() {
        assert_eq!(super::collector().kind, "OpenTelemetryCollector");
        assert!(super::made().config.starts_with('/') && super::made().suffix.starts_with('-'));
        assert!(super::allocator().suffix.starts_with('-') && super::allocator().verbs.len() == 2);
        assert!(super::instrumentation().api.starts_with("opentelemetry.io/") && !super::needs().is_empty());
    }
}
