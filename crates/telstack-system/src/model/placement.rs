//! Where and how often the stack wants a node to run.

use telstack_catalog::{ComponentKind, host::HostSystem, otelcol};

use super::{ConfigFile, Protocol, WorkloadKind};
use crate::{
    origin::{Origin, Sourced},
    units::Bytes,
};

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
    /// May its pods run on machines that keep others away by a taint?
    pub tolerant: Option<Sourced<bool>>,
    /// How much its volumes hold.
    pub volume: Option<Sourced<Bytes>>,
    /// The storage class of its volumes.
    pub storage_class: Option<Sourced<String>>,
    /// The system of the machine outside of the cluster that it runs on, if it does.
    pub host: Option<Sourced<HostSystem>>,
    /// What says that an operator makes its pods, from a resource that describes it.
    pub operated: Option<Origin>,
    /// What asks for a target allocator, which gives each of its scrape targets to one of its pods.
    pub allocated: Option<Origin>,
}

/// A program of a machine outside of the cluster.
#[derive(Clone, PartialEq, Debug)]
pub struct Machine {
    /// Where it reads its configuration.
    pub config: ConfigFile,
    /// What is started, with its arguments.
    pub command: Vec<Sourced<String>>,
    /// What starts it calls it so.
    pub label: Sourced<String>,
    /// The file that says how it is started, below the output folder.
    pub service: String,
    /// Where it writes what it has to say.
    pub log: Sourced<String>,
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

/// A collector that another cluster of the same stack exposes.
#[derive(Clone, PartialEq, Debug)]
pub struct Remote {
    /// The other cluster.
    pub cluster: String,
    /// The collector there.
    pub node: String,
    /// Where it is there.
    pub namespace: String,
    /// How it is exposed.
    pub exposure: Exposure,
}

impl Remote {
    /// The Secret, in the namespace of who dials it, with what is trusted and shown there; none where no more is
    /// needed than every image trusts.
    pub fn secret(&self) -> Option<String> {
        let known = match self.exposure.encryption() {
            ExposureTls::Off => true,
            ExposureTls::On => self.exposure.issuer.is_some(),
            ExposureTls::Mutual => false,
        };
        (!known).then(|| format!("{}-{}", self.cluster, self.node))
    }
}

impl Exposure {
    /// How the receiver for what comes from outside is called.
    pub const RECEIVER: &str = "exposed";

    /// What is around the door of a node: its Service, its certificate and the Secret of that.
    pub fn secret(node: &str) -> String {
        format!("{node}-{}", Self::RECEIVER)
    }

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

/// The wish that pods talk to those only that the stack joins them with.
#[derive(Clone, Debug)]
pub struct Isolation {
    /// What says so.
    pub origin: Origin,
    /// Does that hold for pods of others in the same namespaces, too?
    pub deny: Option<Origin>,
}

impl Placement {
    /// What puts it into the pods of programs, beside them.
    pub fn sidecar(&self) -> Option<&Origin> {
        self.kind.as_ref().filter(|it| it.value == WorkloadKind::Sidecar).map(|it| &it.origin)
    }

    /// Do only programs beside it reach it, of its machine or of the pod that it is in?
    pub fn is_beside(&self) -> bool {
        self.host.is_some() || self.sidecar().is_some()
    }

    /// What makes it more than one pod, if anything does or may.
    pub fn several(&self) -> Option<Origin> {
        if let Some(kind) = self.kind.as_ref().filter(|it| it.value == WorkloadKind::DaemonSet) {
            return Some(kind.origin.clone());
        }
        let counts = [&self.most_replicas, &self.replicas];
        counts.into_iter().flatten().find(|it| it.value > 1).map(|it| it.origin.clone())
    }
}
