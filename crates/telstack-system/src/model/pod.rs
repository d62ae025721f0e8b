//! The pod that a container is in, and what Kubernetes says of the container itself.

use telstack_catalog::otelcol::Transport;

use crate::{
    known::Known,
    model::{
        cluster::{Labels, TargetPort, same_namespace},
        collector::Component,
        container::Container,
    },
    origin::{Origin, Sourced},
    units::Period,
};

/// What makes pods.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WorkloadKind {
    /// So many pods, in any order.
    Deployment,
    /// The same, without rollouts.
    ReplicaSet,
    /// Pods with names and volumes of their own.
    StatefulSet,
    /// A pod on each machine.
    DaemonSet,
    /// A pod that ends.
    Job,
    /// A pod that ends, again and again.
    CronJob,
    /// A pod by itself.
    Pod,
    /// One that is put into pods of others.
    Sidecar,
}

impl WorkloadKind {
    /// As Kubernetes calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::ReplicaSet => "ReplicaSet",
            WorkloadKind::StatefulSet => "StatefulSet",
            WorkloadKind::DaemonSet => "DaemonSet",
            WorkloadKind::Job => "Job",
            WorkloadKind::CronJob => "CronJob",
            WorkloadKind::Pod => "Pod",
            WorkloadKind::Sidecar => "sidecar",
        }
    }
}

impl std::fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A pod, as a workload describes it. Its containers share it.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub struct Pod {
    /// What makes it.
    pub kind: WorkloadKind,
    /// The name of what makes it.
    pub name: String,
    /// Where it is; none is wherever it is applied.
    pub namespace: Option<String>,
    /// Labels of the pods.
    pub labels: Labels,
    /// Annotations of the pods.
    pub annotations: Labels,
    /// Annotations of what makes it.
    pub workload_annotations: Labels,
    /// The account that it asks the API as; none is `default`.
    pub service_account: Option<Sourced<String>>,
    /// Is it in the network of its machine?
    pub host_network: Option<Origin>,
    /// The group that its volumes are given to.
    pub fs_group: Option<Sourced<i64>>,
    /// Groups that its processes are in besides.
    pub groups: Vec<String>,
    /// `RollingUpdate`, `Recreate`, `OnDelete`; none is the default of its kind.
    pub strategy: Option<Sourced<String>>,
    /// How many pods more than wanted run while they are replaced, as written.
    pub max_surge: Option<Sourced<String>>,
    /// The Service that gives the pods of a StatefulSet their names.
    pub service_name: Option<Sourced<String>>,
    /// Volumes that a StatefulSet makes for each of its pods: `CLAIM-WORKLOAD`, as in the names of the claims.
    pub own_volumes: Vec<String>,
    /// Labels of the machines that it may run on.
    pub node_selector: Labels,
    /// May it run on machines that keep others away by a taint, whichever it is?
    pub tolerant: Option<Origin>,
    /// Is there more that decides on which machines it runs?
    pub affinity: bool,
    /// Is it given variables for each Service of its namespace?
    pub links: bool,
    /// Does an operator make it, from a resource that says less? Then it adds what pods need.
    pub operated: bool,
    /// Is it changed after what is written was said (a patch of Kustomize), in ways that are not known? Then nothing
    /// but what it is called is sure.
    pub patched: bool,
    /// What gives each of its scrape targets to one of the pods, if anything does.
    pub targets_shared: Option<Allocator>,
    /// What declares it.
    pub origin: Origin,
}

/// The operator's target allocator, as the resource of a collector describes it.
#[derive(Clone, Debug)]
pub struct Allocator {
    /// The account that it finds targets as; none is one that the operator makes.
    pub account: Option<Sourced<String>>,
    /// How it shares targets out; none is upstream's choice.
    pub strategy: Option<Sourced<String>>,
    /// What asks for it.
    pub origin: Origin,
}

impl Pod {
    /// Does the target allocator look for the targets of a component, and not the component itself?
    pub fn allocates(&self, component: &Component) -> bool {
        self.targets_shared.is_some() && component.is_allocatable()
    }

    /// Is it surely in a namespace?
    pub fn is_in(&self, namespace: Option<&str>) -> bool {
        same_namespace(self.namespace.as_deref(), namespace) == Some(true)
    }

    /// Are both the pods of one workload?
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind, &self.name, &self.namespace) == (other.kind, &other.name, &other.namespace)
    }
}

/// What a probe decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeKind {
    /// Whether the container is started again.
    Liveness,
    /// Whether Services send to it.
    Readiness,
    /// When the other probes begin.
    Startup,
}

impl ProbeKind {
    /// In words: `the liveness probe`.
    pub const fn title(self) -> &'static str {
        match self {
            ProbeKind::Liveness => "the liveness probe",
            ProbeKind::Readiness => "the readiness probe",
            ProbeKind::Startup => "the startup probe",
        }
    }

    /// The key in a manifest.
    pub const fn key(self) -> &'static str {
        match self {
            ProbeKind::Liveness => "livenessProbe",
            ProbeKind::Readiness => "readinessProbe",
            ProbeKind::Startup => "startupProbe",
        }
    }
}

/// How a probe asks.
#[derive(Clone, PartialEq, Debug)]
pub enum ProbeAction {
    /// A request, which succeeds with 2xx and 3xx.
    Http {
        /// The path.
        path: String,
        /// The port of the pod.
        port: Sourced<TargetPort>,
        /// The host; none is the pod.
        host: Option<String>,
        /// With TLS?
        tls: bool,
    },
    /// A connection.
    Tcp {
        /// The port of the pod.
        port: Sourced<TargetPort>,
        /// The host; none is the pod.
        host: Option<String>,
    },
    /// gRPC's own health protocol.
    Grpc {
        /// The port of the pod.
        port: Sourced<TargetPort>,
    },
    /// A command inside of the container, without a shell.
    Exec(Vec<String>),
}

/// A probe of a container.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// What it decides.
    pub kind: ProbeKind,
    /// How it asks.
    pub action: ProbeAction,
    /// How long after the start it is asked first.
    pub initial_delay: Option<Sourced<Period>>,
    /// How long between two.
    pub period: Option<Sourced<Period>>,
    /// How long an answer may take.
    pub timeout: Option<Sourced<Period>>,
    /// How many must fail in a row.
    pub failures: Option<Sourced<u64>>,
    /// What declares it.
    pub origin: Origin,
}

impl Probe {
    /// The port that it asks on; none for a command.
    pub fn port(&self) -> Option<&Sourced<TargetPort>> {
        match &self.action {
            ProbeAction::Http { port, .. } | ProbeAction::Tcp { port, .. } | ProbeAction::Grpc { port } => Some(port),
            ProbeAction::Exec(_) => None,
        }
    }
}

/// A port that a container says it has. It may well have others.
#[derive(Clone, PartialEq, Debug)]
pub struct ContainerPort {
    /// Its name.
    pub name: Option<String>,
    /// Its number.
    pub port: u16,
    /// TCP or UDP.
    pub transport: Transport,
    /// The port of the machine that leads to it.
    pub host_port: Option<Sourced<u16>>,
    /// What declares it.
    pub origin: Origin,
}

/// How many of a container run at once.
#[derive(Clone, PartialEq, Debug)]
pub enum Instances {
    /// So many, and what says so; one where nothing does.
    Count(u64, Option<Origin>),
    /// Up to so many, as something decides at run time.
    UpTo(u64, Origin),
    /// One on each machine.
    EachMachine(Origin),
    /// Nobody knows.
    Unknown,
}

impl Instances {
    /// What makes it more than one, if it is or may be.
    pub fn several(&self) -> Option<&Origin> {
        match self {
            Instances::Count(count, origin) if *count > 1 => origin.as_ref(),
            Instances::UpTo(most, origin) if *most > 1 => Some(origin),
            Instances::EachMachine(origin) => Some(origin),
            _ => None,
        }
    }

    /// In words, behind "runs": `in 3 replicas`, `in up to 10 replicas`, `on every node`.
    pub fn words(&self) -> String {
        match self {
            Instances::Count(1, _) => "once".to_owned(),
            Instances::Count(count, _) => format!("in {count} replicas"),
            Instances::UpTo(most, _) => format!("in up to {most} replicas"),
            Instances::EachMachine(_) => "on every node".to_owned(),
            Instances::Unknown => "in a number of replicas that is not known".to_owned(),
        }
    }
}

impl Container {
    /// May its pod be changed so that what is written of it does not hold: resources, probes, ports, labels?
    pub fn is_patched(&self) -> bool {
        self.pod.as_ref().is_some_and(|pod| pod.patched)
    }

    /// How many of it run at once.
    pub fn instances(&self) -> Instances {
        if let Some(pod) = &self.pod {
            match pod.kind {
                WorkloadKind::DaemonSet => return Instances::EachMachine(pod.origin.clone()),
                // Of pods that others make.
                WorkloadKind::Sidecar => return Instances::Unknown,
                _ => {}
            }
        }
        match (&self.most_replicas, &self.replicas) {
            (Known::Value(most), _) => Instances::UpTo(most.value, most.origin.clone()),
            (Known::Unknown, _) | (Known::Absent, Known::Unknown) => Instances::Unknown,
            (Known::Absent, Known::Absent) => Instances::Count(1, None),
            (Known::Absent, Known::Value(count)) => Instances::Count(count.value, Some(count.origin.clone())),
        }
    }

    /// The number of a port of its pod that is written by number or name; none if it gives no port that name.
    pub fn port_number(&self, port: &TargetPort) -> Option<u16> {
        match port {
            TargetPort::Number(number) => Some(*number),
            TargetPort::Name(name) => self.ports.iter().find(|it| it.name.as_deref() == Some(name)).map(|it| it.port),
        }
    }

    /// What it calls a port of that number.
    pub fn port_name(&self, number: u16) -> Option<&str> {
        self.ports.iter().filter(|it| it.port == number).find_map(|it| it.name.as_deref())
    }

    /// Is it in the same pod as another container, so that both share `localhost`?
    pub fn shares_pod(&self, other: &Self) -> bool {
        self.pod.as_ref().zip(other.pod.as_ref()).is_some_and(|(one, other)| one.is_same(other))
    }
}
