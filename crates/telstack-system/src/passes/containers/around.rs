//! Kubernetes: what stands around the pods: namespaces, accounts and roles, claims, Services, what scales them.

use std::collections::BTreeMap;

use telstack_catalog::{operator as facts, otelcol::Transport};

use super::{
    super::programs,
    NAME, issuing,
    pods::{HEALTH, chosen, open, picked, resource},
};
use crate::{
    access::{self, Asked},
    graph::System,
    model::{
        Cluster, Container, Exposure, Listener, Mount, MountSource, Node, Pod, Protocol, Selector, Service,
        ServicePort, ServiceType, TargetPort,
        cluster::{
            Autoscaler, Binding, Budget, Claim, Labels, Namespace, Role, RoleRef, RoleRule, ServiceAccount, Subject,
            operator,
        },
    },
    origin::{Origin, Sourced},
    units::Bytes,
};

/// What a volume holds where the stack names no size.
const VOLUME: Bytes = Bytes::from_mib(10 * 1024);
const GIB: u64 = 1 << 30;
/// The share of a volume that may be filled with what is kept, in percent. Source: Prometheus, docs/storage.md ("at
/// most 80-85 % of your allocated Prometheus disk space").
const KEPT_PERCENT: u64 = 80;

/// Makes the Services, accounts, roles and claims of all pods.
pub(super) fn surround(system: &mut System) {
    let mut cluster = Cluster::default();
    for (_, node) in system.nodes() {
        cluster.instrumentations.extend(programs::instrumentation(node));
        let Some((container, pod)) = node.container.as_ref().and_then(|it| Some((it, it.pod.as_deref()?))) else {
            continue;
        };
        namespace(&mut cluster, node);
        if let Some(account) = &pod.service_account {
            permit(&mut cluster, node, pod, account, access::asked_by(node));
        }
        if let Some(account) = pod.targets_shared.as_ref().and_then(|it| it.account.as_ref()) {
            permit(&mut cluster, node, pod, account, access::asked_by_allocator(node));
        }
        claim(&mut cluster, node, container, pod);
        if node.placement.sidecar().is_some() {
            // It is in pods that are not the stack's.
            continue;
        }
        if let Some(operated) = &node.placement.operated {
            let resource = resource(node, operated);
            cluster.services.extend(operator::services(&resource, pod.namespace.as_deref(), &[], false));
            operator::open(&mut cluster, node);
        } else {
            let usual = service(node, container, pod);
            let governing = governing(node, pod, usual.as_ref());
            cluster.services.extend(usual.into_iter().chain(governing));
        }
        cluster.services.extend(exposed(node, container, pod));
        issuing::certify(&mut cluster, node, pod);
        scale(&mut cluster, node, pod);
    }
    issuing::introduce(&mut cluster, system);
    system.cluster = Some(Box::new(cluster));
}

fn namespace(cluster: &mut Cluster, node: &Node) {
    let Some(namespace) = &node.placement.namespace else { return };
    if cluster.namespace(&namespace.value).is_none() {
        let (name, origin) = (namespace.value.clone(), namespace.origin.clone());
        cluster.namespaces.push(Namespace { name, labels: Labels::new(), origin });
    }
}

/// An account, and roles with what is asked for as it and nothing more.
fn permit(cluster: &mut Cluster, node: &Node, pod: &Pod, account: &Sourced<String>, asked: Vec<(Asked, Origin)>) {
    let origin = &account.origin;
    let account =
        ServiceAccount { name: account.value.clone(), namespace: pod.namespace.clone(), origin: origin.clone() };
    // By place: the whole cluster first, then namespaces, its own where nothing names another.
    let mut places: BTreeMap<Option<String>, Vec<RoleRule>> = BTreeMap::new();
    for (mut asked, at) in asked {
        let own = || pod.namespace.clone().unwrap_or_default();
        let named = std::mem::take(&mut asked.namespaces);
        let within: Vec<Option<String>> = match (asked.everywhere, named.is_empty()) {
            (true, _) => vec![None],
            (false, true) => vec![Some(own())],
            (false, false) => named.into_iter().map(Some).collect(),
        };
        for place in within {
            allow(places.entry(place).or_default(), &asked, &at);
        }
    }
    for (namespace, rules) in places {
        let everywhere = namespace.is_none();
        // Cluster roles share one set of names, and so do those of a namespace that is not its own.
        let name = match &pod.namespace {
            Some(own) if namespace.as_ref() != Some(own) => format!("{own}-{}", account.name),
            _ => account.name.clone(),
        };
        let namespace = namespace.filter(|it| !it.is_empty());
        let role = Role {
            name: name.clone(),
            namespace: namespace.clone(),
            cluster: everywhere,
            rules,
            aggregated: false,
            origin: Origin::derived(NAME, "what its components ask of the API, and nothing more", &[&node.origin]),
        };
        let subject = Subject {
            kind: "ServiceAccount".to_owned(),
            name: account.name.clone(),
            namespace: pod.namespace.clone(),
            origin: origin.clone(),
        };
        cluster.bindings.push(Binding {
            name: name.clone(),
            namespace,
            cluster: everywhere,
            role: Sourced::new(RoleRef { cluster: everywhere, name }, role.origin.clone()),
            subjects: vec![subject],
            origin: Origin::derived(NAME, "gives the role to its account", &[&node.origin]),
        });
        cluster.roles.push(role);
    }
    cluster.accounts.push(account);
}

/// Adds what is asked for, beside what is done likewise with others of the group.
fn allow(rules: &mut Vec<RoleRule>, asked: &Asked, at: &Origin) {
    let Asked { group, mut resources, any, verbs, .. } = asked.clone();
    if any {
        resources.truncate(1);
    }
    let group = group.unwrap_or_default();
    if let Some(rule) = rules.iter_mut().find(|it| it.groups == [group.clone()] && it.verbs == verbs) {
        for resource in resources {
            if !rule.resources.contains(&resource) {
                rule.resources.push(resource);
            }
        }
        return;
    }
    let origin = Origin::fact(NAME, "asked for by this component", &[at]);
    rules.push(RoleRule { groups: vec![group], resources, names: Vec::new(), urls: Vec::new(), verbs, origin });
}

/// What decides how many pods there are, and that they do not all go at once.
fn scale(cluster: &mut Cluster, node: &Node, pod: &Pod) {
    let (least, most) = (&node.placement.replicas, &node.placement.most_replicas);
    if let Some(most) = most {
        // The operator scales the resource, and that its pods.
        let kind = if pod.operated { &facts::collector().kind } else { pod.kind.as_str() };
        cluster.autoscalers.push(Autoscaler {
            name: pod.name.clone(),
            namespace: pod.namespace.clone(),
            target_kind: kind.to_owned(),
            target: node.name.clone(),
            min: least.clone(),
            max: Some(most.clone()),
            origin: Origin::derived(NAME, "a range of replicas: as many as are busy", &[&most.origin]),
        });
    }
    // The operator makes one for each collector.
    if let Some(several) = least.as_ref().filter(|it| it.value > 1 && !pod.operated) {
        let reason = "while nodes are drained, all but one of them stay";
        let origin = Origin::derived(NAME, reason, &[&several.origin]);
        let selector = Selector { labels: chosen(node), expressions: Vec::new(), origin: origin.clone() };
        let (name, namespace) = (node.name.clone(), pod.namespace.clone());
        cluster.budgets.push(Budget { name, namespace, selector: Some(selector), origin });
    }
}

/// Claims for what outlives the pods.
fn claim(cluster: &mut Cluster, node: &Node, container: &Container, pod: &Pod) {
    for mount in &container.mounts {
        let MountSource::Volume(name) = &mount.source else { continue };
        let once = Origin::builtin(NAME, "one pod at a time writes to it", &[&mount.origin]);
        cluster.claims.push(Claim {
            name: name.clone(),
            namespace: pod.namespace.clone(),
            access_modes: vec![Sourced::new("ReadWriteOnce".to_owned(), once)],
            storage_class: node.placement.storage_class.clone(),
            size: Some(size(node, mount)),
            template_of: pod.own_volumes.contains(name).then(|| pod.name.clone()),
            origin: mount.origin.clone(),
        });
    }
}

/// How much a volume holds: what the stack says, else what it is to keep and a bit more.
fn size(node: &Node, mount: &Mount) -> Sourced<Bytes> {
    if let Some(written) = &node.placement.volume {
        return written.clone();
    }
    if let Some(kept) = node.store().and_then(|store| store.size.as_ref()) {
        let least = kept.value.bytes() / KEPT_PERCENT * 100;
        let whole = Bytes::from_mib(least.div_ceil(GIB) * 1024);
        let reason = format!("what is kept at most is {KEPT_PERCENT} % of it: the rest is for what is being written");
        return Sourced::new(whole, Origin::derived(NAME, reason, &[&kept.origin, &mount.origin]));
    }
    Sourced::new(VOLUME, Origin::builtin(NAME, "the stack names no size", &[&mount.origin]))
}

/// The Service that gives each pod of a StatefulSet its name; it has no address of its own.
fn governing(node: &Node, pod: &Pod, usual: Option<&Service>) -> Option<Service> {
    let name = pod.service_name.as_ref()?;
    let reason = "a StatefulSet wants a Service without an address of its own, by which each pod has a name";
    let origin = Origin::fact(NAME, reason, &[&name.origin]);
    Some(Service {
        name: name.value.clone(),
        namespace: pod.namespace.clone(),
        ty: ServiceType::ClusterIp,
        headless: true,
        selector: Some(Selector { labels: chosen(node), expressions: Vec::new(), origin: name.origin.clone() }),
        ports: usual.map(|it| it.ports.clone()).unwrap_or_default(),
        open_ports: false,
        lacks: Vec::new(),
        labels: pod.labels.clone(),
        annotations: Labels::new(),
        sticky: false,
        origin,
    })
}

/// The Service by whose name others dial it. Health is asked for at the pods themselves.
fn service(node: &Node, container: &Container, pod: &Pod) -> Option<Service> {
    let shown: Vec<&Listener> = open(node).filter(|it| it.name != HEALTH && !node.is_exposed(it)).collect();
    if shown.is_empty() {
        return None;
    }
    let origin = Origin::derived(NAME, "others dial it by this name", &[&node.origin]);
    Some(service_of(node, container, pod, shown.iter().map(|it| (*it, it.port)), origin))
}

/// The Service that what is outside dials, where the stack exposes the node.
fn exposed(node: &Node, container: &Container, pod: &Pod) -> Option<Service> {
    let exposure = node.placement.exposure.as_ref()?;
    let door = open(node).find(|it| node.is_exposed(it))?;
    let reason = "what is outside of the cluster dials it, by the host name that leads to this";
    let origin = Origin::derived(NAME, reason, &[&exposure.origin]);
    let service = service_of(node, container, pod, [(door, Exposure::port()?)].into_iter(), origin);
    Some(Service { name: Exposure::secret(&node.name), ty: ServiceType::LoadBalancer, ..service })
}

/// A Service of those doors, each at that port.
fn service_of<'a>(
    node: &Node,
    container: &Container,
    pod: &Pod,
    doors: impl Iterator<Item = (&'a Listener, u16)>,
    origin: Origin,
) -> Service {
    let port = |(it, port): (&Listener, u16)| ServicePort {
        name: container.port_name(it.port).map(str::to_owned),
        port,
        target: container.port_name(it.port).map_or(TargetPort::Number(it.port), |it| TargetPort::Name(it.to_owned())),
        transport: it.transport,
        app_protocol: (it.protocol == Protocol::OTLP_GRPC && it.transport == Transport::Tcp).then(|| {
            let reason = "a mesh and a load balancer then know that connections carry many calls";
            Sourced::new("grpc".to_owned(), Origin::builtin(NAME, reason, &[&it.origin]))
        }),
        node_port: None,
        origin: it.origin.clone(),
    };
    Service {
        name: node.name.clone(),
        namespace: pod.namespace.clone(),
        ty: ServiceType::ClusterIp,
        headless: false,
        selector: Some(Selector {
            labels: picked(node),
            expressions: Vec::new(),
            origin: Origin::derived(NAME, "the pods that answer", &[&node.origin]),
        }),
        ports: doors.map(port).collect(),
        open_ports: false,
        lacks: Vec::new(),
        labels: pod.labels.clone(),
        annotations: Labels::new(),
        sticky: false,
        origin,
    }
}
