//! Where and how often the stack wants a node to run.

use super::WorkloadKind;
use crate::origin::Sourced;

/// What the stack says of where and how often a node runs in Kubernetes. What it leaves open, the passes choose.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// The namespace.
    pub namespace: Option<Sourced<String>>,
    /// What makes its pods.
    pub kind: Option<Sourced<WorkloadKind>>,
    /// How many pods there are; of a range, how many at least.
    pub replicas: Option<Sourced<u64>>,
    /// Of a range, how many at most.
    pub most_replicas: Option<Sourced<u64>>,
}
