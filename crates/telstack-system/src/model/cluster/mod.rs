//! What a Kubernetes cluster puts between and around its pods.
//!
//! Manifests often leave the namespace to whoever applies them: a namespace of none is the one that all others of
//! none are in too.

mod access;
mod certificate;
mod monitor;
pub mod operator;
mod policy;

use std::collections::BTreeMap;

pub use access::{Binding, Role, RoleRef, RoleRule, ServiceAccount, Subject};
pub use certificate::{Certificate, Issuer, IssuerRef};
pub use monitor::{Monitor, Within};
pub use policy::{IpBlock, NetworkPolicy, Peer, PolicyPort, PolicyRule};
use telstack_catalog::otelcol::Transport;

use crate::{
    model::{container::EnvVar, pod::Pod},
    origin::{Origin, Sourced},
    units::Bytes,
};

/// Labels or annotations: each with its place.
pub type Labels = BTreeMap<String, Sourced<String>>;

/// Everything of a cluster that is not a pod.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Namespaces that are declared, with their labels.
    pub namespaces: Vec<Namespace>,
    /// Services.
    pub services: Vec<Service>,
    /// Network policies.
    pub policies: Vec<NetworkPolicy>,
    /// Service accounts.
    pub accounts: Vec<ServiceAccount>,
    /// Roles and cluster roles.
    pub roles: Vec<Role>,
    /// Their bindings.
    pub bindings: Vec<Binding>,
    /// Claims of volumes, also those that a workload makes for each of its pods.
    pub claims: Vec<Claim>,
    /// Autoscalers.
    pub autoscalers: Vec<Autoscaler>,
    /// Disruption budgets.
    pub budgets: Vec<Budget>,
    /// Who makes certificates out.
    pub issuers: Vec<Issuer>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Ingresses.
    pub ingresses: Vec<Ingress>,
    /// What the Prometheus operator is told to scrape.
    pub monitors: Vec<Monitor>,
    /// What the OpenTelemetry operator tells programs.
    pub instrumentations: Vec<Instrumentation>,
    /// ConfigMaps that keep their names when what they hold changes.
    pub configs: Vec<ConfigMap>,
    /// Kinds of objects that are there and are not read: who knows what they do.
    pub unread: Vec<Sourced<String>>,
    /// May there be more: files that were not understood, templates, resources from elsewhere? Then nothing is known
    /// to be missing.
    pub open: bool,
}

/// A namespace that is declared.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// What declares it.
    pub origin: Origin,
}

/// A Service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// What kind of Service it is.
    pub ty: ServiceType,
    /// Has it no address of its own, so that its name stands for all of its pods?
    pub headless: bool,
    /// The pods that it stands for; none: somebody else says who answers.
    pub selector: Option<Selector>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// May it have more ports than these? An operator makes it.
    pub open_ports: bool,
    /// Ports that it surely does not have all the same.
    pub lacks: Vec<u16>,
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// Does one client always reach the same pod?
    pub sticky: bool,
    /// What declares it.
    pub origin: Origin,
}

/// The kind of a Service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServiceType {
    /// Reached from inside.
    ClusterIp,
    /// Reached on each machine too.
    NodePort,
    /// Reached through a load balancer outside, too.
    LoadBalancer,
    /// Another name for a host elsewhere.
    ExternalName(String),
}

/// A port of a Service.
#[derive(Clone, PartialEq, Debug)]
pub struct ServicePort {
    /// Its name.
    pub name: Option<String>,
    /// The port that others dial.
    pub port: u16,
    /// The port of the pods that this leads to.
    pub target: TargetPort,
    /// TCP or UDP.
    pub transport: Transport,
    /// What it speaks, as it says.
    pub app_protocol: Option<Sourced<String>>,
    /// The port on each machine.
    pub node_port: Option<u16>,
    /// What declares it.
    pub origin: Origin,
}

/// A port by its number or by the name that a container gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetPort {
    /// The number.
    Number(u16),
    /// The name.
    Name(String),
}

impl std::fmt::Display for TargetPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TargetPort::Number(number) => write!(f, "{number}"),
            TargetPort::Name(name) => f.write_str(name),
        }
    }
}

/// What picks objects by their labels. One that asks for nothing picks all of them.
#[derive(Clone, Debug)]
pub struct Selector {
    /// Labels that must be there as they are here.
    pub labels: Labels,
    /// What else must hold.
    pub expressions: Vec<Expression>,
    /// What says so.
    pub origin: Origin,
}

/// A condition on one label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub operator: String,
    /// The values that it is compared with.
    pub values: Vec<String>,
}

impl Selector {
    /// Does it pick an object with these labels?
    pub fn picks(&self, labels: &Labels) -> bool {
        let equal =
            |(key, value): (&String, &Sourced<String>)| labels.get(key).is_some_and(|it| it.value == value.value);
        self.labels.iter().all(equal) && self.expressions.iter().all(|it| it.holds(labels))
    }

    /// Does it ask for nothing?
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }
}

impl Expression {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key).map(|it| &it.value);
        match self.operator.as_str() {
            "In" => value.is_some_and(|it| self.values.contains(it)),
            "NotIn" => value.is_none_or(|it| !self.values.contains(it)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

/// A claim of a volume.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name; that of a StatefulSet's template with the workload's behind it: `CLAIM-WORKLOAD`.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// `ReadWriteOnce`, `ReadWriteMany`, …
    pub access_modes: Vec<Sourced<String>>,
    /// The storage class; none is the cluster's own.
    pub storage_class: Option<Sourced<String>>,
    /// How much is asked for.
    pub size: Option<Sourced<Bytes>>,
    /// The StatefulSet that makes one for each of its pods.
    pub template_of: Option<String>,
    /// What declares it.
    pub origin: Origin,
}

/// Something that changes how many pods of a workload run.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// The kind of what it scales.
    pub target_kind: String,
    /// The name of what it scales.
    pub target: String,
    /// Fewest pods; one if nothing is said.
    pub min: Option<Sourced<u64>>,
    /// Most pods; none where it is not known.
    pub max: Option<Sourced<u64>>,
    /// What declares it.
    pub origin: Origin,
}

/// What the OpenTelemetry operator tells programs with an SDK.
#[derive(Clone, Debug)]
pub struct Instrumentation {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// Where telemetry goes.
    pub endpoint: Option<Sourced<String>>,
    /// How traces are handed on.
    pub propagators: Vec<Sourced<String>>,
    /// Which traces are kept, and the share of them.
    pub sampler: Option<(Sourced<String>, Option<Sourced<String>>)>,
    /// Further variables.
    pub env: Vec<EnvVar>,
    /// What declares it.
    pub origin: Origin,
}

/// A ConfigMap that may change under its name.
#[derive(Clone, Debug)]
pub struct ConfigMap {
    /// Its name.
    pub name: String,
    /// Where its files are, as mounts say it (`MountSource::Handed`).
    pub files: String,
    /// What declares it.
    pub origin: Origin,
}

/// A disruption budget.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// Its pods.
    pub selector: Option<Selector>,
    /// What declares it.
    pub origin: Origin,
}

/// An Ingress.
#[derive(Clone, Debug)]
pub struct Ingress {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// Hosts that it answers for.
    pub hosts: Vec<Sourced<String>>,
    /// The Services behind it, with the port of each.
    pub backends: Vec<(Sourced<String>, Option<TargetPort>)>,
    /// Is it encrypted?
    pub tls: bool,
    /// Its annotations.
    pub annotations: Labels,
    /// Which controller serves it, as far as it says.
    pub class: Option<String>,
    /// What declares it.
    pub origin: Origin,
}

/// Are two namespaces the same one? None where only one of them is written.
pub fn same_namespace(one: Option<&str>, other: Option<&str>) -> Option<bool> {
    match (one, other) {
        (None, None) => Some(true),
        (Some(one), Some(other)) => Some(one == other),
        _ => None,
    }
}

impl Cluster {
    /// The Services that surely stand for a pod.
    pub fn services_of<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = &'a Service> {
        self.services.iter().filter(move |it| it.stands_for(pod))
    }

    /// The network policies that surely pick a pod.
    pub fn policies_of<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = &'a NetworkPolicy> {
        self.policies.iter().filter(move |it| pod.is_in(it.namespace.as_deref()) && it.pods.picks(&pod.labels))
    }

    /// Labels of a namespace, as far as it is declared; every namespace has its name as a label.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|it| it.name == name)
    }

    /// The claim behind a volume that a pod mounts (`MountSource::Volume`).
    pub fn claim(&self, pod: &Pod, volume: &str) -> Option<&Claim> {
        self.claims.iter().find(|it| it.name == volume && pod.is_in(it.namespace.as_deref()))
    }

    /// The Service that answers to a host name, as somebody in a namespace dials it.
    pub fn named(&self, host: &str, from: Option<&str>) -> Named {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let parts: Vec<&str> = host.split('.').collect();
        let is_rest = |rest: &[&str]| rest.is_empty() || rest.first() == Some(&"svc");
        let mut found = Vec::new();
        for (at, service) in self.services.iter().enumerate() {
            let namespace = service.namespace.as_deref();
            // What is said of a namespace that nobody wrote: it may be called anything.
            let inside = |space: &str| namespace.is_none_or(|it| it == space);
            let beside = || same_namespace(from, namespace);
            let (fits, pods) = match parts.as_slice() {
                [name] if *name == service.name => (beside(), false),
                [name, space, rest @ ..] if *name == service.name && is_rest(rest) => (Some(inside(space)), false),
                // The name of one pod of a StatefulSet, in front of that of its Service.
                [_, name] if *name == service.name && service.headless => (beside(), true),
                [_, name, space, rest @ ..] if *name == service.name && service.headless && is_rest(rest) => {
                    (Some(inside(space)), true)
                }
                _ => continue,
            };
            if fits != Some(false) {
                found.push((at, pods, fits.is_some()));
            }
        }
        // `a.b` is the Service `a` of the namespace `b` rather than the pod `a` of the Service `b`.
        if found.iter().any(|(_, pods, _)| !pods) {
            found.retain(|(_, pods, _)| !pods);
        }
        match found.as_slice() {
            [] => Named::Nobody,
            [(at, pods, true)] => Named::Service(*at, *pods),
            _ => Named::Unknown,
        }
    }
}

/// Who answers to a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// The Service at that place, and whether the name is that of one of its pods.
    Service(usize, bool),
    /// None of the Services.
    Nobody,
    /// Nobody can tell which, or whether it does.
    Unknown,
}

impl Service {
    /// Does it surely stand for a pod?
    pub fn stands_for(&self, pod: &Pod) -> bool {
        let picks = |it: &Selector| !it.is_empty() && it.picks(&pod.labels);
        pod.is_in(self.namespace.as_deref()) && self.selector.as_ref().is_some_and(picks)
    }

    /// The port that others dial by that number.
    pub fn port(&self, number: u16) -> Option<&ServicePort> {
        let mut found = self.ports.iter().filter(|it| it.port == number);
        found.clone().find(|it| it.transport == Transport::Tcp).or_else(|| found.next())
    }

    /// May somebody outside of the cluster dial it?
    pub fn is_open_to_outside(&self) -> bool {
        matches!(self.ty, ServiceType::NodePort | ServiceType::LoadBalancer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, namespace: Option<&str>, headless: bool) -> Service {
        Service {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            ty: ServiceType::ClusterIp,
            headless,
            selector: None,
            ports: Vec::new(),
            open_ports: false,
            lacks: Vec::new(),
            labels: Labels::new(),
            annotations: Labels::new(),
            sticky: false,
            origin: Origin::builtin("test", "made by hand", &[]),
        }
    }

    #[test]
    fn names_in_a_cluster() {
        let services = vec![
            service("gw", Some("obs"), false),
            service("gw", Some("apps"), false),
            service("db", Some("obs"), true),
        ];
        let cluster = Cluster { services, ..Cluster::default() };
        let named = |host: &str| cluster.named(host, Some("obs"));
        for host in ["gw", "gw.obs", "gw.obs.svc", "gw.obs.svc.cluster.local", "GW.obs.svc.cluster.local."] {
            assert_eq!(named(host), Named::Service(0, false), "{host}");
        }
        assert_eq!(named("gw.apps"), Named::Service(1, false));
        assert_eq!(named("db-0.db"), Named::Service(2, true));
        assert_eq!(named("db-0.db.obs.svc"), Named::Service(2, true));
        for host in ["gw.elsewhere", "gw.obs.example.com", "db-0.gw.obs.svc", "other"] {
            assert_eq!(named(host), Named::Nobody, "{host}");
        }
        // Nobody says where it is asked from.
        assert_eq!(cluster.named("gw", None), Named::Unknown);
        assert_eq!(cluster.named("db", None), Named::Unknown);
    }

    #[test]
    fn a_namespace_that_is_not_written_may_be_any() {
        let cluster = Cluster { services: vec![service("gw", None, false)], ..Cluster::default() };
        assert_eq!(cluster.named("gw", None), Named::Service(0, false));
        assert_eq!(cluster.named("gw.obs.svc", None), Named::Service(0, false));
        assert_eq!((same_namespace(None, Some("a")), same_namespace(Some("a"), Some("b"))), (None, Some(false)));
    }

    #[test]
    fn selectors() {
        let origin = || Origin::builtin("test", "made by hand", &[]);
        let label = |value: &str| Sourced::new(value.to_owned(), origin());
        let labels: Labels = [("app".to_owned(), label("otel")), ("tier".to_owned(), label("edge"))].into();
        let expression = |operator: &str, values: &[&str]| Expression {
            key: "tier".to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(|it| (*it).to_owned()).collect(),
        };
        let picks = |app: &str, expressions: Vec<Expression>| {
            let labels_wanted = [("app".to_owned(), label(app))].into();
            Selector { labels: labels_wanted, expressions, origin: origin() }.picks(&labels)
        };
        assert!(picks("otel", Vec::new()) && !picks("other", Vec::new()));
        assert!(picks("otel", vec![expression("In", &["edge"]), expression("Exists", &[])]));
        for no in [expression("NotIn", &["edge"]), expression("DoesNotExist", &[]), expression("In", &["hub"])] {
            assert!(!picks("otel", vec![no]));
        }
    }
}
