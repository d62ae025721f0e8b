//! Where and how often the stack wants a node to run.

use telstack_catalog::{ComponentKind, otelcol};

use super::{Protocol, WorkloadKind};
use crate::origin::{Origin, Sourced};

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
    /// How what is outside of the cluster reaches it, if it does.
    pub exposure: Option<Exposure>,
}

/// How what is outside of a cluster reaches a collector in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Exposure {
    /// The host name that leads to it.
    pub host: Sourced<String>,
    /// Is what is said there encrypted? Where the stack does not say, it is.
    pub tls: Option<Sourced<ExposureTls>>,
    /// The `ClusterIssuer` of cert-manager that certificates come from; none: an authority of its own.
    pub issuer: Option<Sourced<String>>,
    /// The line that exposes it.
    pub origin: Origin,
}

/// How a door to the outside is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExposureTls {
    /// Not at all.
    Off,
    /// It shows a certificate.
    On,
    /// Both sides show one.
    Mutual,
}

impl Exposure {
    /// The port that all dial who come from outside: the one that OTLP over gRPC has everywhere.
    pub fn port() -> Option<u16> {
        let receiver = otelcol::component(ComponentKind::Receiver, "otlp")?;
        receiver.listens(otelcol::newest()).into_iter().find(|it| it.protocol == Some(Protocol::OTLP_GRPC.0))?.port
    }

    /// How it is encrypted.
    pub fn encryption(&self) -> ExposureTls {
        self.tls.as_ref().map_or(ExposureTls::On, |it| it.value)
    }

    /// What says how it is encrypted.
    pub fn encrypted_by(&self) -> &Origin {
        self.tls.as_ref().map_or(&self.origin, |it| &it.origin)
    }
}

impl Placement {
    /// What makes it more than one pod, if anything does or may.
    pub fn several(&self) -> Option<Origin> {
        if let Some(kind) = self.kind.as_ref().filter(|it| it.value == WorkloadKind::DaemonSet) {
            return Some(kind.origin.clone());
        }
        let counts = [&self.most_replicas, &self.replicas];
        counts.into_iter().flatten().find(|it| it.value > 1).map(|it| it.origin.clone())
    }
}
